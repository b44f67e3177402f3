"""Cross-reference entries, and the rows of a table from which they are made (ISO 32000-2 clause 7.5.4).

The table of a file's first revision names every object, while few of them are asked for. Where it is as nearly every writer spells it, its
offsets are read as one column and an entry is made when somebody wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import Literal, NamedTuple

ROW_SIZE = 20  # octets, its end of line included
_EOL = rb"(?: \n| \r|\r\n)"
_ROWS = re.compile(rb"(?:[0-9]{10} [0-9]{5} [fn]" + _EOL + rb")*+")
_FREE = re.compile(rb"[0-9]{10} ([0-9]{5}) f" + _EOL)
_IN_USE = re.compile(rb"(?:[0-9]{10} 00000 n" + _EOL + rb")++")
_AFTER_PLACE = frozenset({b" 00000 n \n", b" 00000 n \r", b" 00000 n\r\n"})
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
        first, later = _FREE.match(rows), rows[ROW_SIZE:]
        places = first and (_alike(later) or (later.split()[::3] if _IN_USE.fullmatch(later) else None))
        if not first or not places:
            return None
        return cls([0, *map(int, places)], XrefEntry(0, int(first[1]), "free"))

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


def read_rows(rows: bytes, first: int) -> dict[int, XrefEntry] | None:
    """The entries of a subsection's rows (offset, generation, kind), the first of which is of object `first`; None where they are none."""
    places = _alike(rows)
    if places is not None:
        return {number: _new_entry((number, 0, "offset", int(place), 0, 0)) for number, place in enumerate(places, first)}
    if not _ROWS.fullmatch(rows):
        return None
    words = rows.split()
    fields = enumerate(zip(words[::3], words[1::3], words[2::3], strict=True), first)
    return {
        number: _new_entry((number, int(generation), _KINDS[kind], int(place) if kind == b"n" else 0, 0, 0))
        for number, (place, generation, kind) in fields
    }


def _alike(rows: bytes) -> list[bytes] | None:
    """The places of rows that are all in use with generation 0 and end in one way, as those of nearly every update; else None."""
    after = rows[10:ROW_SIZE]
    places = rows.split(after) if after in _AFTER_PLACE else [rows]
    if places.pop() or len(rows) != ROW_SIZE * len(places) or not b"".join(places).isdigit():
        return None
    # what stands after a place has its n at 17 of 20 octets, and digits have none: each place has ten of them
    return places if rows[17::ROW_SIZE] == b"n" * len(places) else None
