"""Signatures prepared for keys held elsewhere, and until when archive time stamps hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import CanonicalJson, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prepared_signatures",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("api_key_id", sa.String(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.Column("purpose", CanonicalJson(), nullable=False),
        sa.Column("certificate_der", sa.LargeBinary(), nullable=False),
        sa.Column("chain", CanonicalJson(), nullable=False),
        sa.Column("gap_start", sa.BigInteger(), nullable=False),
        sa.Column("gap_end", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary()),
        sa.CheckConstraint("created_at < expires_at", name="ck_prepared_signatures_expires_at"),
        sa.CheckConstraint("(used_at IS NULL) = (document IS NOT NULL)", name="ck_prepared_signatures_document"),
        sa.PrimaryKeyConstraint("id", name="pk_prepared_signatures"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name="fk_prepared_signatures_api_key_id_api_keys"),
    )
    op.create_index("ix_prepared_signatures_api_key_id", "prepared_signatures", ["api_key_id"])
    op.create_index("ix_prepared_signatures_expires_at", "prepared_signatures", ["expires_at"])
    op.create_table(
        "archive_holds",
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document_sha256", sa.String(64), nullable=False),
        sa.Column("not_after", UtcDateTime()),
        sa.Column("algorithms", CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version", name="pk_archive_holds"),
        sa.ForeignKeyConstraint(
            ["record_id", "version"],
            ["record_versions.record_id", "record_versions.version"],
            name="fk_archive_holds_record_id_version_record_versions",
        ),
    )
    op.create_index("ix_archive_holds_not_after", "archive_holds", ["not_after"])


def downgrade() -> None:
    raise NotImplementedError("records have no way back")
