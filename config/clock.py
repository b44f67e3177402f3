"""The clocks of a house: the machine's, and the one that time stamps are made by."""

from __future__ import annotations

import shlex
import time
from datetime import UTC, datetime

from certs.loader import load
from config.errors import SettingsError
from pki.ports import Clock
from pki.status.clock_checks import CommandCheck, KernelCheck
from pki.status.clock_trust import ClockCheck, ClockPolicy, TrustedClock

NONE, KERNEL, COMMAND = "none", "kernel", "command:"


def utc_now() -> datetime:
    """The wall clock: the only one outside tests."""
    return datetime.now(UTC)


def clock_policy() -> ClockPolicy:
    """What `certs/time/stamping.toml` says."""
    return ClockPolicy.from_mapping(load("time", "stamping"))


def stamping_clock(clock: Clock, policy: ClockPolicy, check: str | None) -> Clock:
    """The clock of the time-stamp authority: `clock`, as long as it can be trusted. Raises :class:`config.errors.SettingsError`.

    The wall clock is held against the machine's monotonic clock; one that a test moves by hand is not.
    """
    found = _check(check or NONE, policy)
    if clock is utc_now:
        return TrustedClock(clock, monotonic=time.monotonic, policy=policy, check=found)
    return clock


def _check(text: str, policy: ClockPolicy) -> ClockCheck | None:
    if text == NONE:
        return None
    if text == KERNEL:
        return KernelCheck(max_error=policy.max_error)
    try:
        words = shlex.split(text.removeprefix(COMMAND)) if text.startswith(COMMAND) else []
    except ValueError:
        words = []
    if not words:
        raise SettingsError(f"EDUSEAL_CLOCK_CHECK is {text[:60]!r}, expected none, kernel, or command: and a command")
    return CommandCheck(words)
