"""The tables of bulk issuance: batches, their people and chunks, and the processes that work on them. Migration 0007 makes them.

No table here holds a personal code, a name or an activation code: people are ids of the roster.
"""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, SHA256, metadata
from db.types import CanonicalJson, Serial, UtcDateTime

BATCH_ID = sa.String(32)

bulk_batches = sa.Table(
    "bulk_batches",
    metadata,
    sa.Column("id", BATCH_ID, primary_key=True),
    sa.Column("files", CanonicalJson, nullable=False),
    sa.Column("digest", SHA256, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("submitted_by", ID, nullable=False),
    sa.Column("submitted_at", UtcDateTime, nullable=False),
    sa.Column("request_id", ID),
    sa.Column("sheets", sa.Text),
    sa.Column("workflow_id", sa.String(100)),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.CheckConstraint("state IN ('submitted', 'running', 'done')", name="state"),
    sa.CheckConstraint("(state = 'submitted') = (started_at IS NULL)", name="started_at"),
    sa.CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished_at"),
)

# `attempt` fences: who works on a chunk gives it a new one, and only the newest may issue.
bulk_chunks = sa.Table(
    "bulk_chunks",
    metadata,
    sa.Column("batch_id", BATCH_ID, sa.ForeignKey("bulk_batches.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempt", sa.String(32)),
    sa.CheckConstraint("state IN ('waiting', 'recorded', 'issued', 'done')", name="state"),
    sa.CheckConstraint("(state = 'waiting') = (attempt IS NULL)", name="attempt"),
)

bulk_people = sa.Table(
    "bulk_people",
    metadata,
    sa.Column("batch_id", BATCH_ID, sa.ForeignKey("bulk_batches.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person_id", ID, nullable=False),
    sa.Column("chunk", sa.Integer, nullable=False),
    sa.Column("sheet", ID, nullable=False),
    sa.Column("facts", SHA256, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text),
    sa.UniqueConstraint("batch_id", "person_id"),
    sa.CheckConstraint("state IN ('waiting', 'issued', 'refused')", name="state"),
    sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="reason"),
    sa.Index("ix_bulk_people_batch_id_chunk", "batch_id", "chunk"),
)

# What an attempt recorded: the next attempt at the chunk revokes what this one left unissued.
bulk_certificates = sa.Table(
    "bulk_certificates",
    metadata,
    sa.Column("attempt", sa.String(32), primary_key=True),
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
)

# One row for each process that runs durable work; a dead one's work is taken over.
work_executors = sa.Table(
    "work_executors",
    metadata,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)
