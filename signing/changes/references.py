"""The inbound-reference question: which objects are already referred to by the octets that came before an update?

A new object whose number a signed object already mentions would fill a hole in what was signed; a redefined object that is mentioned
in more than one capacity would change something besides what its role allows. Both are refused, so a mention may be reported once
too often but never be missed.

How: whatever is spelled as `N G R` counts (:mod:`signing.pdf.pieces`), which is at least what the lexer would find. Objects in object
streams are walked as values. A hit that turns out to lie inside a string or a stream's data is dropped again by lexing its object.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.pieces import Piece, across_comments, cut, spelled

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
        self._indexed: frozenset[bytes] | None = frozenset(spelled(n) for r in document.revisions[1:] for n in r.entries)
        self._hits = _by_number(document.data, document.pieces, self._end, self._indexed)
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
        digits = spelled(number)
        self._reach((digits,), before)
        hits = [offset for offset in self._hits.get(digits, ()) if offset < before]
        found = {(holder, key) for start, holder, key in self._compressed.get(number, ()) if start < before}
        for offset in hits:
            found |= self._context(number, offset)
        return tuple(sorted(found))

    def mentioned(self, numbers: Collection[int], before: int) -> set[int]:
        """Those of `numbers` that something in the first `before` octets mentions; of most, which are new, nothing does."""
        by_digits = dict(zip(map(spelled, numbers), numbers, strict=True))
        self._reach(by_digits, before)
        found = {by_digits[digits] for digits in by_digits.keys() & self._hits.keys() if self._hits[digits][0] < before}
        return found.union(self._compressed.keys() & by_digits.values())

    def _reach(self, wanted: Iterable[bytes], before: int) -> None:
        """Sees to it that `wanted` are indexed up to `before`."""
        if before > self._end or (self._indexed is not None and not self._indexed.issuperset(wanted)):
            self._end, self._indexed = len(self._document.data), None
            self._hits = _by_number(self._document.data, self._document.pieces, self._end)

    def _context(self, number: int, offset: int) -> set[tuple[int, str]]:
        at = bisect_right(self._document.starts, offset) - 1
        if at < 0:
            return {(0, "")}
        held = self._held_at(self._document.starts[at])
        if offset >= held.end:
            return {(0, "")}
        return {(held.holder, key) for key in held.keys.get(number, ())}

    def _held_at(self, start: int) -> _Held:
        """What the object at `start` mentions; walked once, since many numbers may be mentioned in one large object."""
        if start not in self._held:
            holder, value, end = self._document.object_at(start, revision=self._document.places[start])
            keys: dict[int, set[str]] = {}
            for number, key in mentions(value):
                keys.setdefault(number, set()).add(key)
            self._held[start] = _Held(holder, end, keys)
        return self._held[start]


def scan(data: bytes) -> Iterator[tuple[int, int]]:
    """(offset, object number) of everything in `data` that a lexer could read as a reference, in rising order of offset.

    Raises :class:`LimitError` where comments between numbers would make this quadratic.
    """
    by_number = _by_number(data, cut(data, ()), len(data))
    found = ((offset, int(digits[::-1])) for digits, hits in by_number.items() if 0 < len(digits) <= _MAX_DIGITS for offset in hits)
    yield from sorted(found)


def plainly_spelled(document: Document, start: int) -> bool:
    """Whether every reference in the pieces from `start` on is spelled plainly; see :class:`signing.pdf.pieces.Piece`."""
    pieces = document.pieces
    return all(piece.is_plain for _, piece in pieces[bisect_left(pieces, (start,)) :])


def _by_number(
    data: bytes, pieces: Sequence[tuple[int, Piece]], end: int, wanted: frozenset[bytes] | None = None
) -> dict[bytes, list[int]]:
    """Object number (of those `wanted`, or all), as :func:`spelled`, → the offsets at which the pieces before `end` mention it, rising."""
    hits: dict[bytes, list[int]] = {}
    broken: dict[bytes, list[int]] = {}
    earlier = pieces[: bisect_left(pieces, (end,))]
    for start, piece in earlier:
        for digits, offset in piece.mentions:
            if wanted is None or digits in wanted:
                hits.setdefault(digits, []).append(start + offset)
    for digits, offset in across_comments(data, earlier, end):
        broken.setdefault(digits, []).append(offset)
    for digits, offsets in broken.items():
        hits[digits] = sorted(hits.get(digits, []) + offsets)
    return hits


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
