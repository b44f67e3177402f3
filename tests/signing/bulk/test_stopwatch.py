"""What counts as a document's time: its process's, the clock where that only waits, and nothing while nobody looked."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from signing.bulk.stopwatch import TICK, OverrunError, Stopwatch, processor_seconds
from signing.verifying.grant import Grant

GRANT = Grant(patience=4.0, most_seconds=30.0)


@dataclass
class House:
    """A clock and a process, both moved by hand."""

    now: float = 100.0
    used: float | None = 7.0

    def watch(self) -> Stopwatch:
        return Stopwatch(GRANT, clock=lambda: self.now, used=lambda _: self.used)

    def pass_by(self, watch: Stopwatch, seconds: float, *, used: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            if self.used is not None:
                self.used += used * TICK / seconds
            watch.check(1)


def test_processor_time_above_what_is_granted_is_an_overrun() -> None:
    house = House()
    watch = house.watch()
    watch.start(1.0)
    with pytest.raises(OverrunError, match=r"takes longer than the 1\.0 s granted to it"):
        house.pass_by(watch, 2.0, used=2.0)


def test_busy_machine_is_given_patience() -> None:
    house = House()
    watch = house.watch()
    watch.start(1.0)
    house.pass_by(watch, 3.5, used=0.7)


def test_patience_ends() -> None:
    house = House()
    watch = house.watch()
    watch.start(1.0)
    with pytest.raises(OverrunError):
        house.pass_by(watch, 4.5, used=0.0)


def test_each_document_starts_anew() -> None:
    house = House()
    watch = house.watch()
    for _ in range(5):
        watch.start(1.0)
        house.pass_by(watch, 0.8, used=0.8)


def test_clock_does_not_run_while_nobody_looks() -> None:
    house = House()
    watch = house.watch()
    watch.start(1.0)
    house.pass_by(watch, 0.1, used=0.1)
    house.now += 3600.0
    watch.check(1)


def test_processor_time_runs_also_while_nobody_looks() -> None:
    house = House()
    watch = house.watch()
    watch.start(1.0)
    house.pass_by(watch, 0.1, used=0.1)
    house.now, house.used = house.now + 3600.0, 3000.0
    with pytest.raises(OverrunError):
        watch.check(1)


def test_clock_alone_counts_where_the_system_tells_no_more() -> None:
    house = House(used=None)
    watch = house.watch()
    watch.start(1.0)
    with pytest.raises(OverrunError):
        house.pass_by(watch, 1.2, used=0.0)


def test_processor_time_of_no_process_is_unknown() -> None:
    assert processor_seconds(-1) is None
    assert (processor_seconds(os.getpid()) or 0.0) > 0.0
