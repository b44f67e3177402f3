"""Certificates of outside authorities, registered for a person or a school's seal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import CanonicalJson, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outside_certificates",
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("school_id", sa.String(200), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("certificate_der", sa.LargeBinary(), nullable=False),
        sa.Column("chain", CanonicalJson(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= registered_at", name="ck_outside_certificates_withdrawn_at"),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_outside_certificates"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_outside_certificates_school_id_schools"),
    )
    op.create_index("ix_outside_certificates_holder", "outside_certificates", ["holder"])
    op.create_index("ix_outside_certificates_school_id", "outside_certificates", ["school_id"])


def downgrade() -> None:
    raise NotImplementedError("records have no way back")
