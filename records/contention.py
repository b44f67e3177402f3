"""Several people move one record at the same moment: each move is made again on the record as it stands by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from records.errors import StaleRecordError
from signing.workflow import MAX_STEPS

ATTEMPTS = 2 * MAX_STEPS  # a stale move means that another was saved; a record has no more signers than steps

T = TypeVar("T")


def retried(move: Callable[[], T], *, attempts: int = ATTEMPTS) -> T:
    """What `move` returns, which loads the record, makes its change and saves it; begun anew where somebody else saved in between.

    Raises what `move` raises, and :class:`StaleRecordError` after so many attempts.
    """
    for _ in range(attempts - 1):
        try:
            return move()
        except StaleRecordError:
            continue
    return move()
