"""From octets to PDF objects (ISO 32000-2 clauses 7.2 and 7.3), without recursion and without repair.

    value, end = read_value(b"<< /Type /Sig >> endobj", 0)

What two readers might understand differently is refused with a :class:`PdfError`: a key twice in one dictionary, `#` not followed by two
hexadecimal digits, odd characters in a hexadecimal string, a stray keyword. A dictionary entry whose value is null counts as
absent (ISO 32000-2 7.3.7) and is left out.
"""

from __future__ import annotations

import re
from binascii import a2b_hex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from signing.errors import LimitError, PdfError
from signing.pdf.limits import (
    LIMITS,
    MAX_GENERATION,
    MAX_HEX,
    MAX_OBJECT_NUMBER,
    MAX_REAL_CHARACTERS,
    Limits,
)
from signing.pdf.objects import Name, PdfObject, PdfString, Ref
from signing.pdf.strings import integer, literal, name

WHITE = b"\x00\t\n\x0c\r "  # ISO 32000-2 table 1
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_SKIP = rb"(?:[\x00\t\n\x0c\r ]++|%[^\r\n]*+)*+"
_SKIP_SOME = rb"(?:[\x00\t\n\x0c\r ]++|%[^\r\n]*+)++"
_END = rb"(?!" + _REGULAR + rb")"

SKIP = re.compile(_SKIP)
_TOKEN = re.compile(
    _SKIP
    + rb"(?:(/"
    + _REGULAR
    + rb"*+)|(([0-9]{1,10}+) ([0-9]{1,5}+) R"
    + _END
    + rb")|([0-9]++)"
    + _END
    + rb"|([+-][0-9]++)"
    + _END
    + rb"|([+-]?(?:[0-9]++\.[0-9]*+|\.[0-9]++))"
    + _END
    + rb"|(<<)|(>>)|(\[)|(\])|<([^>]{0,%d}+)>|\(([^()\\\r]*+)\)|(\()|(" % MAX_HEX
    + _REGULAR
    + rb"++))"
)
NAME, REFERENCE, _NUMBER, _GENERATION, UNSIGNED, SIGNED, REAL = range(1, 8)
OPEN_DICT, CLOSE_DICT, OPEN_ARRAY, CLOSE_ARRAY, HEX, PLAIN, LITERAL, KEYWORD = range(8, 16)
# What most arrays are: numbers of moderate length with white space between them. Whatever else is in an array is read token by token.
_NUMBERS = re.compile(
    rb"((?:[\t\n\x0c\r ]*+(?:[+-]?[0-9]{1,19}+|[+-]?(?:[0-9]{1,30}+\.[0-9]{0,30}+|\.[0-9]{1,30}+))(?=[\t\n\x0c\r \]])){1,4096}+)"
    rb"[\t\n\x0c\r ]*+\]"
)
_REFERENCE_TAIL = re.compile(_SKIP_SOME + rb"([0-9]++)" + _SKIP_SOME + rb"R" + _END)
_OPENING, _CLOSING = frozenset({OPEN_DICT, OPEN_ARRAY}), frozenset({CLOSE_DICT, CLOSE_ARRAY})
_new_reference = partial(tuple.__new__, Ref)  # half the time of the constructor, for thousands of references
_CONSTANTS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}


@dataclass(slots=True)
class _Frame:
    """An open array or dictionary, and what has been read of it."""

    is_dict: bool
    start: int
    items: list[PdfObject]


def read_value(
    data: bytes,
    position: int,
    *,
    limits: Limits = LIMITS,
    entry_spans: dict[str, tuple[int, int]] | None = None,
) -> tuple[PdfObject, int]:
    """The object at `position` (white space and comments before it are skipped) and the offset just after it.

    `entry_spans`, where given, receives for a dictionary the offsets (start, exclusive end) of each entry's value.
    Raises :class:`PdfError`, :class:`LimitError`.
    """
    frames: list[_Frame] = []
    spans: list[tuple[int, int]] | None = None if entry_spans is None else []  # of what the outermost array or dictionary holds
    plain = 0  # unsigned integers standing directly before this token
    nulls = False
    left = limits.tokens
    while left > 0:
        left -= 1
        match = _TOKEN.match(data, position)
        if match is None:
            raise PdfError(f"no PDF object at offset {position}")
        kind = match.lastindex or 0
        start, position = match.span(kind)
        value: PdfObject
        if kind == NAME:
            value = name(match[NAME])
        elif kind == REFERENCE:
            value = reference(int(match[_NUMBER]), int(match[_GENERATION]), start)
        elif UNSIGNED <= kind <= SIGNED:
            value = integer(match[kind], start)
        elif kind in _OPENING:
            if len(frames) >= limits.depth:
                raise LimitError(f"objects nest deeper than {limits.depth} levels at offset {start}")
            numbers = _NUMBERS.match(data, position) if kind == OPEN_ARRAY else None
            if numbers is None:
                frames.append(_Frame(kind == OPEN_DICT, start, []))
                plain = 0
                continue
            value, position = _numbers(numbers[1]), numbers.end()
            left -= len(value)
        elif kind in _CLOSING:
            if not frames or frames[-1].is_dict != (kind == CLOSE_DICT):
                raise PdfError(f"unexpected {match[kind].decode()} at offset {start}")
            frame = frames.pop()
            start = frame.start
            value = dictionary(frame.items, start, nulls=nulls) if frame.is_dict else frame.items
            if not frames and entry_spans is not None and spans is not None and frame.is_dict:
                entry_spans.update(zip(map(str, frame.items[::2]), spans[1::2], strict=True))
        elif kind == KEYWORD:
            word = match[KEYWORD]
            if word == b"R" and plain >= 2 and frames:
                items = frames[-1].items
                generation, number = items.pop(), items.pop()
                value = reference(number, generation, start)
                if spans is not None and len(frames) == 1:
                    spans.pop()
                    start = spans.pop()[0]
            elif word in _CONSTANTS:
                value = _CONSTANTS[word]
                nulls = nulls or value is None
            else:
                raise PdfError(f"unexpected keyword {word[:16]!r} at offset {start}")
        else:
            value, start, position = _string_or_real(data, match, kind)
        if not frames:
            return _whole(data, value, kind, start, position)
        plain = plain + 1 if kind == UNSIGNED else 0
        frames[-1].items.append(value)
        if spans is not None and len(frames) == 1:
            spans.append((start, position))
    raise LimitError(f"an object has more than {limits.tokens} tokens")


def reference(number: PdfObject, generation: PdfObject, offset: int) -> Ref:
    """A checked reference; `offset` is for the message only."""
    if not isinstance(number, int) or not isinstance(generation, int):
        raise PdfError(f"a reference is not made of two integers at offset {offset}")
    if not 0 < number <= MAX_OBJECT_NUMBER or not 0 <= generation <= MAX_GENERATION:
        raise PdfError(f"reference {number} {generation} R is out of range at offset {offset}")
    return _new_reference((number, generation))


def dictionary(items: list[PdfObject], offset: int, *, nulls: bool = False) -> dict[str, PdfObject]:
    """Of keys and values in turn; `nulls`: whether there may be any among the values. `offset` is for the message only."""
    found: dict[str, PdfObject] = {}
    pairs = iter(items)
    for key in pairs:
        if type(key) is not Name or len(items) % 2:
            raise PdfError(f"the dictionary at offset {offset} does not pair names with values")
        found[str(key)] = next(pairs)
    if len(found) * 2 != len(items):
        raise PdfError(f"the dictionary at offset {offset} has a key twice")
    return {key: value for key, value in found.items() if value is not None} if nulls else found


def keyword_at(data: bytes, position: int) -> tuple[bytes, int]:
    """The keyword after white space and comments, and the offset after it; empty where something else stands."""
    match = _TOKEN.match(data, position)
    if match is None or match.lastindex != KEYWORD:
        return b"", position
    return match[KEYWORD], match.end()


def tokens(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of every token in data[position:end]; raises :class:`PdfError` where there is none."""
    while True:
        if white := SKIP.match(data, position, end):
            position = white.end()
        if position >= end:
            return
        match = _TOKEN.match(data, position, end)
        if match is None:
            raise PdfError(f"no PDF token at offset {position}")
        kind = match.lastindex or 0
        start, position = match.start(), match.end()
        if kind == LITERAL:
            position = literal(data, start + 1)[1]
        yield kind, start, position


def _whole(data: bytes, value: PdfObject, kind: int, start: int, position: int) -> tuple[PdfObject, int]:
    if kind == UNSIGNED and (tail := _REFERENCE_TAIL.match(data, position)):
        return reference(value, integer(tail[1], position), start), tail.end()
    return value, position


def _numbers(octets: bytes) -> list[PdfObject]:
    return [float(word) if b"." in word else int(word) for word in octets.split()]


def _octets(digits: bytes, offset: int) -> bytes:
    """Of a hexadecimal string: white space is ignored, a last digit that is missing counts as 0 (ISO 32000-2 7.3.4.3)."""
    try:
        return a2b_hex(digits)  # pairs of digits alone, as nearly all are
    except ValueError:
        digits = digits.translate(None, WHITE)
    try:
        return a2b_hex(digits + b"0" * (len(digits) % 2))
    except ValueError:
        raise PdfError(f"no PDF object at offset {offset}") from None


def _string_or_real(data: bytes, match: re.Match[bytes], kind: int) -> tuple[PdfObject, int, int]:
    start, position = match.start(kind), match.end()
    if kind == REAL:
        if position - start > MAX_REAL_CHARACTERS:
            raise LimitError(f"a number of {position - start} characters at offset {start}")
        return float(match[REAL]), start, position
    if kind == HEX:
        return PdfString(_octets(match[HEX], start - 1)), start - 1, position
    if kind == PLAIN:
        return PdfString(match[PLAIN]), start - 1, position
    value, position = literal(data, start + 1)
    return value, start, position
