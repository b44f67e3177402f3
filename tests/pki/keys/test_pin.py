from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import WrongSecretError
from pki.keys.pin import ALPHABET, RANDOM_SYMBOLS, WeakPinError, blocked_pins, new_activation_code, new_pin, read_activation_code

HOLDER = ("Nguyễn Thị Hoa", "001185000001")


def choose(text: str) -> str:
    return new_pin(text, blocked=blocked_pins(), personal=HOLDER).text


@pytest.mark.parametrize("text", ["47382910", "con mèo béo 7", "hue-ngoc-lan", "0912-7463", "x" * 4 + "yzab9k"])
def test_a_pin_that_nobody_would_guess_is_taken_as_typed(text: str) -> None:
    assert choose(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4738291", "has 7 characters, expected 8 to 128"),
        ("4738" * 40, "has 160 characters"),
        ("11112222", "2 different characters, expected at least 4"),
        ("12345678", "a run or a repetition"),
        ("87654321", "a run or a repetition"),
        ("78901234", "a run or a repetition"),
        ("abcdefgh", "a run or a repetition"),
        ("47294729", "a run or a repetition"),
        ("20051990", "is a date"),
        ("05201990", "is a date"),
        ("19900520", "is a date"),
        ("20/05/1990", "is a date"),
        ("20 05 1990", "is a date"),
        ("matkhau123", "among those tried first"),
        ("Mật Khẩu 1", "among those tried first"),
        ("Password!", "among those tried first"),
        ("Teacher!2024", "among those tried first"),
        ("!qwertyuiop!", "among those tried first"),
        ("5201314520", "among those tried first"),
        ("nguyenthihoa", "contains a name or code of its holder"),
        ("NguyenThiHoa#9", "contains a name or code of its holder"),
        ("85000001", "contains a name or code of its holder"),
    ],
)
def test_a_pin_that_is_guessed_early_is_refused(text: str, message: str) -> None:
    with pytest.raises(WeakPinError, match=message):
        choose(text)


def test_the_message_does_not_show_the_pin() -> None:
    with pytest.raises(WeakPinError) as caught:
        choose("matkhau123")
    assert "matkhau" not in str(caught.value)


def test_a_pin_and_a_code_do_not_show_in_their_repr() -> None:
    code = new_activation_code()
    assert "47382910" not in repr(new_pin("47382910", blocked=frozenset()))
    assert code.text not in repr(code)


@settings(derandomize=True, deadline=None, database=None)
@given(text=st.text(max_size=200))
def test_any_text_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(WeakPinError):
        assert choose(text) == text


def test_the_block_list_is_compact_and_folded() -> None:
    words = blocked_pins()
    assert 200 < len(words) < 2000
    assert "matkhau" in words
    assert not [word for word in words if word != word.casefold()]


def test_a_code_is_in_four_groups_of_unambiguous_symbols() -> None:
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}", new_activation_code().text)


def test_a_code_holds_at_least_80_random_bits() -> None:
    assert RANDOM_SYMBOLS * (len(ALPHABET).bit_length() - 1) >= 80


def test_codes_do_not_repeat() -> None:
    assert len({new_activation_code().text for _ in range(1000)}) == 1000


def test_a_code_is_read_as_people_type_it() -> None:
    code = new_activation_code()
    typed = f" {code.text.lower().replace('-', ' ')} ".replace("0", "o").replace("1", "l")
    assert read_activation_code(typed) == code


@pytest.mark.parametrize("text", ["", "7K3MX", "U" * 20, "7K3MX-Q9WDF-2A8ZR-NP4T!", "A" * 10_000])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(WrongSecretError, match="activation code: expected 20 letters and digits"):
        read_activation_code(text)


def test_most_mistypings_are_found_before_any_derivation() -> None:
    found = 0
    for _ in range(300):
        text = new_activation_code().text
        mistyped = ("A" if text[0] != "A" else "B") + text[1:]
        try:
            read_activation_code(mistyped)
        except WrongSecretError as exc:
            assert "mistyped" in str(exc)  # noqa: PT017
            found += 1
    assert found > 270  # 31 of 32 on average
