"""The corpus leaves no class of attack out, and its table says what is there."""

from __future__ import annotations

import pytest

from tests.corpus import all_cases
from tests.corpus.classes import CLASSES, README, table

WITH_HONEST_SIBLING = (16, 18, 19, 22, 23, 24, 29, 30, 31, 32, 33, 34, 35, 39, 40, 41)


@pytest.mark.parametrize("number", range(1, 45))
def test_class_of_attack_has_a_case(number: int) -> None:
    assert number in CLASSES
    assert [case.id for case in all_cases() if case.attack_class == number and not case.honest]


@pytest.mark.parametrize("number", WITH_HONEST_SIBLING)
def test_class_has_an_honest_sibling_that_passes(number: int) -> None:
    assert [case.id for case in all_cases() if case.attack_class == number and case.honest]


def test_identifier_begins_with_the_class() -> None:
    assert [case.id for case in all_cases() if not case.id.startswith(f"{case.attack_class:02}-")] == []


def test_case_says_why_and_by_which_clause() -> None:
    assert [case.id for case in all_cases() if not case.reason or not case.clause] == []


def test_table_in_the_readme_is_that_of_the_register() -> None:
    assert README.read_text(encoding="utf-8") == table(), "run: python -m tests.corpus.classes"
