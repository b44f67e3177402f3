"""What a cross-reference says stands somewhere stands there: readers that repair a damaged file would see another document than others.

The first revision names hundreds of objects, and its table is nearly always of one kind: its beginnings are compared in one go.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, count, repeat

from signing.errors import PdfError
from signing.pdf.indirect import OBJECT
from signing.pdf.limits import MAX_OBJECT_NUMBER
from signing.pdf.rows import SoleRows
from signing.pdf.xref import Revision

FIRST_HEADS = 1_024


def check_entries(data: bytes, revision: Revision) -> None:
    """Each entry of `revision` that names a place points at `N G obj` there, and at nothing behind it. Raises :class:`PdfError`."""
    entries, late = revision.entries, None
    if isinstance(entries, SoleRows):
        offsets, heads = entries.offsets[1:], chain(_first_beginnings(), map(_beginnings, count(FIRST_HEADS + 1), repeat(0)))
        if all(map(data.startswith, heads, offsets)) and max(offsets) < revision.end:
            return
    for number, generation, kind, offset, _, _ in entries.values():
        if kind != "offset":
            continue
        if not data.startswith(_beginnings(number, generation), offset):
            match = OBJECT.match(data, offset)
            if match is None or (int(match[1]), int(match[2])) != (number, generation):
                raise PdfError(f"the cross-reference says object {number} is at {offset}, which is not where it stands")
        if late is None and offset >= revision.end:
            late = number
    if late is not None:
        raise PdfError(f"object {late} stands after the revision that names it")
    for number, _, kind, _, stream_number, _ in entries.values() if revision.xref_kind != "table" else ():
        if kind == "compressed" and not 0 < stream_number <= MAX_OBJECT_NUMBER:
            raise PdfError(f"object {number} is said to be in object stream {stream_number}")


@lru_cache(maxsize=8_192)
def _beginnings(number: int, generation: int) -> tuple[bytes, ...]:
    """How an indirect object begins, as nearly all writers spell it, with the octet after it: `objx` would be another word."""
    return tuple(b"%d %d obj%c" % (number, generation, after) for after in b"\n\r <")


@lru_cache(maxsize=1)
def _first_beginnings() -> tuple[tuple[bytes, ...], ...]:
    """How the first objects begin, from number 1: those of nearly every file's first revision."""
    return tuple(_beginnings(number, 0) for number in range(1, FIRST_HEADS + 1))
