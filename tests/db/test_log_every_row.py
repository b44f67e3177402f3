"""Any row of the log at all, flipped, deleted, reordered, or cut off with all that follow: it is found. Row after row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import LogTamperedError
from db.log_seal import LogSealer
from db.tables_log import log_entries, log_head
from tests.support.log_cases import append, at_position, check, forged, tamper

FEW, MANY = 24, 600  # entries; the second has complete runs of 256 and a rest


class UndoneError(Exception):
    """Ends a block whose changes are not to stay."""


@contextmanager
def undone(database: Database) -> Iterator[sa.Connection]:
    with suppress(UndoneError), database.writing() as connection:
        yield connection
        raise UndoneError


@pytest.fixture
def size(request: pytest.FixtureRequest, database: Database, sealer: LogSealer) -> int:
    count = int(request.param)
    append(database, count)
    sealer.seal()
    tamper(database)  # takes the triggers away, as whoever holds the database can
    return count


every_size = pytest.mark.parametrize("size", [FEW, pytest.param(MANY, marks=pytest.mark.long)], indirect=True)


def refuse(database: Database, copy: Path, expected: str, *statements: sa.Executable) -> None:
    with undone(database) as connection:
        for statement in statements:
            connection.execute(statement)
        with pytest.raises(LogTamperedError, match=expected):
            check(database, copy)


@every_size
def test_a_row_flipped(database: Database, copy: Path, size: int) -> None:
    for position in range(size):
        refuse(database, copy, f"entry {position} was altered", at_position(position).values(kind="test.happenee"))


@every_size
def test_a_row_flipped_with_its_leaf(database: Database, copy: Path, size: int) -> None:
    for position in range(size):
        expected = "are not those (that were sealed|of the checkpoint)"
        refuse(database, copy, expected, forged(database, position, kind="forged.entry"))


@every_size
def test_a_row_deleted(database: Database, copy: Path, size: int) -> None:
    for position in range(size):
        gone = sa.delete(log_entries).where(log_entries.c.position == position)
        refuse(database, copy, "entries were removed", gone)


@every_size
def test_a_row_deleted_and_the_rest_moved_up(database: Database, copy: Path, size: int) -> None:
    for position in range(size):
        last = at_position(size - 1).values(position=position)
        gone = sa.delete(log_entries).where(log_entries.c.position == position)
        moved = [gone] if position == size - 1 else [gone, last]
        refuse(database, copy, "entries were removed", *moved, sa.update(log_head).values(size=size - 1))


@every_size
def test_two_rows_reordered(database: Database, copy: Path, size: int) -> None:
    for position in range(size - 1):
        swap = [at_position(a).values(position=b) for a, b in ((position, -1), (position + 1, position), (-1, position + 1))]
        refuse(database, copy, f"entry {position} was altered", *swap)


@every_size
def test_the_log_truncated(database: Database, copy: Path, size: int) -> None:
    for position in range(size):
        rest = sa.delete(log_entries).where(log_entries.c.position >= position)
        refuse(database, copy, "entries were removed", rest, sa.update(log_head).values(size=position))


@every_size
def test_nothing_touched_is_whole(database: Database, copy: Path, size: int) -> None:
    assert check(database, copy).size == size
