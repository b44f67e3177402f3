"""Tables of the log, in the metadata of :mod:`db.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, SHA256, metadata
from db.types import CanonicalJson, UtcDateTime

# Triggers of the first migration refuse UPDATE and DELETE here: the log is append-only.
log_entries = sa.Table(
    "log_entries",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("subject", ID, nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("details", CanonicalJson, nullable=False),
    sa.Column("salt", SHA256, nullable=False),
    sa.Column("leaf", SHA256, nullable=False),
)

# Roots over complete runs of 256, 256^2, … leaves (level 1, 2, …), kept so that a proof reads hundreds of hashes, not millions.
log_nodes = sa.Table(
    "log_nodes",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", SHA256, nullable=False),
)

# One row: the newest signed checkpoint. Its row lock puts sealers in line; writers of entries never wait for it.
log_seal = sa.Table(
    "log_seal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("note", sa.Text),
    sa.CheckConstraint("id = 1", name="single_row"),
)

# One row: the number of entries. Its row lock puts writers in line, so that positions have no gap.
log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
)
