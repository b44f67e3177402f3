"""A clock that jumps, or that nobody vouches for, stamps nothing."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import tsp

from certs.loader import load
from pki.errors import PkiError
from pki.status.clock_checks import CommandCheck, KernelCheck, KernelTime, kernel_time
from pki.status.clock_trust import ClockCheck, ClockPolicy, TrustedClock
from pki.status.timestamp import FailureInfo, TimeNotAvailableError, TimeStampRefusedError, rejection
from tests.support.status_house import NOW, House

POLICY = ClockPolicy.from_mapping(load("time", "stamping"))
JUMPED = "the clock jumped {way} by {by}; restart the service once it is right"


class Machine:
    """Both clocks of a machine, and a check; time passes when told."""

    def __init__(self, *, start: datetime = NOW) -> None:
        self.wall = start
        self.ticks = 1000.0
        self.problem: str | None = None
        self.checks = 0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def check(self) -> None:
        self.checks += 1
        if self.problem is not None:
            raise TimeNotAvailableError(self.problem)

    def clock(self, check: ClockCheck | None = None) -> TrustedClock:
        return TrustedClock(lambda: self.wall, monotonic=lambda: self.ticks, policy=POLICY, check=check)


def test_an_even_clock_is_trusted() -> None:
    machine = Machine()
    clock = machine.clock(machine.check)
    for seconds in (0, 0.001, 5, 3600, 86400 * 300):
        machine.passes(seconds)
        assert clock() == machine.wall


@pytest.mark.parametrize(
    ("by", "way", "told"), [(0.6, "forward", "0.6 s"), (3600, "forward", "3.6e+03 s"), (-0.6, "back", "0.6 s"), (-1e6, "back", "1e+06 s")]
)
def test_a_clock_that_jumped_is_not_trusted_again_in_this_process(by: float, way: str, told: str) -> None:
    machine = Machine()
    clock = machine.clock()
    clock()
    machine.passes(10)
    machine.wall += timedelta(seconds=by)
    for _ in range(3):
        with pytest.raises(TimeNotAvailableError) as refused:
            clock()
        assert str(refused.value) == JUMPED.format(way=way, by=told)
        machine.passes(86_400)


def test_a_jump_within_the_tolerance_is_no_jump() -> None:
    machine = Machine()
    clock = machine.clock()
    clock()
    machine.wall += timedelta(seconds=0.4)
    assert clock() == machine.wall


def test_many_small_steps_are_a_jump() -> None:
    machine = Machine()
    clock = machine.clock()
    clock()
    for _ in range(5):
        machine.wall += timedelta(seconds=0.1)
        clock()
    machine.wall += timedelta(seconds=0.1)
    with pytest.raises(TimeNotAvailableError, match="jumped forward"):
        clock()


def test_a_reading_that_was_interrupted_is_no_jump() -> None:
    """The process was put aside between the two clocks, on a busy machine."""
    machine = Machine()
    naps = iter([0.0, 30.0] * 5)

    def slow_wall() -> datetime:
        machine.passes(next(naps, 0.0))
        return machine.wall

    clock = TrustedClock(slow_wall, monotonic=lambda: machine.ticks, policy=POLICY)
    for _ in range(4):
        machine.passes(1)
        assert clock() == machine.wall


def test_after_a_jump_an_even_minute_and_the_checks_word_bring_trust_back() -> None:
    machine = Machine()
    clock = machine.clock(machine.check)
    clock()
    machine.wall += timedelta(hours=1)
    with pytest.raises(TimeNotAvailableError, match=r"jumped forward by 3.6e\+03 s; it is watched for 60 s"):
        clock()
    machine.passes(59)
    with pytest.raises(TimeNotAvailableError, match="it is watched for 60 s"):
        clock()
    machine.passes(1)
    machine.problem = "unsynchronised"
    machine.passes(10)
    with pytest.raises(TimeNotAvailableError, match="unsynchronised"):
        clock()
    machine.problem = None
    machine.passes(10)
    assert clock() == machine.wall


def test_a_second_jump_begins_the_watch_anew() -> None:
    machine = Machine()
    clock = machine.clock(machine.check)
    clock()
    for _ in range(3):
        machine.wall += timedelta(seconds=30)
        machine.passes(50)
        with pytest.raises(TimeNotAvailableError, match="it is watched"):
            clock()


def test_a_time_before_one_that_was_given_is_never_given() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(1)
    given = clock()
    machine.wall -= timedelta(seconds=0.3)
    with pytest.raises(TimeNotAvailableError, match=r"the clock is 0.3 s behind a time that it gave before"):
        clock()
    machine.passes(0.3)
    assert clock() == given


def test_a_clock_set_back_by_an_hour_stamps_nothing_until_it_has_caught_up() -> None:
    machine = Machine()
    clock = machine.clock(machine.check)
    given = clock()
    machine.wall -= timedelta(hours=1)
    with pytest.raises(TimeNotAvailableError, match="jumped back"):
        clock()
    machine.passes(1800)
    with pytest.raises(TimeNotAvailableError, match=r"the clock is 1.8e\+03 s behind"):
        clock()
    machine.passes(1800)
    assert clock() == given


def test_readings_from_many_threads_never_run_backwards() -> None:
    ticks, lock = [0], threading.Lock()

    def wall() -> datetime:
        with lock:
            ticks[0] += 1
            return NOW + timedelta(microseconds=ticks[0])

    clock = TrustedClock(wall, monotonic=lambda: ticks[0] / 1e6, policy=POLICY)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: clock(), range(2000)))
    assert len(set(found)) == 2000


def test_a_failed_check_refuses_and_is_asked_again_after_ten_seconds() -> None:
    machine = Machine()
    machine.problem = "nobody vouches"
    clock = machine.clock(machine.check)
    for _ in range(5):
        with pytest.raises(TimeNotAvailableError, match="nobody vouches"):
            clock()
    assert machine.checks == 1
    machine.problem = None
    machine.passes(10)
    assert clock() == machine.wall
    assert machine.checks == 2


def test_a_check_is_not_asked_for_every_stamp() -> None:
    machine = Machine()
    clock = machine.clock(machine.check)
    for _ in range(100):
        clock()
        machine.passes(0.3)
    assert machine.checks == 3


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["false"], "the clock check false ended with status 1, expected 0"),
        (["sleep", "30"], "the clock check sleep took more than 0.2 s"),
        (["/nowhere/check"], "the clock check /nowhere/check cannot be run: No such file or directory"),
    ],
)
def test_a_command_that_fails_hangs_or_is_missing_is_no_word(command: list[str], problem: str) -> None:
    with pytest.raises(TimeNotAvailableError) as refused:
        CommandCheck(command, timeout=0.2)()
    assert str(refused.value) == problem


def test_a_command_that_succeeds_is() -> None:
    CommandCheck(["true"])()


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (KernelTime(False, timedelta(0)), "the kernel's clock is not synchronised"),
        (KernelTime(True, timedelta(seconds=16)), "the kernel's clock may be off by 16 s, expected at most 0.5 s"),
    ],
)
def test_what_the_kernel_does_not_vouch_for_is_not_trusted(found: KernelTime, problem: str) -> None:
    with pytest.raises(TimeNotAvailableError) as refused:
        KernelCheck(max_error=POLICY.max_error, read=lambda: found)()
    assert str(refused.value) == problem


def test_a_kernel_that_is_well_set_is_trusted() -> None:
    KernelCheck(max_error=POLICY.max_error, read=lambda: KernelTime(True, timedelta(milliseconds=20)))()


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux's")
def test_this_kernel_can_be_asked() -> None:
    try:
        found = kernel_time()
    except TimeNotAvailableError:
        return  # a container may forbid the call; then nothing is stamped
    assert timedelta(0) <= found.max_error < timedelta(days=1)


def test_the_authority_answers_time_not_available(house: House) -> None:
    machine = Machine()
    tsa = house.tsa(clock=machine.clock())
    tsa.stamp(bytes(32))
    machine.wall += timedelta(minutes=5)
    with pytest.raises(TimeStampRefusedError, match="time stamp: the clock jumped forward by 300 s"):
        tsa.stamp(bytes(32))
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint}).dump()
    refused = "time stamp: the clock jumped forward by 300 s; restart the service once it is right"
    assert tsa.respond(request) == rejection(FailureInfo.TIME_NOT_AVAILABLE, refused)
    assert tsa.trouble() == refused


def test_an_authority_whose_clock_is_trusted_has_no_trouble(house: House) -> None:
    assert house.tsa(clock=Machine().clock()).trouble() is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"accuracy_seconds": 1}, "accuracy_seconds must cover a second that is cut off"),
        ({"quiet_seconds": 0}, "quiet_seconds is 0, expected a positive number"),
        ({"quiet_seconds": True}, "quiet_seconds is True, expected a positive number"),
        ({"quiet_seconds": "60"}, "quiet_seconds is '60', expected a positive number"),
        ({"quiet_seconds": float("inf")}, "quiet_seconds is inf, expected a positive number"),
        ({"more": 1}, "clock policy: expected accuracy_seconds, max_step_seconds, .* got .*more"),
    ],
)
def test_a_policy_that_promises_too_much_or_says_too_little_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(PkiError, match=problem):
        ClockPolicy.from_mapping({**load("time", "stamping"), **changes})


def test_times_are_utc() -> None:
    assert Machine(start=datetime(2030, 1, 1, tzinfo=UTC)).clock()().tzinfo is UTC
