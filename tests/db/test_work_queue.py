"""Durable work: steps are remembered, the dead are taken over, the living are not. On both databases."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database, sqlite_url
from db.errors import DatabaseError
from db.tables import metadata
from db.tables_bulk import work_executors
from db.work_executors import STALE_AFTER, Executors
from db.work_queue import Steps, WorkError, WorkQueue, WorkState
from tests.support.authority import StandingClock

NOW = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
LONG = 20.0  # seconds that a test waits for something that takes a fraction of one
NOBODY = 2**22 + 1  # above what Linux gives to processes


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


class Diary:
    """A workflow of three steps that writes down what it did; the second waits until it is let go, and fails as often as told."""

    def __init__(self, *, fail: int = 0) -> None:
        self.did: list[str] = []
        self.reached, self.go = threading.Event(), threading.Event()
        self.fail = fail

    def __call__(self, steps: Steps, subject: str) -> None:
        for name in ("first", "second", "third"):
            steps.run(name, self._step, name, subject)

    def _step(self, name: str, subject: str) -> str:
        if name == "second":
            self.reached.set()
            assert self.go.wait(LONG)
            if self.fail:
                self.fail -= 1
                raise DatabaseError("the second step failed")
        self.did.append(f"{name} {subject}")
        return name


@pytest.fixture
def diary() -> Iterator[Diary]:
    made = Diary()
    yield made
    made.go.set()


def opened(database: Database, url: str, clock: StandingClock, diary: Diary) -> WorkQueue:
    return WorkQueue(database, url, workflows={"diary": diary}, clock=clock, pause=0.01)


def enqueue(queue: WorkQueue, database: Database) -> None:
    with database.writing() as connection:
        queue.enqueue(connection, "diary", "w1", "batch-7")


def enqueue_and_fail(queue: WorkQueue, database: Database) -> None:
    with database.writing() as connection:
        queue.enqueue(connection, "diary", "w1", "batch-7")
        raise RuntimeError("no")


def test_a_workflow_does_its_steps_in_order(database: Database, database_url: str, clock: StandingClock, diary: Diary) -> None:
    diary.go.set()
    with opened(database, database_url, clock, diary) as queue:
        enqueue(queue, database)
        queue.wait("w1")
        assert diary.did == ["first batch-7", "second batch-7", "third batch-7"]
        assert queue.status("w1").state is WorkState.DONE


def test_what_is_enqueued_in_a_transaction_that_fails_is_not_there(
    database: Database, database_url: str, clock: StandingClock, diary: Diary
) -> None:
    with opened(database, database_url, clock, diary) as queue:
        with pytest.raises(RuntimeError, match="no"):
            enqueue_and_fail(queue, database)
        assert queue.status("w1").state is WorkState.UNKNOWN
        with pytest.raises(WorkError, match="workflow w1 is unknown: nobody knows of it"):
            queue.wait("w1")


def test_a_step_that_fails_now_and_then_is_tried_again(database: Database, database_url: str, clock: StandingClock, diary: Diary) -> None:
    diary.go.set()
    diary.fail = 2
    with opened(database, database_url, clock, diary) as queue:
        enqueue(queue, database)
        queue.wait("w1")
    assert diary.did == ["first batch-7", "second batch-7", "third batch-7"]


def test_a_step_that_goes_on_failing_ends_its_workflow_with_its_error(
    database: Database, database_url: str, clock: StandingClock, diary: Diary
) -> None:
    diary.go.set()
    diary.fail = 100
    with opened(database, database_url, clock, diary) as queue:
        enqueue(queue, database)
        with pytest.raises(WorkError, match="workflow w1 is failed: the second step failed"):
            queue.wait("w1")


def test_the_next_process_goes_on_behind_the_last_finished_step(
    database: Database, database_url: str, clock: StandingClock, diary: Diary
) -> None:
    left = Diary(fail=1)
    with opened(database, database_url, clock, left) as queue:
        enqueue(queue, database)
        assert left.reached.wait(LONG)
        assert queue.status("w1").state is WorkState.RUNNING
    left.go.set()  # its thread wakes up after the queue was left, and may do nothing more

    diary.go.set()
    with opened(database, database_url, clock, diary) as queue:
        queue.wait("w1")
    assert left.did == ["first batch-7"]
    assert diary.did == ["second batch-7", "third batch-7"]


def test_tables_of_the_queue_hold_json(database: Database, database_url: str, clock: StandingClock, diary: Diary) -> None:
    diary.go.set()
    with opened(database, database_url, clock, diary) as queue:
        enqueue(queue, database)
        queue.wait("w1")
    schema = None if database.engine.dialect.name == "sqlite" else "dbos"
    with database.reading() as connection:
        names = [name for name in sa.inspect(connection).get_table_names(schema=schema) if name not in metadata.tables]
        tables = [sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)) for name in names]
        text = "\n".join(repr(tuple(row)) for table in tables for row in connection.execute(table))
    assert '{"namedArgs":{},"positionalArgs":["batch-7"]}' in text
    assert "portable_json" in text
    assert "py_pickle" not in text


def executors(database: Database, clock: StandingClock, **row: object) -> Executors:
    """This process among others: `row` is another's."""
    mine = Executors(database, "postgresql://elsewhere/eduseal", clock=clock)
    mine.enlist()
    values = {"id": "other", "host": "elsewhere", "pid": NOBODY, "started_at": NOW, "beat_at": NOW}
    with database.writing() as connection:
        connection.execute(sa.insert(work_executors), [{**values, **row}])
    return mine


def test_a_process_of_another_machine_that_beats_is_alive(database: Database, clock: StandingClock) -> None:
    mine = executors(database, clock)
    assert mine.live() == {mine.id, "other"}


def test_a_process_that_stopped_beating_is_dead(database: Database, clock: StandingClock) -> None:
    mine = executors(database, clock, beat_at=NOW - STALE_AFTER - timedelta(seconds=1))
    assert mine.live() == {mine.id}


@pytest.mark.parametrize(("pid", "alive"), [(os.getpid(), True), (NOBODY, False)])
def test_on_this_machine_a_process_is_looked_for(database: Database, clock: StandingClock, pid: int, alive: bool) -> None:
    mine = executors(database, clock, host=os.uname().nodename, pid=pid)
    assert ("other" in mine.live()) is alive


def test_the_dead_are_struck_off_and_the_living_are_not(database: Database, clock: StandingClock) -> None:
    mine = executors(database, clock, id="dead", beat_at=NOW - timedelta(hours=1))
    mine.beat()
    mine.strike_off()
    with database.reading() as connection:
        assert set(connection.execute(sa.select(work_executors.c.id)).scalars()) == {mine.id}


def test_a_second_process_on_one_sqlite_file_is_refused(database: Database, tmp_path: Path, clock: StandingClock) -> None:
    first, second = (Executors(database, sqlite_url(tmp_path / "work.sqlite"), clock=clock) for _ in range(2))
    first.enlist()
    with pytest.raises(DatabaseError, match=r"another process runs the work of .*; SQLite has one at a time"):
        second.enlist()
    first.leave()
    second.enlist()
    second.leave()


def test_sqlite_in_memory_is_refused(database: Database, clock: StandingClock) -> None:
    with pytest.raises(DatabaseError, match="got SQLite in memory"):
        Executors(database, "sqlite://", clock=clock)
