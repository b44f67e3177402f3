"""Requests, approvals, officers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Serial, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "officers",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verifier", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime()),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_officers"),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_officers_wrong")),
    )
    _requests()
    op.create_table(
        "registration_approvals",
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("officer", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "officer", name="pk_registration_approvals"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["registration_requests.id"], name="fk_registration_approvals_request_id_registration_requests"
        ),
        sa.ForeignKeyConstraint(["officer"], ["officers.id"], name="fk_registration_approvals_officer_officers"),
    )


def _requests() -> None:
    op.create_table(
        "registration_requests",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("profile", sa.String(200), nullable=False),
        sa.Column("reference", sa.String(200), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("live_key", sa.LargeBinary(32)),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("refused_by", sa.String(200)),
        sa.Column("reason", sa.Text()),
        sa.Column("redeemed_at", UtcDateTime()),
        sa.Column("claimed_at", UtcDateTime()),
        sa.Column("issuer", sa.String(100)),
        sa.Column("serial", Serial()),
        sa.PrimaryKeyConstraint("id", name="pk_registration_requests"),
        sa.UniqueConstraint("live_key", name="uq_registration_requests_live_key"),
        sa.UniqueConstraint("issuer", "serial", name="uq_registration_requests_issuer_serial"),
        sa.CheckConstraint("kind IN ('person', 'seal', 'bulk', 'ca')", name=op.f("ck_registration_requests_kind")),
        sa.CheckConstraint("state IN ('open', 'approved', 'refused', 'redeemed')", name=op.f("ck_registration_requests_state")),
        sa.CheckConstraint("(state = 'redeemed') = (redeemed_at IS NOT NULL)", name=op.f("ck_registration_requests_redeemed_at")),
        sa.CheckConstraint("(state = 'refused') = (refused_by IS NOT NULL)", name=op.f("ck_registration_requests_refused_by")),
        sa.CheckConstraint("(issuer IS NULL) = (serial IS NULL)", name=op.f("ck_registration_requests_serial")),
    )
    op.create_index("ix_registration_requests_reference", "registration_requests", ["reference"])
