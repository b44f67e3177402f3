"""A clock that says when it is not to be trusted: what a time-stamp authority puts between the machine's clock and its tokens.

The wall clock is held against the monotonic clock of the machine, which nobody can set: where the two part, somebody or something moved the
time. (A clock that is slewed by a time daemon takes the monotonic one with it.) Beside it stands a configured check, a callable that raises
where the time is not known well enough (:mod:`pki.status.clock_checks`). And no two readings ever run backwards.

    clock = TrustedClock(utc_now, monotonic=time.monotonic, policy=policy, check=KernelCheck(max_error=policy.max_error))
    clock()                                          # an aware UTC time, or TimeNotAvailableError
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pki.errors import PkiError
from pki.ports import Clock
from pki.status.timestamp import TimeNotAvailableError

ClockCheck = Callable[[], None]
"""Raises :class:`pki.status.timestamp.TimeNotAvailableError` where the time is not known well enough."""

Monotonic = Callable[[], float]
"""Seconds on a clock that only runs forward, such as :func:`time.monotonic`."""

READINGS = 5  # tries to read both clocks without being put aside between them


@dataclass(frozen=True)
class ClockPolicy:
    """`accuracy` is what tokens state; the rest is as `certs/time/stamping.toml` explains."""

    accuracy: timedelta
    max_step: timedelta
    max_error: timedelta
    check_every: timedelta
    quiet: timedelta

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> ClockPolicy:
        """Of the parsed TOML; raises :class:`pki.errors.PkiError`."""
        names = ("accuracy", "max_step", "max_error", "check_every", "quiet")
        if set(data) != {f"{name}_seconds" for name in names}:
            raise PkiError(f"clock policy: expected {', '.join(f'{name}_seconds' for name in names)}, got {', '.join(sorted(data))}")
        values = {name: data[f"{name}_seconds"] for name in names}
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise PkiError(f"clock policy: {name}_seconds is {value!r}, expected a positive number")
        policy = cls(**{name: timedelta(seconds=value) for name, value in values.items()})
        if policy.accuracy < timedelta(seconds=1) + max(policy.max_step, policy.max_error):
            raise PkiError("clock policy: accuracy_seconds must cover a second that is cut off, and max_step_seconds or max_error_seconds")
        return policy


@dataclass(frozen=True)
class _Anchor:
    """One moment on both clocks."""

    wall: datetime
    ticks: float


class TrustedClock:
    """A :data:`pki.ports.Clock` that raises :class:`pki.status.timestamp.TimeNotAvailableError` where the time is not to be trusted:

    1. it moved by more than `policy.max_step` against the monotonic clock since the last reading that was trusted;
    2. `check` raises, or raised when it was last asked, at most `policy.check_every` ago;
    3. it lies before a time that was given out.

    After a jump it is trusted again once it ran evenly for `policy.quiet` and `check` agrees; without a check, never in this process.
    """

    def __init__(self, clock: Clock, *, monotonic: Monotonic, policy: ClockPolicy, check: ClockCheck | None = None) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._policy = policy
        self._step, self._check_every = policy.max_step.total_seconds(), policy.check_every.total_seconds()
        self._check = check
        self._lock = threading.Lock()
        self._anchor: _Anchor | None = None
        self._jumped: tuple[float, timedelta] | None = None
        self._checked: float | None = None
        self._failure: str | None = None
        self._last: datetime | None = None

    def __call__(self) -> datetime:
        with self._lock:
            now, ticks = self._reading()
            self._require_checked(ticks)
            self._require_settled(ticks)
            if self._last is not None and now < self._last:
                raise TimeNotAvailableError(f"the clock is {_seconds(self._last - now)} behind a time that it gave before")
            self._last = now
            return now

    def _reading(self) -> tuple[datetime, float]:
        """The time on both clocks. Notes a jump, which no two readings of the clocks one after the other could explain."""
        for _ in range(READINGS):
            before, now, after = self._monotonic(), self._clock(), self._monotonic()
            if after - before < self._step / 2:
                break
        if self._anchor is None:
            self._anchor = _Anchor(now, after)
        went = (now - self._anchor.wall).total_seconds()
        least, most = went - (after - self._anchor.ticks), went - (before - self._anchor.ticks)
        if least > self._step or most < -self._step:
            self._jumped = (after, timedelta(seconds=least if least > 0 else most))
            self._anchor = _Anchor(now, after)
            self._checked = None  # what the check said of the time before says nothing of this one
        return now, after

    def _require_checked(self, ticks: float) -> None:
        if self._check is None:
            return
        if self._checked is None or ticks - self._checked >= self._check_every:
            try:
                self._check()
                self._failure = None
            except TimeNotAvailableError as exc:
                self._failure = str(exc)
            self._checked = ticks
        if self._failure is not None:
            raise TimeNotAvailableError(self._failure)

    def _require_settled(self, ticks: float) -> None:
        if self._jumped is None:
            return
        at, by = self._jumped
        ago = timedelta(seconds=ticks - at)
        if self._check is None or ago < self._policy.quiet:
            way = "forward" if by > timedelta(0) else "back"
            then = "restart the service once it is right" if self._check is None else f"it is watched for {_seconds(self._policy.quiet)}"
            raise TimeNotAvailableError(f"the clock jumped {way} by {_seconds(abs(by))}; {then}")
        self._jumped = None


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.3g} s"
