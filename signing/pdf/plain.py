"""Dictionaries as nearly every writer spells them, read as words between white space: half the steps that the lexer takes.

    read_plain(b"<</Size 8 /Root 1 0 R>>")

What octets mean is the lexer's business (:mod:`signing.pdf.lexer`), and what is read here is what it would read. Where that is not plain
to see (comments, escapes, strings with white space or brackets in them, signed numbers, keywords, anything that it refuses) the answer
is None, and the lexer is asked.
"""

from __future__ import annotations

import re
from binascii import a2b_hex

from signing.errors import LimitError, PdfError
from signing.pdf.lexer import dictionary, reference
from signing.pdf.limits import LIMITS, MAX_INTEGER_CHARACTERS
from signing.pdf.objects import Name, PdfObject, PdfString
from signing.pdf.strings import name

MAX_PLAIN = 4_096  # octets of a dictionary; in a signature's as many before and after /Contents
MAX_DIGITS = 128 * 1_024  # of /Contents
_APART = ((b"<<", b" << "), (b">>", b" >> "), (b"[", b" [ "), (b"]", b" ] "), (b"/", b" /"))
_OPENED = {b">>": b"<<", b"]": b"["}
_OPENING = frozenset(_OPENED.values())
_SLASH, _LESS, _GREATER = b"/<>"
_NAME = re.compile(rb"/[^\x00()<>{}%#]*")  # white space, brackets and slashes are where it ends
_STRING = re.compile(rb"\(([^()\\]*)\)")
_REAL = re.compile(rb"[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30}")
_NAMES: dict[bytes, Name] = {}  # as they are spelled; documents use a few hundred, over and over
MAX_NAMES = 4_096
_CONTENTS, _CLOSE = b"/Contents", b"endobj"


def read_plain(octets: bytes) -> dict[str, PdfObject] | None:
    """The dictionary that `octets` are but for white space around it, read within `LIMITS`; None where it is not plain to see."""
    words = _words(octets)
    return None if words is None else _assembled(words)


def read_plain_signature(data: bytes, start: int) -> tuple[dict[str, PdfObject], int, tuple[int, int]] | None:
    """Of a signature dictionary from after its `N G obj`: itself, the offset after its `endobj`, and where the digits of /Contents stand.

    None where it is not plain to see.
    """
    key = data.find(_CONTENTS, start, start + MAX_PLAIN)
    opening = data.find(b"<", key, key + len(_CONTENTS) + 2)
    closing = data.find(b">", opening, opening + MAX_DIGITS) + 1
    close = data.find(_CLOSE, closing, closing + MAX_PLAIN)
    end = close + len(_CLOSE)
    if key < 0 or opening < 0 or not closing or close < 0 or data[end : end + 1] not in (b"\n", b"\r"):
        return None
    before, after = _words(data[start:opening]), _words(data[closing:close])
    # named but once, so that it is the dictionary's own and not that of one inside
    if before is None or after is None or before[-1] != _CONTENTS or (before + after).count(_CONTENTS) != 1:
        return None
    found = _assembled([*before, b"<>", *after])
    if found is None or "Contents" not in found:
        return None
    try:
        found["Contents"] = PdfString(a2b_hex(data[opening + 1 : closing - 1]))
    except ValueError:
        return None
    return found, end, (opening, closing)


def _words(octets: bytes) -> list[bytes] | None:
    if b"\v" in octets:  # white space to Python, and none in a PDF
        return None
    for delimiter, apart in _APART:
        octets = octets.replace(delimiter, apart)
    return octets.split()


def _assembled(words: list[bytes]) -> dict[str, PdfObject] | None:
    """The dictionary whose tokens are `words`; None where one of them is no token, or it takes more to tell what it is."""
    try:
        items = _items(words)
    except (PdfError, ValueError, IndexError):
        return None
    return items[0] if len(items) == 1 and isinstance(items[0], dict) else None


def _items(words: list[bytes]) -> list[PdfObject]:
    around: list[tuple[bytes, list[PdfObject]]] = []  # each open array and dictionary: how it opens, and what it stands in
    items: list[PdfObject] = []
    value: PdfObject
    for word, value in zip(words, map(_NAMES.get, words), strict=True):
        if value is not None:
            items.append(value)
        elif word.isdigit() and len(word) <= MAX_INTEGER_CHARACTERS:
            items.append(int(word))
        elif word[0] == _SLASH:
            items.append(_name(word))
        elif word == b"R":
            generation, number = items.pop(), items.pop()
            items.append(reference(number, generation, 0))
        elif word in _OPENING:
            if len(around) == LIMITS.depth:
                raise LimitError("deeper than what is plain")
            around.append((word, items))
            items = []
        elif word in _OPENED:
            opening, outer = around.pop()
            if opening != _OPENED[word]:
                raise PdfError("crossed")
            outer.append(items if word == b"]" else dictionary(items, 0))
            items = outer
        else:
            items.append(_string_or_real(word))
    if around:
        raise PdfError("not closed")
    return items


def _name(word: bytes) -> Name:
    if not _NAME.fullmatch(word):
        raise PdfError("not a plain name")
    found = name(word)
    if len(_NAMES) == MAX_NAMES:
        _NAMES.clear()
    _NAMES[word] = found
    return found


def _string_or_real(word: bytes) -> PdfObject:
    if word[0] == _LESS and word[-1] == _GREATER:
        return PdfString(a2b_hex(word[1:-1]))
    if literal := _STRING.fullmatch(word):
        return PdfString(literal[1])
    if _REAL.fullmatch(word):
        return float(word)
    raise PdfError("not a plain token")
