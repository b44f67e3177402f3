"""Bulk issuance: batches, their people and chunks, and the processes that run durable work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import CanonicalJson, Serial, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _batches()
    _chunks()
    _people()
    op.create_table(
        "bulk_certificates",
        sa.Column("attempt", sa.String(32), nullable=False),
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.PrimaryKeyConstraint("attempt", "issuer", "serial", name="pk_bulk_certificates"),
    )
    op.create_table(
        "work_executors",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_work_executors"),
    )


def _batches() -> None:
    op.create_table(
        "bulk_batches",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("files", CanonicalJson(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("submitted_by", sa.String(200), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("request_id", sa.String(200)),
        sa.Column("sheets", sa.Text()),
        sa.Column("workflow_id", sa.String(100)),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_batches"),
        sa.CheckConstraint("state IN ('submitted', 'running', 'done')", name="ck_bulk_batches_state"),
        sa.CheckConstraint("(state = 'submitted') = (started_at IS NULL)", name="ck_bulk_batches_started_at"),
        sa.CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="ck_bulk_batches_finished_at"),
    )


def _chunks() -> None:
    op.create_table(
        "bulk_chunks",
        sa.Column("batch_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempt", sa.String(32)),
        sa.PrimaryKeyConstraint("batch_id", "number", name="pk_bulk_chunks"),
        sa.ForeignKeyConstraint(["batch_id"], ["bulk_batches.id"], name="fk_bulk_chunks_batch_id_bulk_batches"),
        sa.CheckConstraint("state IN ('waiting', 'recorded', 'issued', 'done')", name="ck_bulk_chunks_state"),
        sa.CheckConstraint("(state = 'waiting') = (attempt IS NULL)", name="ck_bulk_chunks_attempt"),
    )


def _people() -> None:
    op.create_table(
        "bulk_people",
        sa.Column("batch_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(200), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(200), nullable=False),
        sa.Column("facts", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("batch_id", "position", name="pk_bulk_people"),
        sa.UniqueConstraint("batch_id", "person_id", name="uq_bulk_people_batch_id_person_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["bulk_batches.id"], name="fk_bulk_people_batch_id_bulk_batches"),
        sa.CheckConstraint("state IN ('waiting', 'issued', 'refused')", name="ck_bulk_people_state"),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="ck_bulk_people_reason"),
    )
    op.create_index("ix_bulk_people_batch_id_chunk", "bulk_people", ["batch_id", "chunk"])


def downgrade() -> None:
    raise NotImplementedError("records have no way back")
