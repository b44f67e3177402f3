"""What is spelled as a reference, octet by octet: inside streams, strings and comments too, so that nothing a lexer reads is missed.

A file is looked at in pieces, cut where its listed objects begin. No reference `N G R` reaches over such a place, since `N G obj` stands
there and its third token is no `R`; what a piece holds depends on its octets and the one after it alone. Records of one make repeat most
of their pieces, number by number, so that short ones are remembered. References broken by comments may reach over a place that lies in
a comment: they are looked for in the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from signing.errors import LimitError
from signing.pdf.remembered import Remembered

_END = rb"(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])"  # a token ends where no regular character follows
_WHITE = rb"[\x00\t\n\x0c\r ]"
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
# Both run over octets in reverse.
_NUMBERS = re.compile(rb"(?: [0-9]{1,5}+ |" + _WHITE + rb"++[0-9]++" + _WHITE + rb"++)(?>([0-9]*[1-9])0*+)" + _END)
_INTEGERS = re.compile(_WHITE + rb"*+([0-9]++)" + _END + rb"(?:" + _WHITE + rb"++([0-9]++)" + _END + rb")?")
_BLANK = b"\x00\t\n\x0c\r "
_ENDING = b"0123456789" + _BLANK
_SKIP = re.compile(rb"(?:" + _WHITE + rb"++|%[^\r\n]*+)++")
_INTEGER = re.compile(rb"[0-9]++" + _END)
_R = re.compile(rb"R" + _END)
COMMENT_WORK = 4  # octets of comments looked at, per octet of file, before the document is refused
MAX_PLAIN = len(b"8388607 65535 R")
_NEAR = 32  # octets looked at first for the numbers before an R or a comment
_MAX_SHORT = 4_096  # octets of a piece that is remembered
_MAX_REMEMBERED = 4 * 1024 * 1024  # octets of such pieces, twice
_MENTION = 150  # octets that one takes in memory


class Piece(NamedTuple):
    """What is spelled in one piece of a file. Offsets are from its start."""

    mentions: tuple[tuple[bytes, int], ...]
    """(number as :func:`spelled`, its offset) of each reference."""
    is_plain: bool
    """Whether each is spelled in no more octets than numbers and single blanks need, and without a null octet.

    Readers differ over others: pyHanko gives up where a reference does not end within some twenty octets.
    """
    before_comments: tuple[tuple[int, int], ...] | None
    """(start, end) of the integers before each `%`, two at most, since a reference may go on after the comment; None for a long piece."""


def cut(data: bytes, starts: Sequence[int]) -> list[tuple[int, Piece]]:
    """(offset, piece) for the octets before, between and after `starts`: rising offsets at which `N G obj` stands."""
    found = []
    for start, end in pairwise((0, *starts, len(data))):
        octets = data[start : end + 1]
        found.append((start, _remembered(octets) if len(octets) <= _MAX_SHORT else _read(octets)))
    return found


@lru_cache(maxsize=4_096)
def spelled(number: int) -> bytes:
    """The digits of `number` without leading zeros, in reverse."""
    return (b"%d" % number)[::-1]


def across_comments(data: bytes, pieces: Sequence[tuple[int, Piece]], end: int) -> Iterator[tuple[bytes, int]]:
    """(number as :func:`spelled`, offset in the file) of references with a comment between their tokens, begun in `pieces`, before `end`.

    Raises :class:`LimitError` where comments between numbers would make this quadratic.
    """
    budget = COMMENT_WORK * len(data) + 100_000
    for first, last in _before_comments(data, pieces, end):
        position = last
        for following in (_INTEGER, _R):
            skipped = _SKIP.match(data, position)
            if skipped is None:
                break
            budget -= skipped.end() - position
            if budget < 0:
                raise LimitError("too many comments between numbers")
            token = following.match(data, skipped.end())
            if token is None:
                break
            position = token.end()
        else:
            yield data[first:last].lstrip(b"0")[::-1], first


def _before_comments(data: bytes, pieces: Sequence[tuple[int, Piece]], end: int) -> Iterator[tuple[int, int]]:
    for place, (start, piece) in enumerate(pieces, 1):
        integers: Iterable[tuple[int, int]] | None = piece.before_comments
        if integers is None:
            integers = _integers(data[start : pieces[place][0] if place < len(pieces) else end])
        for first, last in integers:
            yield start + first, start + last


def _read(octets: bytes) -> Piece:
    mentions, is_plain = [], True
    for end in _after(b"R", octets, _BLANK):
        match = _matched_before(_NUMBERS, octets, end)
        if match is not None and _R.match(octets, end):
            length = match.end()
            mentions.append((match[1], end - length))
            is_plain = is_plain and length < MAX_PLAIN and b"\0" not in match[0]
    return Piece(tuple(mentions), is_plain, tuple(_integers(octets)) if len(octets) <= _MAX_SHORT else None)


def _integers(octets: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of the integers before each `%`; most of these stand in streams, where no integer stands before them."""
    for at in _after(b"%", octets, _ENDING):
        if match := _matched_before(_INTEGERS, octets, at):
            yield at - match.end(1), at - match.start(1)
            if match[2]:
                yield at - match.end(2), at - match.start(2)


def _weight(piece: Piece) -> int:
    return _MENTION * (1 + len(piece.mentions) + len(piece.before_comments or ()))


_remembered = Remembered(_read, weigh=_weight, most=_MAX_REMEMBERED)


def _after(octet: bytes, octets: bytes, others: bytes) -> Iterator[int]:
    """Where `octet` stands straight after one of `others`. Searched for at the speed of memory, as no regular expression does it."""
    at = octets.find(octet, 1)
    while at > 0:
        if octets[at - 1] in others:
            yield at
        at = octets.find(octet, at + 1)


def _matched_before(pattern: re.Pattern[bytes], octets: bytes, end: int) -> re.Match[bytes] | None:
    """`pattern`, made of digits, white space and what may follow them, on the octets before `end` in reverse."""
    size = _NEAR
    while not (before := octets[max(0, end - size) : end]).strip(_ENDING) and size < end:
        size *= 8  # digits and white space that reach farther
    return pattern.match(before[::-1])
