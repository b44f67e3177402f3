"""Attack cases, each with its class (`domain.md`), clause, reason, expected verdict, and the code that builds it from a sound file.

>>> from tests.corpus import all_cases
>>> len({case.id for case in all_cases()}) == len(all_cases())
True
"""

from __future__ import annotations

from tests.corpus import (
    build_accepted,
    build_bombs,
    build_byte_range,
    build_certified,
    build_chains,
    build_cms,
    build_revocation,
    build_signers,
    build_structures,
    build_time_stamps,
    build_unsigned,
    build_updates,
)
from tests.corpus.case import CASES, Case, Expected, GoodFiles

__all__ = ["Case", "Expected", "GoodFiles", "all_cases"]

_BUILDERS = (  # importing them fills the register
    *(build_accepted, build_bombs, build_byte_range, build_certified, build_chains, build_cms, build_revocation),
    *(build_signers, build_structures, build_time_stamps, build_unsigned, build_updates),
)


def all_cases() -> list[Case]:
    """Every case, in the order of its identifier."""
    return sorted(CASES.values(), key=lambda case: case.id)
