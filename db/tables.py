"""The tables. `migrations/` makes them; a test holds the two against each other."""

from __future__ import annotations

import sqlalchemy as sa

from db.types import CanonicalJson, Serial, UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = sa.String(200)
SHA256 = sa.LargeBinary(32)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
    sa.Column("profile", sa.String(100), nullable=False),
    sa.Column("holder", ID, nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("tbs_sha256", SHA256, nullable=False),
    sa.Column("public_key_sha256", SHA256, nullable=False, index=True),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("certificate_der", sa.LargeBinary),
    sa.Column("issued_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revocation_reason", sa.String(40)),
    sa.CheckConstraint("length(serial) = 40", name="serial_length"),
    sa.CheckConstraint("state IN ('recorded', 'issued', 'revoked')", name="state"),
    sa.CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_at"),
    sa.Index("ix_certificates_issuer_state", "issuer", "state"),
)

crl_numbers = sa.Table(
    "crl_numbers",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

# Triggers of the first migration refuse UPDATE and DELETE here: the log is append-only.
log_entries = sa.Table(
    "log_entries",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("subject", ID, nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("details", CanonicalJson, nullable=False),
)

# One row: the number of entries. Its row lock puts writers in line, so that positions have no gap.
log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
)
