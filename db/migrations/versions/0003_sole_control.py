"""Authorisations with their items, and how often each key's PIN was tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Serial, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authorisations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorisations"),
        sa.CheckConstraint("granted_at < expires_at", name=op.f("ck_authorisations_expires_at")),
    )
    op.create_index("ix_authorisations_holder", "authorisations", ["holder"])
    op.create_table(
        "authorisation_items",
        sa.Column("authorisation_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(200), nullable=False),
        sa.Column("export_sha256", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_id", "position", name="pk_authorisation_items"),
        sa.UniqueConstraint(
            "authorisation_id", "record_id", "version", "step", name="uq_authorisation_items_authorisation_id_record_id_version_step"
        ),
        sa.ForeignKeyConstraint(["authorisation_id"], ["authorisations.id"], name="fk_authorisation_items_authorisation_id_authorisations"),
    )
    op.create_table(
        "pin_attempts",
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("unlock_by", sa.String(200)),
        sa.Column("unlock_code_sha256", sa.LargeBinary(32)),
        sa.Column("unlock_until", UtcDateTime()),
        sa.Column("unlock_tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "issuer", "serial", name="pk_pin_attempts"),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_pin_attempts_wrong")),
        sa.ForeignKeyConstraint(
            ["holder", "issuer", "serial"],
            ["holder_keys.holder", "holder_keys.issuer", "holder_keys.serial"],
            name="fk_pin_attempts_holder_issuer_serial_holder_keys",
        ),
    )
