"""The append-only log: one row an event, numbered 0, 1, 2, … without a gap, in the transaction of the change it tells of.

With its row every entry gets a salt and a leaf (`db.log_leaf`); the tree over the leaves (`db.log_tree`) grows when the log is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db.bulk_rows import insert_all
from db.engine import Database
from db.errors import SchemaError
from db.log_leaf import canonical_entry, leaf_of, new_salt
from db.tables_log import log_entries, log_head
from db.types import canonical_json

PAGE = 1000  # rows fetched at a time


@dataclass(frozen=True)
class LogEntry:
    """`kind` is dotted and past tense (`certificate.issued`), `subject` an opaque id; `details` is a JSON object without names or codes."""

    position: int
    kind: str
    subject: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True)
class NewEntry:
    """An entry that has no position yet."""

    kind: str
    subject: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Disclosure:
    """What shows that leaf `position` stands for an entry: `leaf` is SHA-256 over `salt` and `entry`, its canonical octets."""

    position: int
    salt: bytes
    entry: bytes
    leaf: bytes


def append(connection: sa.Connection, *, kind: str, subject: str, at: datetime, details: Mapping[str, Any]) -> int:
    """Adds an entry inside the caller's transaction and returns its position."""
    return append_all(connection, [NewEntry(kind, subject, at, details)])


def append_all(connection: sa.Connection, entries: Sequence[NewEntry]) -> int:
    """Adds entries in this order inside the caller's transaction and returns the first one's position.

    Writers stand in line for the head from here to the end of their transactions: call it late, once, with all there is to log.
    """
    size = connection.execute(sa.update(log_head).values(size=log_head.c.size + len(entries)).returning(log_head.c.size)).scalar()
    if size is None:
        raise SchemaError("the log has no head; expected the row that the first migration makes")
    first = int(size) - len(entries)
    if entries:
        insert_all(connection, log_entries, [_values(position, entry) for position, entry in enumerate(entries, first)])
    return first


def _values(position: int, entry: NewEntry) -> dict[str, Any]:
    details, salt = dict(entry.details), new_salt()
    octets = canonical_entry(position=position, kind=entry.kind, subject=entry.subject, at=entry.at, details_json=canonical_json(details))
    row = {"position": position, "kind": entry.kind, "subject": entry.subject, "at": entry.at, "details": details}
    return {**row, "salt": salt, "leaf": leaf_of(salt, octets)}


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

    def disclosure(self, position: int) -> Disclosure | None:
        """An entry with its salt, to be shown to somebody; None where the log ends before it."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(log_entries).where(log_entries.c.position == position)).one_or_none()
        if row is None:
            return None
        details = canonical_json(row.details)
        entry = canonical_entry(position=row.position, kind=row.kind, subject=row.subject, at=row.at, details_json=details)
        return Disclosure(row.position, row.salt, entry, row.leaf)


def _entry(row: sa.Row[Any]) -> LogEntry:
    return LogEntry(position=row.position, kind=row.kind, subject=row.subject, at=row.at, details=row.details)
