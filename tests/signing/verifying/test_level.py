"""PAdES levels: each needs all below it."""

from __future__ import annotations

import pytest

from signing.verifying.level import LevelFacts, baseline_level


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (LevelFacts(True, False, False, False), "PAdES-BASELINE-B"),
        (LevelFacts(True, True, False, False), "PAdES-BASELINE-T"),
        (LevelFacts(True, True, True, False), "PAdES-BASELINE-LT"),
        (LevelFacts(True, True, True, True), "PAdES-BASELINE-LTA"),
        (LevelFacts(True, True, False, True), "PAdES-BASELINE-T"),
        (LevelFacts(True, False, True, True), "PAdES-BASELINE-B"),
        (LevelFacts(False, True, True, True), None),
    ],
)
def test_level_stops_at_the_first_fact_that_is_missing(facts: LevelFacts, level: str | None) -> None:
    assert baseline_level(facts) == level
