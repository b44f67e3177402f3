"""Batches that can start no more hold nobody back: their people may come into another."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from db import log
from db.tables_bulk import bulk_batches, bulk_people
from db.tables_registration import requests
from pki.registration.approval import RequestState
from records.bulk import BatchState

UNASKED = timedelta(minutes=10)  # between a batch and its request lie milliseconds, unless the command died
REASON = "the batch was refused, or not approved in time"

_ALIVE = (RequestState.OPEN.value, RequestState.APPROVED.value)


def release_lapsed(connection: sa.Connection, *, at: datetime) -> None:
    """Refuses everybody who waits in a batch whose request was refused, has expired, or was never opened.

    Such a batch cannot start: :func:`pki.registration.approval.redeem` refuses.
    """
    live = requests.c.state.in_(_ALIVE) & (requests.c.expires_at > at)
    asked = sa.case((bulk_batches.c.request_id.is_(None), bulk_batches.c.submitted_at > at - UNASKED), else_=live)
    lapsed = (
        sa.select(bulk_batches.c.id)
        .outerjoin(requests, requests.c.id == bulk_batches.c.request_id)
        .where(bulk_batches.c.state == BatchState.SUBMITTED.value, ~sa.func.coalesce(asked, sa.false()))
        .where(sa.exists().where(bulk_people.c.batch_id == bulk_batches.c.id, bulk_people.c.state == "waiting"))
    )
    for batch_id in connection.execute(lapsed.order_by(bulk_batches.c.id)).scalars().all():
        released = connection.execute(
            sa.update(bulk_people)
            .where(bulk_people.c.batch_id == batch_id, bulk_people.c.state == "waiting")
            .values(state="refused", reason=REASON)
        )
        log.append(connection, kind="bulk.lapsed", subject=f"bulk/{batch_id}", at=at, details={"people": released.rowcount})
