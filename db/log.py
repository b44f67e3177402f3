"""The append-only log: one row an event, numbered 0, 1, 2, … without a gap, in the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.errors import SchemaError
from db.tables import log_entries, log_head

PAGE = 1000  # rows fetched at a time


@dataclass(frozen=True)
class LogEntry:
    """`kind` is dotted and past tense (`certificate.issued`), `subject` an opaque id; `details` is a JSON object without names or codes."""

    position: int
    kind: str
    subject: str
    at: datetime
    details: Mapping[str, Any]


def append(connection: sa.Connection, *, kind: str, subject: str, at: datetime, details: Mapping[str, Any]) -> int:
    """Adds an entry inside the caller's transaction and returns its position."""
    size = connection.execute(sa.update(log_head).values(size=log_head.c.size + 1).returning(log_head.c.size)).scalar()
    if size is None:
        raise SchemaError("the log has no head; expected the row that the first migration makes")
    position = int(size) - 1
    connection.execute(sa.insert(log_entries).values(position=position, kind=kind, subject=subject, at=at, details=dict(details)))
    return position


class Log:
    """Reading the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def size(self) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(log_head.c.size)).scalar_one())

    def entries(self, *, start: int = 0, stop: int | None = None) -> Iterator[LogEntry]:
        """Entries `start` to `stop` (excluded), in order, read a page at a time."""
        end = self.size() if stop is None else stop
        while start < end:
            chosen = sa.select(log_entries).where(log_entries.c.position >= start, log_entries.c.position < end)
            with self._database.reading() as connection:
                rows = connection.execute(chosen.order_by(log_entries.c.position).limit(PAGE)).all()
            if not rows:
                return
            yield from (_entry(row) for row in rows)
            start = rows[-1].position + 1

    def of_subject(self, subject: str) -> tuple[LogEntry, ...]:
        """Every entry about one subject, oldest first."""
        chosen = sa.select(log_entries).where(log_entries.c.subject == subject).order_by(log_entries.c.position)
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in connection.execute(chosen))


def _entry(row: sa.Row[Any]) -> LogEntry:
    return LogEntry(position=row.position, kind=row.kind, subject=row.subject, at=row.at, details=row.details)
