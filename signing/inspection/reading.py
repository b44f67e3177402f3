"""What inspection needs to know of a stretch of octets, found by regular expressions: several times as fast as reading the objects.

A revision's octets never change, so what was found in them is remembered: the fifteenth signature on a record costs little more than
the first. The memory holds digests and findings, never contents.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from signing.errors import PdfError
from signing.inspection.risky import RISKY
from signing.pdf.document import Document
from signing.pdf.indirect import read_head
from signing.pdf.limits import Limits
from signing.pdf.objects import PdfObject, Ref, Stream

MAX_REMEMBERED = 1_000  # revisions, of some kilobytes of findings each
_WHITE = rb"[\x00\t\n\x0c\r ]"
# Runs over the octets in reverse and begins with one literal octet, which is searched for at the speed of memory
# (signing.changes.references).
_REFERENCE = re.compile(rb"R(?<![^\x00\t\n\x0c\r ()<>\[\]{}/%]R)" + _WHITE + rb"++0" + _WHITE + rb"++([0-9]++)(?![^\x00\t\n\x0c\r \[\]>])")
# An object's octets up to `endobj` or `stream`, as long as nothing in them could look like a reference and be none: no comment, no
# escape, strings without R and without parentheses, hexadecimal strings of digits alone.
_PLAIN = re.compile(rb"(?:[^%\\()<es]++|<<|<[0-9A-Fa-f\x00\t\n\x0c\r ]*+>|\([^()\\R]*+\)|e(?!ndobj)|s(?!tream))*+(?:endobj|stream)")
_MAX_DIGITS = 10
_WINDOW = 4 * 1024 * 1024  # octets turned round at once: a large file is not copied as a whole

Edges = dict[int, list[int]]
"""Object number to the numbers that any version of it refers to, doubled ones included; 0 stands for the trailers."""


@dataclass(frozen=True)
class Reading:
    """`words`: how often `obj` stands there, ends of objects aside. `risky`: offsets, from the stretch's start, of objects with a risky
    spelling (:mod:`signing.inspection.risky`) outside their streams. `edges`: references of generation 0; some may be missing, none is
    too many."""

    words: int
    risky: tuple[int, ...]
    edges: Mapping[int, tuple[int, ...]]


def readings(document: Document) -> Iterator[tuple[int, Reading]]:
    """(start, what was found from there on) for stretches that make up the file: its revisions, or all of it at once where a revision's
    cross-reference points out of it."""
    data, stretches = document.data, []
    for revision in document.revisions:
        places = {entry.offset: number for number, entry in revision.entries.items() if entry.kind == "offset"}
        stretches.append((revision.start, revision.end, places))
    tiled = stretches[0][0] == 0 and all(before[1] == after[0] for before, after in pairwise(stretches))
    if not tiled or any(not start <= offset < end for start, end, places in stretches for offset in places):
        stretches = [(0, len(data), {offset: number for _, _, places in stretches for offset, number in places.items()})]
    for start, end, places in stretches:
        yield start, _remembered(_Stretch(data, start, end, places, document.limits))


@dataclass(frozen=True)
class _Stretch:
    """`data[start:end]`, not copied, and the offsets in the file at which objects of these numbers begin there."""

    data: bytes
    start: int
    end: int
    places: Mapping[int, int]
    limits: Limits

    def key(self) -> bytes:
        """A digest of all that its reading depends on."""
        digest = hashlib.sha256(memoryview(self.data)[self.start : self.end])
        digest.update(repr((sorted((at - self.start, number) for at, number in self.places.items()), self.limits)).encode("ascii"))
        return digest.digest()

    def head(self, offset: int) -> tuple[PdfObject, int]:
        """The value of the object there, of a stream its dictionary; and where its own octets end."""
        value, end, data_start = read_head(self.data, offset, limits=self.limits)
        if max(end, data_start) > self.end:
            raise PdfError(f"the object at offset {offset} runs out of its revision")
        return value, data_start or end


_KNOWN: OrderedDict[bytes, Reading] = OrderedDict()


def forget() -> None:
    """Empties the memory; for those who measure."""
    _KNOWN.clear()


def _remembered(stretch: _Stretch) -> Reading:
    key = stretch.key()
    found = _KNOWN.get(key)
    if found is None:
        words = stretch.data.count(b"obj", stretch.start, stretch.end) - stretch.data.count(b"endobj", stretch.start, stretch.end)
        starts = sorted(stretch.places)
        edges = {number: tuple(to) for number, to in _edges(stretch, starts).items()}
        found = _KNOWN[key] = Reading(words, tuple(sorted(at - stretch.start for at in _risky(stretch, starts))), edges)
        while len(_KNOWN) > MAX_REMEMBERED:
            _KNOWN.popitem(last=False)
    return found


def _risky(stretch: _Stretch, starts: list[int]) -> set[int]:
    found: set[int] = set()
    own_end: dict[int, int] = {}
    for match in RISKY.finditer(stretch.data, stretch.start, stretch.end):
        index = bisect_right(starts, match.start()) - 1
        if index < 0 or (start := starts[index]) in found:
            continue
        if start not in own_end:
            own_end[start] = stretch.head(start)[1]
        if match.start() < own_end[start]:  # not in the stream's data, nor behind the object
            found.add(start)
    return found


def _edges(stretch: _Stretch, starts: list[int]) -> Edges:
    edges: Edges = {}
    data, start, end, found = stretch.data, stretch.end, 0, list[int]()
    for offset, number in _hits(stretch):
        if offset < start:  # hits come from the last to the first, so one object after the other
            index = bisect_right(starts, offset) - 1
            if index < 0:
                break
            start = starts[index]
            plain, found = _PLAIN.match(data, start, stretch.end), edges.setdefault(stretch.places[start], [])
            end = plain.end() if plain else 0
            if not plain:
                found += (ref.number for ref in references(stretch.head(start)[0]) if not ref.generation)
        if offset < end:
            found.append(number)
    return edges


def _hits(stretch: _Stretch) -> Iterator[tuple[int, int]]:
    """(offset, number) of what looks like a reference, from the last to the first. One across two windows is missed."""
    for high in range(stretch.end, stretch.start, -_WINDOW):
        low = max(high - _WINDOW, stretch.start)
        for match in _REFERENCE.finditer(stretch.data[low:high][::-1]):
            if len(match[1]) <= _MAX_DIGITS:
                yield high - match.end(), int(match[1][::-1])


def references(value: PdfObject) -> Iterator[Ref]:
    """Every reference that stands in one object."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Ref):
            yield item
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, Stream):
            pending += item.dictionary.values()
