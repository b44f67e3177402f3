"""The memory that one document may take: address space on top of what its process has, bounded by the kernel.

Linux only; elsewhere there is no bound.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def grant_memory(octets: int) -> None:
    """Address space for one document: `octets` more than the process has now."""
    taken = _address_space()
    if taken is not None:
        _limit(taken + octets)


def lift_limit() -> None:
    _limit(None)


@contextmanager
def unaccounted() -> Iterator[None]:
    """What is taken meanwhile comes on top of what was granted."""
    granted, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = _address_space()
    lift_limit()
    try:
        yield
    finally:
        after = _address_space()
        if granted != hard and before is not None and after is not None:
            _limit(granted + max(0, after - before))


def _limit(octets: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard if octets is None else octets, hard))


def _address_space() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return None
