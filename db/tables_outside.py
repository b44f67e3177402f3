"""The table of other authorities' certificates that stand for somebody of ours."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, SHA256, metadata
from db.types import CanonicalJson, UtcDateTime

# A row is never deleted: what was signed while it stood stays signed by an entitled person.
outside_certificates = sa.Table(
    "outside_certificates",
    metadata,
    sa.Column("fingerprint", SHA256, primary_key=True),
    sa.Column("holder", ID, nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("school_id", ID, sa.ForeignKey("schools.id"), nullable=False, index=True),
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("certificate_der", sa.LargeBinary, nullable=False),
    sa.Column("chain", CanonicalJson, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= registered_at", name="withdrawn_at"),
)
