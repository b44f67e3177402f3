"""Jobs beside the service: they go on whatever one run does, and a failure is told when it begins and when it ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from api.background import Job, _Noting, in_background

PATIENCE = 20  # seconds


def run_beside(jobs: list[Job], *, until: Callable[[], bool]) -> None:
    async def serve() -> None:
        async with in_background(*jobs)(FastAPI()):
            deadline = time.monotonic() + PATIENCE
            while not until():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)

    asyncio.run(serve())


def test_each_job_runs_again_and_again() -> None:
    runs = {"a": 0, "b": 0}

    def job(name: str) -> Job:
        def run() -> tuple[str, ...]:
            runs[name] += 1
            return ()

        return Job(name, run, every=0.01)

    run_beside([job("a"), job("b")], until=lambda: min(runs.values()) >= 3)


def test_a_job_that_hangs_does_not_hold_up_the_others() -> None:
    gate, runs = threading.Event(), [0]

    def hangs() -> tuple[str, ...]:
        gate.wait(PATIENCE)
        return ()

    def works() -> tuple[str, ...]:
        runs[0] += 1
        if runs[0] == 3:
            gate.set()
        return ()

    run_beside([Job("hangs", hangs, every=1), Job("works", works, every=0.01)], until=lambda: runs[0] >= 3)


def test_a_run_that_has_begun_is_waited_for_at_the_end() -> None:
    begun, ended = threading.Event(), []

    def slow() -> tuple[str, ...]:
        begun.set()
        time.sleep(0.2)
        ended.append(True)
        return ()

    run_beside([Job("slow", slow, every=60)], until=begun.is_set)
    assert ended == [True]


def told(*runs: tuple[str, ...] | Exception) -> list[tuple[str, str | None]]:
    """What a job's runs, one after the other, leave in the service's log."""
    pending = iter(runs)

    def run() -> tuple[str, ...]:
        result = next(pending)
        if isinstance(result, Exception):
            raise result
        return result

    noting = _Noting(Job("job", run, every=1))
    with capture_logs() as lines:
        results = [noting() for _ in runs]
    assert results == [run == () for run in runs]
    return [(line["event"], line.get("text")) for line in lines]


@pytest.mark.parametrize("failure", [("the key is gone",), RuntimeError("the key is gone")])
def test_a_failure_is_told_when_it_begins_and_when_it_ends(failure: tuple[str, ...] | Exception) -> None:
    text = "the key is gone" if isinstance(failure, tuple) else "RuntimeError: the key is gone"
    assert told((), failure, failure, failure, (), ()) == [("job.failed", text), ("job.works_again", None)]


def test_another_failure_is_told_too() -> None:
    assert told(("a",), ("a", "b"), ("b",)) == [("job.failed", text) for text in ("a", "a", "b", "b")]
