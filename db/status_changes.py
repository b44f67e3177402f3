"""Has the status of any certificate changed? Answered from the log, where every change stands since the transaction that made it.

position, changed = changes.since(None)          # (where the log ends, True)
position, changed = changes.since(position)      # True where a certificate was revoked, suspended, released, …
"""

from __future__ import annotations

import sqlalchemy as sa

from db.engine import Database
from db.tables_log import log_entries, log_head

MAX_READ = 20_000  # entries looked through at a time; after more, it is taken that something changed

# A certificate that is only recorded is `unknown`, and nobody keeps that answer; a notice of expiry says nothing of status.
HARMLESS = ("certificate.recorded", "certificate.issued", "certificate.expiry-noticed")

_SIZE = sa.select(log_head.c.size)
_CHANGES = (
    sa.select(sa.literal(1))
    .where(log_entries.c.position >= sa.bindparam("start"), log_entries.c.position < sa.bindparam("stop"))
    .where(log_entries.c.kind.like("certificate%"), log_entries.c.kind.not_in(HARMLESS))
    .limit(1)
)


class StatusChanges:
    """Entries show in the order of their positions, since writers stand in line for the head of the log until they commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, position: int | None) -> tuple[int, bool]:
        """Where the log ends now, and whether a status changed from `position` on. Raises :class:`db.errors.DatabaseError`.

        Kinds of event that this program does not know count as changes. So does a log that became shorter: the database was replaced.
        """
        with self._database.glancing() as connection:
            size = int(connection.execute(_SIZE).scalar_one())
        if size == position:
            return size, False
        if position is None or not 0 < size - position <= MAX_READ:
            return size, True
        with self._database.glancing() as connection:
            return size, connection.execute(_CHANGES, {"start": position, "stop": size}).first() is not None
