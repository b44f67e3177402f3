"""What inspection needs to know of a stretch of octets, found by regular expressions: several times as fast as reading the objects.

A revision's octets never change, so what was found in them is remembered: the fifteenth signature on a record costs little more than
the first. The memory holds digests and findings, never contents.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from signing.pdf.document import Document
from signing.pdf.indirect import read_head
from signing.pdf.limits import Limits
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.risky import RISKY

MAX_REMEMBERED = 1_000  # revisions, of some kilobytes of findings each
_WHITE = rb"[\x00\t\n\x0c\r ]"
# Runs over the octets in reverse and begins with one literal octet, which is searched for at the speed of memory (signing.references).
_REFERENCE = re.compile(rb"R(?<![^\x00\t\n\x0c\r ()<>\[\]{}/%]R)" + _WHITE + rb"++0" + _WHITE + rb"++([0-9]++)(?![^\x00\t\n\x0c\r \[\]>])")
# An object's octets up to `endobj` or `stream`, as long as nothing in them could look like a reference and be none: no comment, no
# escape, strings without R and without parentheses, hexadecimal strings of digits alone.
_PLAIN = re.compile(rb"(?:[^%\\()<es]++|<<|<[0-9A-Fa-f\x00\t\n\x0c\r ]*+>|\([^()\\R]*+\)|e(?!ndobj)|s(?!tream))*+(?:endobj|stream)")
_MAX_DIGITS = 10

Edges = dict[int, list[int]]
"""Object number to the numbers that any version of it refers to, doubled ones included; 0 stands for the trailers."""


@dataclass(frozen=True)
class Reading:
    """`words`: how often `obj` stands there, ends of objects aside. `risky`: offsets, from the stretch's start, of objects with a risky
    spelling (:mod:`signing.risky`) outside their streams. `edges`: references of generation 0; some may be missing, none is too many."""

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
    edges = [start for start, _, _ in stretches[1:]] == [end for _, end, _ in stretches[:-1]] and stretches[0][0] == 0
    if not edges or any(not start <= offset < end for start, end, places in stretches for offset in places):
        stretches = [(0, len(data), {offset: number for _, _, places in stretches for offset, number in places.items()})]
    for start, end, places in stretches:
        inside = tuple(sorted((offset - start, number) for offset, number in places.items()))
        yield start, _remembered(memoryview(data)[start:end], inside, document.limits)


_KNOWN: OrderedDict[bytes, Reading] = OrderedDict()


def _remembered(octets: memoryview, places: tuple[tuple[int, int], ...], limits: Limits) -> Reading:
    """A pure function of its arguments, so that remembering it is invisible."""
    digest = hashlib.sha256(octets)
    digest.update(repr((places, limits)).encode("ascii"))
    key = digest.digest()
    found = _KNOWN.get(key)
    if found is None:
        found = _KNOWN[key] = _read(bytes(octets), places, limits)
        while len(_KNOWN) > MAX_REMEMBERED:
            _KNOWN.popitem(last=False)
    return found


def _read(octets: bytes, places: tuple[tuple[int, int], ...], limits: Limits) -> Reading:
    words = octets.count(b"obj") - octets.count(b"endobj")
    starts = [offset for offset, _ in places]
    numbers = dict(places)

    def start_before(offset: int) -> int:
        index = bisect_right(starts, offset) - 1
        return starts[index] if index >= 0 else -1

    edges = _edges(octets, numbers, start_before, limits)
    return Reading(words, tuple(sorted(_risky(octets, start_before, limits))), {number: tuple(found) for number, found in edges.items()})


def _risky(octets: bytes, start_before: Callable[[int], int], limits: Limits) -> set[int]:
    found: set[int] = set()
    data_from: dict[int, int] = {}
    for match in RISKY.finditer(octets):
        start = start_before(match.start())
        if start < 0 or start in found:
            continue
        if start not in data_from:
            data_from[start] = read_head(octets, start, limits=limits)[2] or len(octets)
        if match.start() < data_from[start]:  # not in the stream's data
            found.add(start)
    return found


def _edges(octets: bytes, numbers: Mapping[int, int], start_before: Callable[[int], int], limits: Limits) -> Edges:
    edges: Edges = {}
    start, end, found = len(octets), 0, list[int]()
    for match in _REFERENCE.finditer(octets[::-1]):
        offset = len(octets) - match.end()
        if offset < start:  # hits come from the last to the first, so one object after the other
            start = start_before(offset)
            if start < 0:
                break
            plain, found = _PLAIN.match(octets, start), edges.setdefault(numbers[start], [])
            end = plain.end() if plain else 0
            if not plain:
                found += (ref.number for ref in references(read_head(octets, start, limits=limits)[0]) if not ref.generation)
        if offset < end and len(match[1]) <= _MAX_DIGITS:
            found.append(int(match[1][::-1]))
    return edges


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
