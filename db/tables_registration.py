"""The tables of registration: officers, requests and their approvals. Migration 0006 makes them."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, SHA256, metadata
from db.types import Serial, UtcDateTime

REQUEST_ID = sa.String(32)

# `verifier` is what an officer's PIN is held against, under the key-encryption key; `wrong` counts tries since the last right one.
officers = sa.Table(
    "officers",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("verifier", sa.LargeBinary, nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.CheckConstraint("wrong >= 0", name="wrong"),
)

# `live_key` holds equal orders to one request; `claimed_at` says since when somebody issues what was redeemed.
requests = sa.Table(
    "registration_requests",
    metadata,
    sa.Column("id", REQUEST_ID, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("profile", ID, nullable=False),
    sa.Column("reference", ID, nullable=False, index=True),
    sa.Column("digest", SHA256, nullable=False),
    sa.Column("content", sa.Text),
    sa.Column("live_key", SHA256, unique=True),
    sa.Column("requested_by", ID, nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("needed", sa.Integer, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("refused_by", ID),
    sa.Column("reason", sa.Text),
    sa.Column("redeemed_at", UtcDateTime),
    sa.Column("claimed_at", UtcDateTime),
    sa.Column("issuer", sa.String(100)),
    sa.Column("serial", Serial),
    sa.CheckConstraint("kind IN ('person', 'seal', 'bulk', 'ca')", name="kind"),
    sa.CheckConstraint("state IN ('open', 'approved', 'refused', 'redeemed')", name="state"),
    sa.CheckConstraint("(state = 'redeemed') = (redeemed_at IS NOT NULL)", name="redeemed_at"),
    sa.CheckConstraint("(state = 'refused') = (refused_by IS NOT NULL)", name="refused_by"),
    sa.CheckConstraint("(issuer IS NULL) = (serial IS NULL)", name="serial"),
    sa.UniqueConstraint("issuer", "serial"),
)

# One officer approves a request once: the primary key says so.
approvals = sa.Table(
    "registration_approvals",
    metadata,
    sa.Column("request_id", REQUEST_ID, sa.ForeignKey("registration_requests.id"), primary_key=True),
    sa.Column("officer", ID, sa.ForeignKey("officers.id"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)
