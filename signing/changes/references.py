"""The inbound-reference question: which objects are already referred to by the octets that came before an update?

A new object whose number a signed object already mentions would fill a hole in what was signed; a redefined object that is mentioned
in more than one capacity would change something besides what its role allows. Both are refused, so a mention may be reported once
too often but never be missed.

How: one regular expression finds `N G R` wherever it is spelled, inside streams, strings and comments too, so it finds at least what the
lexer would. References broken by comments are found by a second pass. Objects in object streams are walked as values. A hit that
turns out to lie inside a string or a stream's data is dropped again by lexing its object.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import compress
from operator import itemgetter

from signing.errors import LimitError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.rows import offsets

_END = rb"(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])"  # a token ends where no regular character follows
_WHITE = rb"[\x00\t\n\x0c\r ]"
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
# Both run over the octets in reverse and begin with one literal octet, which is searched for at the speed of memory; a look-behind in
# front of it would be tried at every octet.
_GENERATION = rb"(?: [0-9]{1,5}+ |" + _WHITE + rb"++[0-9]++" + _WHITE + rb"++)"  # as it is nearly always, or otherwise
_REFERENCE = re.compile(rb"R(?<!" + _REGULAR + rb"R)" + _GENERATION + rb"(?>([0-9]*[1-9])0*+)" + _END)
_DIGITS = itemgetter(1)
# Those among them that are not `N G R` with single blanks and few digits, as nearly all are.
_UNUSUAL = re.compile(_REFERENCE.pattern.replace(b"R", b"R(?! [0-9]{1,5} [0-9]{1,7}" + _END + b")", 1))
_BEFORE_COMMENT = re.compile(rb"%" + _WHITE + rb"*+([0-9]++)" + _END + rb"(?:" + _WHITE + rb"++([0-9]++)" + _END + rb")?")
_ENDING = b"0123456789\x00\t\n\x0c\r "
_SKIP = re.compile(rb"(?:" + _WHITE + rb"++|%[^\r\n]*+)++")
_INTEGER = re.compile(rb"[0-9]++" + _END)
_R = re.compile(rb"R" + _END)
COMMENT_WORK = 4  # octets of comments looked at, per octet of file, before the document is refused
MAX_PLAIN = len(b"8388607 65535 R")
_MAX_DIGITS = 20  # of an object number in a mention that is looked at


@dataclass(frozen=True)
class _Held:
    """One object's number and exclusive end, and under which keys it mentions which numbers."""

    holder: int
    end: int
    keys: dict[int, set[str]]


class References:
    """The index over one document. Made once; each question costs a look-up and at most the lexing of the objects that were hit."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # the last update is looked through, and other numbers than those that updates bring are indexed, only where somebody asks
        self._end = document.revisions[-1].start
        self._indexed: frozenset[bytes] | None = frozenset(_spelled(n) for r in document.revisions[1:] for n in r.entries)
        self._hits = _by_number(document.data, document.backwards, self._end, self._indexed)
        self._compressed: dict[int, list[tuple[int, int, str]]] = {}
        for revision in document.revisions:
            for number, entry in revision.entries.items() if revision.xref_kind != "table" else ():
                if entry.kind == "compressed":
                    for found, key in mentions(document.get(Ref(number), revision=revision.index)):
                        self._compressed.setdefault(found, []).append((revision.start, number, key))
        self._held: dict[int, _Held] = {}

    def contexts(self, number: int, before: int) -> tuple[tuple[int, str], ...]:
        """(number of the object that mentions `number`, key under which it does) for every mention in the first `before` octets.

        The key is "" directly in a top-level array; the object's number is 0 where the mention stands in no listed object (a trailer).
        """
        if self.is_silent(number, before):
            return ()
        hits = [offset for offset in self._offsets(_spelled(number), before) if offset < before]
        found = {(holder, key) for start, holder, key in self._compressed.get(number, ()) if start < before}
        for offset in hits:
            found |= self._context(number, offset)
        return tuple(sorted(found))

    def is_silent(self, number: int, before: int) -> bool:
        """Whether nothing in the first `before` octets mentions `number`; most questions are about new objects, of which that is true."""
        hits = self._offsets(_spelled(number), before)
        return (not hits or min(hits) >= before) and number not in self._compressed

    def _offsets(self, number: bytes, before: int) -> Sequence[int]:
        if before > self._end or (self._indexed is not None and number not in self._indexed):
            self._end, self._indexed = len(self._document.data), None
            self._hits = _by_number(self._document.data, self._document.backwards, self._end)
        return self._hits.get(number, ())

    def _context(self, number: int, offset: int) -> set[tuple[int, str]]:
        at = bisect_right(self._starts, offset) - 1
        if at < 0:
            return {(0, "")}
        held = self._held_at(self._starts[at])
        if offset >= held.end:
            return {(0, "")}
        return {(held.holder, key) for key in held.keys.get(number, ())}

    @cached_property
    def _places(self) -> dict[int, int]:
        """Where each listed object begins → the oldest revision that names the place."""
        places: dict[int, int] = {}
        for revision in reversed(self._document.revisions):
            places.update(dict.fromkeys(offsets(revision.entries), revision.index))
        places.pop(0, None)  # where the file begins stands no object: the offset of entries that are free or compressed
        return places

    @cached_property
    def _starts(self) -> list[int]:
        return sorted(self._places)

    def _held_at(self, start: int) -> _Held:
        """What the object at `start` mentions; walked once, since many numbers may be mentioned in one large object."""
        if start not in self._held:
            holder, value, end = self._document.object_at(start, revision=self._places[start])
            keys: dict[int, set[str]] = {}
            for number, key in mentions(value):
                keys.setdefault(number, set()).add(key)
            self._held[start] = _Held(holder, end, keys)
        return self._held[start]


def scan(data: bytes) -> Iterator[tuple[int, int]]:
    """(offset, object number) of everything in `data` that a lexer could read as a reference, in rising order of offset.

    Raises :class:`LimitError` where comments between numbers would make this quadratic.
    """
    by_number = _by_number(data, data[::-1], len(data))
    found = ((offset, int(digits[::-1])) for digits, hits in by_number.items() if 0 < len(digits) <= _MAX_DIGITS for offset in hits)
    yield from sorted(found)


def plainly_spelled(document: Document, start: int) -> bool:
    """Whether every reference after `start` is spelled in no more octets than numbers and single blanks need, and without a null octet.

    Readers differ over others: pyHanko gives up where a reference does not end within some twenty octets.
    """
    unusual = _UNUSUAL.finditer(document.backwards, 0, len(document.data) - start)
    return all(len(match[0]) <= MAX_PLAIN and b"\0" not in match[0] for match in unusual)


def _by_number(data: bytes, backwards: bytes, end: int, wanted: Container[bytes] | None = None) -> dict[bytes, list[int]]:
    """Object number (of those `wanted`, or all), as :func:`_spelled`, → the offsets before `end` at which it is mentioned."""
    size = len(data)
    hits: dict[bytes, list[int]] = {}
    matches = list(_REFERENCE.finditer(backwards, size - end))
    for match in matches if wanted is None else compress(matches, map(wanted.__contains__, map(_DIGITS, matches))):
        hits.setdefault(match[1], []).append(size - match.end())
    for offset, digits in _across_comments(data, backwards, end):
        hits.setdefault(digits.lstrip(b"0")[::-1], []).append(offset)
    return hits


@lru_cache(maxsize=4_096)
def _spelled(number: int) -> bytes:
    """The digits of `number` without leading zeros, in reverse."""
    return (b"%d" % number)[::-1]


def _across_comments(data: bytes, backwards: bytes, end: int) -> Iterator[tuple[int, bytes]]:
    """References with a comment between their tokens, tried from each integer that stands before a comment, or before such an integer."""
    size, budget = len(data), COMMENT_WORK * len(data) + 100_000
    for match in _before_comments(data, backwards, end):
        for group in (1, 2):
            if match[group] is None:
                continue
            position = size - match.start(group)
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
                yield size - match.end(group), match[group][::-1]


def _before_comments(data: bytes, backwards: bytes, end: int) -> Iterator[re.Match[bytes]]:
    """The integers before each `%`; most of these stand in streams, after octets that neither an integer nor white space ends with."""
    size, at = len(data), data.find(b"%", 1, end)
    while at > 0:
        if data[at - 1] in _ENDING and (match := _BEFORE_COMMENT.match(backwards, size - 1 - at)):
            yield match
        at = data.find(b"%", at + 1, end)


def mentions(value: PdfObject) -> Iterator[tuple[int, str]]:
    """(object number, key) of each reference inside one object; the key is the nearest dictionary key above it, "" where there is none."""
    waiting: list[tuple[PdfObject, str]] = [(value, "")]
    while waiting:
        item, key = waiting.pop()
        if isinstance(item, Ref):
            yield item.number, key
        elif isinstance(item, list):
            waiting.extend((one, key) for one in item)
        elif isinstance(item, dict):
            waiting.extend((one, name) for name, one in item.items())
        elif isinstance(item, Stream):
            waiting.extend((one, name) for name, one in item.dictionary.items())
