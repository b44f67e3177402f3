"""Cross-reference sections and the revisions they make (ISO 32000-2 clauses 7.5.4 to 7.5.8). No repair: what is broken is refused.

A revision is xref → trailer → startxref → %%EOF, found by following /Prev from the last `startxref`; offsets strictly decrease. Two
shapes need a word:

- A *linearised* file (annex F) has two sections and two %%EOF for one revision: the first-page section near the front, whose
  /Prev points forward to the main section at the end. They are read as one revision, which ends at the main section's %%EOF.
- A *hybrid* file (7.5.8.4) has a table whose trailer names an /XRefStm. It is read only as the oldest revision and only where the
  stream adds objects that the table leaves free or out, since readers disagree about anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from signing.errors import LimitError, PdfError
from signing.pdf.limits import Limits
from signing.pdf.objects import PdfObject
from signing.pdf.rows import SoleRows, XrefEntry
from signing.pdf.sections import ReadStream, Section, read_section

__all__ = ["Revision", "XrefEntry", "read_revisions"]

_SPACE = rb"[\x00\t\n\x0c\r ]"
_LINEARIZED = re.compile(rb"[0-9]+ [0-9]+ obj\s*<<[^>]{0,512}/Linearized", re.DOTALL)
_HEAD = 2048  # octets at the front searched for the linearisation dictionary (annex F.3.3 says 1,024)
_STARTXREF = b"startxref"


@dataclass(frozen=True)
class Revision:
    """One revision. Offsets into the file: `start` inclusive, `eof` just after %%EOF, `end` after its end-of-line too.

    `entries` and `trailer` are this revision's own; `close` is the offset where `startxref` is looked for (after trailer or stream object).
    """

    index: int
    start: int
    end: int
    eof: int
    xref_offset: int
    xref_kind: Literal["table", "stream", "hybrid"]
    entries: Mapping[int, XrefEntry]
    trailer: dict[str, PdfObject]
    close: int
    linearized: bool = False


def read_revisions(data: bytes, *, read_stream: ReadStream, limits: Limits) -> tuple[Revision, ...]:
    """The revisions of `data`, oldest first. Raises :class:`PdfError`, :class:`EncryptedPdfError`, :class:`LimitError`."""
    sections = list(_chain(data, read_stream, limits))
    sections.reverse()
    revisions: list[Revision] = []
    if len(sections) > 1 and sections[0].offset > sections[1].offset:
        revisions.append(_linearized(data, *sections[:2]))
        sections = sections[2:]
    for section in sections:
        start = revisions[-1].end if revisions else 0
        if section.startxref != section.offset:
            raise PdfError(f"startxref after the cross-reference at {section.offset} says {section.startxref}")
        if section.offset < start:
            raise PdfError(f"the cross-reference at {section.offset} lies inside an earlier revision, which ends at {start}")
        if section.kind == "hybrid" and revisions:
            raise PdfError("an update with a hybrid cross-reference is not read")
        revisions.append(_revision(len(revisions), start, section))
    return tuple(revisions)


def _revision(index: int, start: int, section: Section) -> Revision:
    entries = section.entries if isinstance(section.entries, SoleRows) else MappingProxyType(section.entries)
    return Revision(index, start, section.end, section.eof, section.offset, section.kind, entries, section.trailer, section.close)


def _linearized(data: bytes, main: Section, first: Section) -> Revision:
    """Annex F: the first-page section's /Prev is the main section, whose startxref points back to the first-page section."""
    if not _LINEARIZED.search(data, 0, _HEAD):
        raise PdfError(f"/Prev of the cross-reference at {first.offset} points forward to {main.offset}")
    if main.startxref != first.offset or first.kind == "hybrid" or main.kind == "hybrid":
        raise PdfError("the two cross-references of a linearised file do not fit together")
    if main.entries.keys() & first.entries.keys() - {0}:
        raise PdfError("the two cross-references of a linearised file name the same object")
    merged = replace(first, entries={**main.entries, **first.entries}, eof=main.eof, end=main.end, close=main.close)
    return replace(_revision(0, 0, merged), linearized=True)


def _chain(data: bytes, read_stream: ReadStream, limits: Limits) -> Iterator[Section]:
    """Sections from the newest to the oldest, each /Prev smaller than the last, but for the one step a linearised file takes."""
    offset, count, entries = _last_startxref(data), 0, 0
    while True:
        section = read_section(data, offset, read_stream, limits)
        count, entries = count + 1, entries + len(section.entries)
        if count > limits.revisions or entries > limits.entries:
            raise LimitError(f"more than {limits.revisions} revisions or {limits.entries} cross-reference entries")
        yield section
        previous = section.trailer.get("Prev")
        if previous is None:
            return
        if type(previous) is not int or not 0 < previous < len(data):
            raise PdfError(f"/Prev of the cross-reference at {offset} is not an offset inside the file")
        if previous >= offset:
            if previous == offset or section.startxref == offset:
                raise PdfError(f"/Prev of the cross-reference at {offset} does not point backwards: {previous}")
            main = read_section(data, previous, read_stream, limits)
            if "Prev" in main.trailer:
                raise PdfError(f"/Prev of the cross-reference at {offset} does not point backwards: {previous}")
            yield main
            return
        offset = previous


def _last_startxref(data: bytes) -> int:
    at = data.rfind(_STARTXREF)
    match = re.compile(_STARTXREF + _SPACE + rb"+([0-9]{1,19})").match(data, at) if at >= 0 else None
    if match is None:
        raise PdfError("no startxref: this is not a whole PDF")
    return int(match[1])
