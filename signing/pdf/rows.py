"""Cross-reference entries, and the rows of a table from which they are made (ISO 32000-2 clause 7.5.4).

The table of a file's first revision names every object, while few of them are asked for. Where it is as nearly every writer spells it, its
offsets are read as one column and an entry is made when somebody wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, repeat
from operator import attrgetter
from typing import Literal, NamedTuple

_EOL = rb"(?: \n| \r|\r\n)"
_SOLE = re.compile(rb"[0-9]{10} [0-9]{5} f" + _EOL + rb"(?:[0-9]{10} 00000 n" + _EOL + rb")++")
_OFFSET = attrgetter("offset")


class XrefEntry(NamedTuple):
    """Where one object stands. `offset` is used by kind "offset"; `stream_number` and `index` by kind "compressed"."""

    number: int
    generation: int
    kind: Literal["offset", "compressed", "free"]
    offset: int = 0
    stream_number: int = 0
    index: int = 0  # type: ignore[assignment]  # a field here, not tuple's method, which nobody asks for


_KINDS = {b"n": "offset", b"f": "free"}
_new_entry = partial(tuple.__new__, XrefEntry)  # of all six fields: half the time of the constructor, for thousands of entries


class SoleRows(Mapping[int, XrefEntry]):
    """A table's only subsection: object 0 is free, all others stand in the file with generation 0. Never changes."""

    __slots__ = ("_made", "offsets")

    def __init__(self, offsets: list[int], first: XrefEntry) -> None:
        self.offsets = offsets
        """Of objects 0 (0, since it is nowhere), 1, 2, …"""
        self._made = {0: first}

    @classmethod
    def read(cls, rows: bytes) -> SoleRows | None:
        """From the rows of a subsection that begins with object 0; None where they are of other kinds or generations."""
        if not _SOLE.fullmatch(rows):
            return None
        words = rows.split()
        return cls([0, *map(int, words[3::3])], XrefEntry(0, int(words[1]), "free"))

    def get(self, number: int, default: XrefEntry | None = None) -> XrefEntry | None:  # type: ignore[override]
        found = self._made.get(number)
        if found is None and 0 < number < len(self.offsets):
            found = self._made[number] = _new_entry((number, 0, "offset", self.offsets[number], 0, 0))
        return default if found is None else found

    def __getitem__(self, number: int) -> XrefEntry:
        found = self.get(number)
        if found is None:
            raise KeyError(number)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.offsets)))

    def __len__(self) -> int:
        return len(self.offsets)


def offsets(entries: Mapping[int, XrefEntry]) -> Iterable[int]:
    """The offset of each entry; 0 for those that are free or compressed."""
    return entries.offsets if isinstance(entries, SoleRows) else map(_OFFSET, entries.values())


def read_rows(rows: bytes, first: int) -> Iterator[tuple[int, XrefEntry]]:
    """(number, entry) for each row (offset, generation, kind) of a subsection; in step, since a file may have hundreds of thousands."""
    words = rows.split()
    places, generations, kinds = words[::3], words[1::3], words[2::3]
    numbers = range(first, first + len(kinds))
    if b"f" in kinds:
        places = [place if kind == b"n" else b"0" for place, kind in zip(places, kinds, strict=True)]
    # after the first row, that of object 0, the rows of most tables are of one kind and generation
    alike = generations[1:].count(b"00000") == kinds[1:].count(b"n") == len(kinds) - 1
    later = (repeat(0), repeat("offset")) if alike else (map(int, generations[1:]), map(_KINDS.get, kinds[1:]))
    all_generations, all_kinds = chain(map(int, generations[:1]), later[0]), chain(map(_KINDS.get, kinds[:1]), later[1])
    fields = zip(numbers, all_generations, all_kinds, map(int, places), repeat(0), repeat(0))
    return zip(numbers, map(_new_entry, fields), strict=True)
