"""Work that one process does for all of them: whoever holds the lease does it, until it is given back or its time is over.

A lease keeps two from doing the same work; it does not make the work safe. A process that was stopped may wake after its lease, so what it
writes must be refused then by the row that it writes to.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from db.engine import Database
from db.tables_publication import leases
from db.upsert import insert_missing
from pki.ports import Clock

AHEAD = timedelta(minutes=5)  # that another machine's clock may be ahead of this one's


class Leases:
    """The leases of one process; every instance is a holder of its own. Implements :class:`pki.status.publication.Turns`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._holder = secrets.token_hex(16)

    @contextmanager
    def turn(self, name: str, *, at_most: timedelta) -> Iterator[bool]:
        """Whether the work is ours while the block lasts; False where another is at it. It falls to others after `at_most`."""
        ours = self._take(name, at_most)
        try:
            yield ours
        finally:
            if ours:
                self._give_back(name)

    def _take(self, name: str, at_most: timedelta) -> bool:
        now = self._clock()
        # given back; or over; or from a clock that was ahead: nobody could have taken it for so long
        free = sa.or_(leases.c.holder == "", leases.c.until <= now, leases.c.until > now + at_most + AHEAD)
        with self._database.writing() as connection:
            insert_missing(connection, leases, [{"name": name, "holder": "", "until": now}])
            taken = connection.execute(
                sa.update(leases).where(leases.c.name == name, free).values(holder=self._holder, until=now + at_most)
            )
            return taken.rowcount == 1

    def _give_back(self, name: str) -> None:
        with self._database.writing() as connection:
            own = sa.update(leases).where(leases.c.name == name, leases.c.holder == self._holder)
            connection.execute(own.values(holder="", until=self._clock()))
