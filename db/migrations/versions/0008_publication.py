"""Published revocation lists, leases on work, and an index that holds all a list needs of a revoked certificate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "published_crls",
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("this_update", UtcDateTime(), nullable=False),
        sa.Column("next_update", UtcDateTime(), nullable=False),
        sa.Column("covers", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("this_update < next_update", name="ck_published_crls_next_update"),
        sa.PrimaryKeyConstraint("issuer", "shard", name="pk_published_crls"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    held = sa.text("revoked_at IS NOT NULL")
    columns = ["issuer", "serial", "revoked_at", "revocation_reason"]
    op.create_index("ix_certificates_revoked", "certificates", columns, postgresql_where=held, sqlite_where=held)
    waiting = sa.text("state = 'recorded'")
    op.create_index("ix_certificates_waiting", "certificates", ["recorded_at"], postgresql_where=waiting, sqlite_where=waiting)


def downgrade() -> None:
    raise NotImplementedError("records have no way back")
