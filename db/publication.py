"""Published revocation lists in the database: implements :class:`pki.status.publication.PublicationStore`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.tables_log import log_entries, log_head
from db.tables_publication import published_crls
from db.upsert import insert_missing
from pki.status.publication import CrlState, PublishedCrl, StatusChange

CHANGES = ("certificate.revoked", "certificate.suspended", "certificate.released")  # what moves a certificate onto a list or off it
_SUBJECT = re.compile(r"certificate/([^/]+)/([0-9a-f]{1,40})")
_STATE = (
    published_crls.c.issuer,
    published_crls.c.shard,
    published_crls.c.number,
    published_crls.c.this_update,
    published_crls.c.next_update,
    published_crls.c.covers,
)
_STATES: sa.Select[Any] = sa.select(*_STATE)


class Publications:
    """One row a shard; a list never gives way to one with a lower number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self) -> tuple[CrlState, ...]:
        """What is published, by issuer and shard."""
        with self._database.reading() as connection:
            rows = connection.execute(_STATES.order_by(published_crls.c.issuer, published_crls.c.shard)).all()
        return tuple(_state(row) for row in rows)

    def state(self, issuer: str, shard: int) -> CrlState | None:
        with self._database.reading() as connection:
            row = connection.execute(_one(_STATES, issuer, shard)).one_or_none()
        return None if row is None else _state(row)

    def load(self, issuer: str, shard: int) -> PublishedCrl | None:
        """The newest list of a shard."""
        with self._database.reading() as connection:
            row = connection.execute(_one(_STATES.add_columns(published_crls.c.der), issuer, shard)).one_or_none()
        return None if row is None else PublishedCrl(_state(row), row.der)

    def save(self, crl: PublishedCrl) -> bool:
        """Durable when it returns; False, and nothing changed, where a list of this number or a higher one is published already."""
        values = {**vars(crl.state), "der": crl.der}
        with self._database.writing_alone() as connection:
            insert_missing(connection, published_crls, [{**values, "number": -1}])
            newer = sa.update(published_crls).where(published_crls.c.number < crl.state.number)
            saved = connection.execute(
                newer.where(published_crls.c.issuer == crl.state.issuer, published_crls.c.shard == crl.state.shard).values(values)
            )
            return saved.rowcount == 1

    def log_size(self) -> int:
        """Every change logged below this position is seen by whoever reads the books from now on."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(log_head.c.size)).scalar_one())

    def changes(self, start: int, stop: int) -> Iterator[StatusChange]:
        """Revocations, suspensions and releases logged at positions `start` to `stop` (excluded)."""
        chosen = (
            sa.select(log_entries.c.position, log_entries.c.subject)
            .where(log_entries.c.position >= start, log_entries.c.position < stop)
            .where(log_entries.c.kind.in_(CHANGES))
            .order_by(log_entries.c.position)
        )
        with self._database.reading() as connection:
            for position, subject in connection.execute(chosen):
                named = _SUBJECT.fullmatch(subject)
                if named is not None:
                    yield StatusChange(named[1], int(named[2], 16), position)


def _one(statement: sa.Select[Any], issuer: str, shard: int) -> sa.Select[Any]:
    return statement.where(published_crls.c.issuer == issuer, published_crls.c.shard == shard)


def _state(row: sa.Row[Any]) -> CrlState:
    return CrlState(row.issuer, row.shard, row.number, row.this_update, row.next_update, row.covers)
