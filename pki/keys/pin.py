"""Secrets that people hold: the PIN that they choose, and the one-time activation code that they receive.

pin = new_pin("con mèo béo 7", personal=("Nguyễn Thị Hoa", "001185000001"), blocked=blocked_pins())
code = new_activation_code()            # print(code.text): "7K3MX-Q9WDF-2A8ZR-NP4TC"
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise

from pki.errors import PkiError, WrongSecretError

MIN_PIN = 8  # characters; docs/cps.md 6.2
MAX_PIN = 128  # characters; bounds work
MIN_DISTINCT = 4  # different characters

# Crockford's base 32: no I, L, O, U
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_SYMBOLS = 19  # of 5 bits: 95 bits
CODE_SYMBOLS = RANDOM_SYMBOLS + 1  # the last one checks the others
GROUP = 5

_AROUND = "0123456789!@#$%^&*.,-_?+="  # what people put around a word to please a rule
_LOOK_ALIKE = str.maketrans("OIL", "011")
_EIGHT_DIGITS = re.compile(r"(\d\d)[./-]?(\d\d)[./-]?(\d\d)[./-]?(\d\d)")


class WeakPinError(PkiError):
    """A PIN that is not accepted; the message says why and never shows it."""


@dataclass(frozen=True)
class Pin:
    """What a person types to sign. Made by :func:`new_pin` where it is chosen, directly where it is entered."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class ActivationCode:
    """A code that opens a key once, to put it under a PIN. `text` is in groups, as printed."""

    text: str = field(repr=False)


def new_pin(text: str, *, blocked: frozenset[str], personal: Iterable[str] = ()) -> Pin:
    """A PIN that a person chooses; raises :class:`WeakPinError`.

    `blocked` is :func:`blocked_pins`; `personal` are name, personal code and the like, which must not be the PIN nor most of it.
    """
    if not MIN_PIN <= len(text) <= MAX_PIN:
        raise WeakPinError(f"the PIN has {len(text)} characters, expected {MIN_PIN} to {MAX_PIN}")
    plain = _plain(text)
    if len(set(plain)) < MIN_DISTINCT:
        raise WeakPinError(f"the PIN uses {len(set(plain))} different characters, expected at least {MIN_DISTINCT}")
    if _is_run(plain) or _repeats(plain):
        raise WeakPinError("the PIN is a run or a repetition, such as 12345678 or abcdabcd; choose another")
    if _is_date(plain):
        raise WeakPinError("the PIN is a date; choose another")
    if plain in blocked or plain.strip(_AROUND) in blocked:
        raise WeakPinError("the PIN is among those tried first by anybody who guesses; choose another")
    if any(_overlaps(plain, _plain(item)) for item in personal):
        raise WeakPinError("the PIN contains a name or code of its holder; choose another")
    return Pin(text)


@cache
def blocked_pins() -> frozenset[str]:
    """The block list: the file `blocked_pins.txt` beside this module, in the plain form that PINs are compared in."""
    lines = files("pki.keys").joinpath("blocked_pins.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_plain(word) for line in lines if not line.startswith("#") for word in line.split())


def new_activation_code() -> ActivationCode:
    """95 random bits and a check symbol, in four groups of five."""
    # 32 symbols divide the 256 values of an octet evenly
    symbols = "".join(ALPHABET[octet % len(ALPHABET)] for octet in secrets.token_bytes(RANDOM_SYMBOLS))
    return _grouped(symbols + _check_symbol(symbols))


def read_activation_code(text: str, *, what: str = "activation code") -> ActivationCode:
    """A code as a person types it: any case, with or without hyphens, O for 0, I or L for 1. `what` is what messages call it.

    Raises :class:`pki.errors.WrongSecretError` where it cannot be a code; 31 of 32 mistypings are found by the check symbol.
    """
    symbols = re.sub(r"[\s-]", "", text[: 4 * CODE_SYMBOLS]).upper().translate(_LOOK_ALIKE)
    if len(symbols) != CODE_SYMBOLS or not set(symbols) <= set(ALPHABET):
        raise WrongSecretError(f"{what}: expected {CODE_SYMBOLS} letters and digits in groups of {GROUP}, as printed")
    if _check_symbol(symbols[:-1]) != symbols[-1]:
        raise WrongSecretError(f"{what}: mistyped; compare it with the printed one")
    return _grouped(symbols)


def _grouped(symbols: str) -> ActivationCode:
    return ActivationCode("-".join(symbols[i : i + GROUP] for i in range(0, CODE_SYMBOLS, GROUP)))


def _check_symbol(symbols: str) -> str:
    return ALPHABET[hashlib.sha256(symbols.encode()).digest()[0] % len(ALPHABET)]


def _plain(text: str) -> str:
    """Folded for comparison: no case, no diacritics, đ as d, no spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(character for character in decomposed if not unicodedata.combining(character) and not character.isspace())


def _is_run(plain: str) -> bool:
    """Each character follows the one before, upwards or downwards; 0 after 9."""
    steps = {ord(b) - ord(a) for a, b in pairwise(plain) if (a, b) not in (("9", "0"), ("0", "9"))}
    return steps <= {1} or steps <= {-1}


def _repeats(plain: str) -> bool:
    """A unit of up to half its length, over and over: found where the text occurs in itself doubled, off its start."""
    return plain in (plain + plain)[1:-1]


def _is_date(plain: str) -> bool:
    """Eight digits, separated or not, that are a day of 1900-2099 in one of the three orders that people write."""
    match = _EIGHT_DIGITS.fullmatch(plain)
    if match is None:
        return False
    digits = "".join(match.groups())
    orders = ((digits[4:], digits[2:4], digits[:2]), (digits[4:], digits[:2], digits[2:4]), (digits[:4], digits[4:6], digits[6:]))
    return any(_is_day(int(year), int(month), int(day)) for year, month, day in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return 1900 <= date(year, month, day).year <= 2099
    except ValueError:
        return False


def _overlaps(plain: str, item: str) -> bool:
    return len(item) >= MIN_DISTINCT and (item in plain or plain in item)
