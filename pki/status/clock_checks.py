"""What may vouch for the machine's clock: a command, or the kernel, which a time daemon tells how well its clock is set.

Each is a :data:`pki.status.clock_trust.ClockCheck`: called, it raises :class:`pki.status.timestamp.TimeNotAvailableError` where the time is
not known well enough.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pki.status.timestamp import TimeNotAvailableError

COMMAND_SECONDS = 5.0  # that a check's command may take


class CommandCheck:
    """A check that is a command, such as `chronyc waitsync 1 0.5`: the time is known well enough where its exit status is 0."""

    def __init__(self, command: Sequence[str], *, timeout: float = COMMAND_SECONDS) -> None:
        self._command = tuple(command)
        self._timeout = timeout

    def __call__(self) -> None:
        quiet = subprocess.DEVNULL
        try:
            # the operator's own words, split and not given to a shell
            done = subprocess.run(self._command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=self._timeout, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise TimeNotAvailableError(f"the clock check {self._command[0]} took more than {self._timeout:g} s") from None
        except OSError as exc:
            raise TimeNotAvailableError(f"the clock check {self._command[0]} cannot be run: {exc.strerror}") from exc
        if done.returncode != 0:
            raise TimeNotAvailableError(f"the clock check {self._command[0]} ended with status {done.returncode}, expected 0")


@dataclass(frozen=True)
class KernelTime:
    """What the kernel says of its clock (adjtimex(2)). `max_error` is the bound that the time daemon keeps up to date."""

    synchronised: bool
    max_error: timedelta


class KernelCheck:
    """A check that asks the kernel, which a time daemon (chrony, ntpd, systemd-timesyncd) tells how well its clock is set. Linux only."""

    def __init__(self, *, max_error: timedelta, read: Callable[[], KernelTime] | None = None) -> None:
        self._max_error = max_error
        self._read = read or kernel_time

    def __call__(self) -> None:
        found = self._read()
        if not found.synchronised:
            raise TimeNotAvailableError("the kernel's clock is not synchronised")
        if found.max_error > self._max_error:
            raise TimeNotAvailableError(
                f"the kernel's clock may be off by {found.max_error.total_seconds():.3g} s,"
                f" expected at most {self._max_error.total_seconds():.3g} s"
            )


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    )


_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


def kernel_time() -> KernelTime:
    """Asks adjtimex(2), changing nothing. Raises :class:`pki.status.timestamp.TimeNotAvailableError` where the system has no such call."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (AttributeError, OSError):
        raise TimeNotAvailableError("this system's kernel does not say how well its clock is set; configure another check") from None
    if state < 0:
        raise TimeNotAvailableError(f"the kernel does not say how well its clock is set: {os.strerror(ctypes.get_errno())}")
    synchronised = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return KernelTime(synchronised=synchronised, max_error=timedelta(microseconds=timex.maxerror))
