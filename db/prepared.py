"""Signatures that wait for a key held elsewhere: each for minutes, for the API key that prepared it, and once."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.tables import prepared_signatures as table
from signing.applying.two_step import (
    PreparationExpiredError,
    PreparationUsedError,
    PreparedSignature,
    TwoStepError,
    UnknownPreparationError,
)

ID_BYTES = 24
MAX_OPEN = 200  # that one API key may have waiting at a time: bounds what the database holds
REMEMBERED = timedelta(days=1)  # a used one is told apart from an unknown one for so long


class TooManyPreparationsError(TwoStepError):
    """An API key has as many signatures waiting as it may have; complete them, or let their time pass."""


@dataclass(frozen=True)
class Waiting:
    """`purpose` is the caller's own note of what the signature is for: a JSON object without names or codes."""

    id: str
    expires_at: datetime
    purpose: Mapping[str, Any]
    signature: PreparedSignature


class PreparedSignatures:
    """Each method is one transaction. Documents are kept only until they are used or their time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, signature: PreparedSignature, *, api_key_id: str, purpose: Mapping[str, Any], at: datetime, lifetime: timedelta
    ) -> Waiting:
        """Raises :class:`TooManyPreparationsError`. What is over is cleared away first, whoever's it was."""
        waiting = Waiting(secrets.token_hex(ID_BYTES), at + lifetime, dict(purpose), signature)
        with self._database.writing() as connection:
            over = sa.or_(table.c.expires_at < at - REMEMBERED, (table.c.expires_at < at) & table.c.used_at.is_(None))
            connection.execute(sa.delete(table).where(over))
            own = sa.select(sa.func.count()).select_from(table).where(table.c.api_key_id == api_key_id, table.c.used_at.is_(None))
            if connection.execute(own).scalar_one() >= MAX_OPEN:
                raise TooManyPreparationsError(f"{MAX_OPEN} signatures of this API key wait to be completed; complete those first")
            row = {
                "id": waiting.id,
                "api_key_id": api_key_id,
                "created_at": at,
                "expires_at": waiting.expires_at,
                "purpose": dict(purpose),
                "certificate_der": signature.certificate_der,
                "chain": [base64.b64encode(der).decode() for der in signature.chain],
                "gap_start": signature.gap[0],
                "gap_end": signature.gap[1],
                "document": signature.file,
            }
            connection.execute(sa.insert(table).values(**row))
        return waiting

    def get(self, prepared_id: str, *, api_key_id: str, at: datetime) -> Waiting:
        """Raises :class:`signing.applying.two_step.UnknownPreparationError` (somebody else's too), PreparationUsedError or
        -ExpiredError.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == prepared_id, table.c.api_key_id == api_key_id)).one_or_none()
        if row is None:
            raise UnknownPreparationError("no signature of that name waits for this API key; prepare the document again")
        if row.used_at is not None:
            raise PreparationUsedError("this preparation was completed before; each is good for one signature")
        if at >= row.expires_at:
            raise PreparationExpiredError(f"the time to complete it ended at {row.expires_at:%H:%M:%S} UTC; prepare the document again")
        chain = tuple(base64.b64decode(text) for text in row.chain)
        signature = PreparedSignature(bytes(row.document), (row.gap_start, row.gap_end), row.certificate_der, chain)
        return Waiting(row.id, row.expires_at, row.purpose, signature)

    def use(self, waiting: Waiting, *, at: datetime) -> None:
        """Once: raises :class:`signing.applying.two_step.PreparationUsedError` the second time, PreparationExpiredError when it is late."""
        if at >= waiting.expires_at:
            raise PreparationExpiredError(f"the time to complete it ended at {waiting.expires_at:%H:%M:%S} UTC; prepare the document again")
        with self._database.writing() as connection:
            unused = (table.c.id == waiting.id) & table.c.used_at.is_(None)
            if connection.execute(sa.update(table).where(unused).values(used_at=at, document=None)).rowcount != 1:
                raise PreparationUsedError("this preparation was completed before; each is good for one signature")
