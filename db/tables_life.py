"""Tables of the life of certificates, in the metadata of :mod:`db.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import SHA256, metadata
from db.types import Serial, UtcDateTime

# Keys that are never certified again, by SHA-256 of their SubjectPublicKeyInfo. Nothing ever leaves this table.
blocked_keys = sa.Table(
    "blocked_keys",
    metadata,
    sa.Column("public_key_sha256", SHA256, primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("blocked_at", UtcDateTime, nullable=False),
)

# That a certificate ends was said once for each threshold, in days.
expiry_notices = sa.Table(
    "expiry_notices",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
    sa.Column("days", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("noticed_at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(["issuer", "serial"], ["certificates.issuer", "certificates.serial"]),
)
