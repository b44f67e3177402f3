from __future__ import annotations

import string

import pytest

from api.pages.answer import STATES, TONES
from api.pages.outcome import Outcome, State
from api.pages.words import LANGUAGES, choose, words_of
from signing.verdict import Indication


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["vi", "zh"])
def test_every_language_says_everything_with_the_same_values(language: str) -> None:
    english, other = words_of("en"), words_of(language)
    assert other.keys == english.keys
    assert {key: placeholders(other(key)) for key in other.keys} == {key: placeholders(english(key)) for key in english.keys}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_has_words_a_tone_and_an_action(language: str) -> None:
    words = words_of(language)
    for outcome in Outcome:
        assert outcome in TONES
        assert all(words(f"outcome.{outcome}.{part}") for part in ("title", "text", "action"))
    for state in State:
        assert state in STATES
        assert all(words(f"check.{name}.{state}") for name in ("integrity", "chain", "revocation", "timestamp", "entitlement", "coverage"))
    assert all(f"indication.{indication}" in words for indication in Indication if indication is not Indication.NO_SIGNATURE)


@pytest.mark.parametrize(
    ("asked", "header", "expected"),
    [
        ("zh", "en", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr, zh-TW;q=0.8, en;q=0.9", "en"),
        (None, "zh;q=0.1, fr;q=x, en;q=0", "zh"),
        ("xx", None, "vi"),
        (None, "", "vi"),
        (None, ";q=,,;;;q", "vi"),
        (None, "en" * 10_000, "vi"),
    ],
)
def test_the_language_asked_for_wins_then_the_browsers_then_vietnamese(asked: str | None, header: str | None, expected: str) -> None:
    assert choose(asked, header).language == expected
