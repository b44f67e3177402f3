"""Tables of records, their documents and what people agreed to sign, in the metadata of :mod:`db.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, SHA256, metadata
from db.types import CanonicalJson, UtcDateTime

records = sa.Table(
    "records",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("school", ID, nullable=False, index=True),
    sa.Column("phase", sa.String(20), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("revision >= 1", name="revision"),
)

# What `records.state` says of each version, so that a verifier's question needs no more than one row.
record_versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("record_id", ID, sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("status", sa.String(20)),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("record_id", ID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(["record_id", "version"], ["record_versions.record_id", "record_versions.version"]),
)

authorisations = sa.Table(
    "authorisations",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("holder", ID, nullable=False, index=True),
    sa.Column("granted_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("granted_at < expires_at", name="expires_at"),
)

authorisation_items = sa.Table(
    "authorisation_items",
    metadata,
    sa.Column("authorisation_id", sa.String(32), sa.ForeignKey("authorisations.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record_id", ID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("step", ID, nullable=False),
    sa.Column("export_sha256", SHA256, nullable=False),
    sa.UniqueConstraint("authorisation_id", "record_id", "version", "step"),
)

# An item of an authorisation is good for one signature: the primary key says so.
spent_items = sa.Table(
    "spent_items",
    metadata,
    sa.Column("authorisation_id", ID, primary_key=True),
    sa.Column("record_id", ID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("step", ID, primary_key=True),
)

# Read off the documents, so that finding what to renew reads none of them: a row counts while its digest is the document's.
archive_holds = sa.Table(
    "archive_holds",
    metadata,
    sa.Column("record_id", ID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("document_sha256", sa.String(64), nullable=False),
    sa.Column("not_after", UtcDateTime, index=True),
    sa.Column("algorithms", CanonicalJson, nullable=False),
    sa.ForeignKeyConstraint(["record_id", "version"], ["record_versions.record_id", "record_versions.version"]),
)
