"""Attack cases, each with its class (`domain.md`), clause, reason, expected answer, and the code that builds it from a sound record.

>>> from tests.corpus import all_cases
>>> len({case.id for case in all_cases()}) == len(all_cases())
True
"""

from __future__ import annotations

from tests.corpus import build_bombs, build_byte_range, build_updates
from tests.corpus.case import CASES, Case, GoodFiles

__all__ = ["Case", "GoodFiles", "all_cases"]

_BUILDERS = (build_byte_range, build_updates, build_bombs)  # importing them fills the register


def all_cases() -> list[Case]:
    """Every case, in the order of its identifier."""
    return sorted(CASES.values(), key=lambda case: case.id)
