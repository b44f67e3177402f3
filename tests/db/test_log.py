from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from db import log
from db.engine import Database
from db.errors import DatabaseError
from db.tables_log import log_entries

AT = datetime(2026, 6, 1, 8, 0, 0, 123456, tzinfo=UTC)


def append(database: Database, subject: str, **details: object) -> int:
    with database.writing() as connection:
        return log.append(connection, kind="test.happened", subject=subject, at=AT, details=details)


def test_positions_count_from_zero(database: Database) -> None:
    assert [append(database, "a") for _ in range(3)] == [0, 1, 2]


def test_an_entry_comes_back_as_it_was_written(database: Database) -> None:
    append(database, "record/1", name="Nguyễn", version=2)
    (entry,) = log.Log(database).entries()
    assert entry == log.LogEntry(position=0, kind="test.happened", subject="record/1", at=AT, details={"name": "Nguyễn", "version": 2})
    assert entry.at.tzinfo is UTC


def test_a_rolled_back_entry_leaves_no_gap(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.writing() as connection:
            log.append(connection, kind="test.lost", subject="b", at=AT, details={})
            raise RuntimeError

    append(database, "a")
    with pytest.raises(RuntimeError):
        fail_after_writing()
    assert append(database, "c") == 1
    assert [entry.subject for entry in log.Log(database).entries()] == ["a", "c"]


def test_writers_at_the_same_time_leave_no_gap_and_no_double(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        positions = list(pool.map(lambda n: append(database, f"s{n}"), range(40)))
    assert sorted(positions) == list(range(40))
    assert log.Log(database).size() == 40


@pytest.mark.parametrize("statement", [sa.delete(log_entries), sa.update(log_entries).values(kind="forged")])
def test_an_entry_cannot_be_changed_or_removed(database: Database, statement: sa.Executable) -> None:
    append(database, "a")
    with pytest.raises(DatabaseError, match="the log is append-only"), database.writing() as connection:
        connection.execute(statement)


def test_a_range_is_read_in_pages_and_in_order(database: Database) -> None:
    with database.writing() as connection:
        for n in range(log.PAGE + 5):
            log.append(connection, kind="test.happened", subject=f"s{n}", at=AT, details={})
    assert [entry.position for entry in log.Log(database).entries(start=2)] == list(range(2, log.PAGE + 5))
    assert [entry.position for entry in log.Log(database).entries(start=3, stop=5)] == [3, 4]


def test_entries_of_a_subject(database: Database) -> None:
    for subject in ("a", "b", "a"):
        append(database, subject)
    assert [entry.position for entry in log.Log(database).of_subject("a")] == [0, 2]
