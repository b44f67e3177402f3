"""Checking the whole log: everything recomputed from the entries and held against the checkpoints that were signed over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.errors import DatabaseError, LogTamperedError
from db.log_heads import changed_past, check_covered, check_seal, opened_heads
from db.log_leaf import canonical_entry, leaf_of
from db.log_tree import TILE, TILE_LEVELS, sealed
from db.tables_log import log_entries, log_head, log_nodes
from pki.log.checkpoint import Checkpoint
from pki.log.merkle import Frontier, leaf_hash, root_of
from pki.log.note import VerifierKey

PAGE = 2000  # rows fetched at a time


@dataclass(frozen=True)
class LogReport:
    """The log is whole: `size` entries, the first `sealed` of them under the newest checkpoint; `root` is that of all entries."""

    size: int
    sealed: int
    root: bytes
    checkpoints: tuple[Checkpoint, ...]


def check_log(database: Database, *, key: VerifierKey, notes: Mapping[str, str]) -> LogReport:
    """Holds the log against the database's own checkpoint and `notes`: checkpoints kept elsewhere, by where they were kept.

    1. every checkpoint is signed by `key`, and there is one;
    2. there are as many entries as the head counts, and no fewer than any checkpoint covers;
    3. entries are numbered 0, 1, 2, …, and each is the one that its salt and leaf were made for;
    4. the kept roots are those over the leaves;
    5. the root over the first N leaves is that of every checkpoint of size N.

    Entries after the newest checkpoint are covered by 2 and 3 alone. Raises :class:`db.errors.LogTamperedError` at the first that fails,
    also where no checkpoint is given.
    """
    with database.reading() as connection:
        own = sealed(connection)
        counts = sa.select(log_head.c.size, sa.select(sa.func.count()).select_from(log_entries).scalar_subquery().label("entries"))
        size, entries = connection.execute(counts).one()
    # 1. signatures
    heads = opened_heads({"the database": own.note, **notes}, key)
    check_seal(own, heads.get("the database"))
    if not heads:
        raise LogTamperedError("there is no checkpoint to hold the log against; `eduseal log checkpoint` signs one")
    # 2. counts; entries that came between two looks at the database are left for the next check
    if entries < size:
        raise LogTamperedError(f"the log has {entries} entries, its head counts {size}: entries were removed")
    if entries > size:
        raise LogTamperedError(
            f"the log has {entries} entries, its head counts {size}: entries were added past it, or the head was altered"
        )
    for place, head in heads.items():
        check_covered(head, place, size=size)
    # 3., 4., 5. in one pass over the leaves
    root = _pass(database, size=size, covered=own.size, heads=heads)
    return LogReport(size, own.size, root, tuple(heads.values()))


def _pass(database: Database, *, size: int, covered: int, heads: Mapping[str, Checkpoint]) -> bytes:
    """The root over everything."""
    frontier, kept = Frontier(), _KeptRoots(database, covered)
    _hold(frontier, heads)
    for leaf in _leaves(database, size):
        hashed = leaf_hash(leaf)
        frontier.append(hashed)
        kept.hold(hashed)
        _hold(frontier, heads)
    return frontier.root()


def _hold(frontier: Frontier, heads: Mapping[str, Checkpoint]) -> None:
    for place, head in heads.items():
        if head.size == frontier.size and head.root != frontier.root():
            raise changed_past(head, place)


def _leaves(database: Database, size: int) -> Iterator[bytes]:
    """Leaf data, recomputed."""
    expected = 0
    while expected < size:
        page = _page(database, expected, PAGE)
        if not page:
            raise LogTamperedError(f"entry {expected} is missing")
        for row in page[: size - expected]:
            if row.position != expected:
                raise LogTamperedError(f"entry {expected} is missing")
            yield _checked(row)
            expected += 1


def _page(database: Database, start: int, limit: int) -> list[sa.Row[Any]]:
    """Rows from position `start` on, details as they are stored; fewer where one cannot be read, to name that one."""
    columns = [column for column in log_entries.c if column.name != "details"]
    raw = sa.type_coerce(log_entries.c.details, sa.Text).label("details")
    chosen = sa.select(*columns, raw).where(log_entries.c.position >= start).order_by(log_entries.c.position).limit(limit)
    try:
        with database.reading() as connection:
            return list(connection.execute(chosen))
    except (ValueError, TypeError, DatabaseError):  # SQLite keeps whatever it is given, even where a time should stand
        if limit == 1:
            raise LogTamperedError(f"entry {start} was altered: it cannot be read") from None
        return _page(database, start, limit // 2)


def _checked(row: sa.Row[Any]) -> bytes:
    try:
        if not isinstance(row.at, datetime) or not isinstance(row.details, str):
            raise TypeError
        entry = canonical_entry(position=row.position, kind=row.kind, subject=row.subject, at=row.at, details_json=row.details)
        leaf = leaf_of(row.salt, entry)
    except (TypeError, ValueError):
        raise LogTamperedError(f"entry {row.position} was altered: it cannot be read") from None
    if leaf != row.leaf:
        raise LogTamperedError(f"entry {row.position} was altered: its leaf is that of another")
    return leaf


class _KeptRoots:
    """Compares kept roots with those over the leaves, as leaves go by."""

    def __init__(self, database: Database, covered: int) -> None:
        self._database = database
        self._covered = covered
        self._seen = 0
        self._open: list[list[bytes]] = [[]]

    def hold(self, leaf: bytes) -> None:
        self._seen += 1
        if self._seen > self._covered:
            return
        self._open[0].append(leaf)
        level = 0
        while len(self._open[level]) == TILE:
            found, self._open[level] = root_of(self._open[level]), []
            level += 1
            if level == len(self._open):
                self._open.append([])
            self._compare(level, (self._seen >> TILE_LEVELS * level) - 1, found)
            self._open[level].append(found)

    def _compare(self, level: int, number: int, found: bytes) -> None:
        chosen = sa.select(log_nodes.c.hash).where(log_nodes.c.level == level, log_nodes.c.number == number)
        with self._database.reading() as connection:
            kept = connection.execute(chosen).scalar()
        if kept != found:
            span = TILE**level
            raise LogTamperedError(f"entries {number * span} to {(number + 1) * span - 1} are not those that were sealed")
