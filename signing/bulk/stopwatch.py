"""The time that one document takes its judge, as the parent measures it: processor time, and the clock where a process only waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from signing.verifying.grant import Grant

TICK = 0.05  # seconds between looks at a busy worker's clock
_LONGEST_GAP = 4 * TICK  # between two looks, as far as it counts: a parent that was kept busy elsewhere is not the document's fault


class OverrunError(Exception):
    """A document used up its time."""


class Stopwatch:
    """Runs for one document after the other; whoever holds it looks at it every tick."""

    def __init__(
        self, grant: Grant, *, clock: Callable[[], float] = time.monotonic, used: Callable[[int], float | None] | None = None
    ) -> None:
        self._grant, self._clock, self._processor = grant, clock, used or processor_seconds
        self.start(grant.most_seconds)

    def start(self, seconds: float) -> None:
        """For the next document, or for what comes next of the same one."""
        self._seconds: float = seconds
        self._looked = self._clock()
        self._elapsed = self._before = 0.0
        self._used: float | None = None  # asked for once it takes longer than a tick, as few documents do

    def check(self, pid: int) -> None:
        """Raises :class:`OverrunError` if process `pid` has taken longer than it was started for."""
        now = self._clock()
        self._elapsed += min(now - self._looked, _LONGEST_GAP)
        self._looked = now
        if self._elapsed < TICK:
            return
        used = self._processor(pid)
        if self._used is None:
            self._used, self._before = used, self._elapsed
        spent = self._elapsed if self._used is None or used is None else self._before + used - self._used
        if spent > self._seconds or self._elapsed > self._grant.wall_seconds(self._seconds):
            raise OverrunError(f"judging this document takes longer than the {self._seconds:.1f} s granted to it")


def processor_seconds(pid: int) -> float | None:
    """User and system time of a process; None where the system does not say (then the clock alone counts)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
