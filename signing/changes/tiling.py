"""No octet of an update is left unexplained: objects one after the other, then the cross-reference, trailer, startxref and %%EOF.

Whatever stands between (attack class 7: objects that no cross-reference names, for readers in repair mode) or hides in a comment is
reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from signing.changes.lookalike import review_lookalikes
from signing.changes.run import MAX_RUN, Run, run_of
from signing.pdf.document import Document, Extent, Revision, XrefEntry
from signing.pdf.lexer import WHITE, tokens
from signing.pdf.limits import LIMITS
from signing.pdf.objects import Ref
from signing.verdict import Message

_OFFSET = attrgetter("offset")
MAX_GAP = 16  # octets of white space between two objects; writers use one or two


class Tiling(NamedTuple):
    """How one update is laid out. `inert`: what one object is known to reach; see :class:`signing.changes.run.Run`."""

    findings: list[Message]
    inert: dict[Ref, tuple[int, ...]]


def tile(document: Document, revision: Revision, changed: Mapping[int, XrefEntry], *, strict: bool = True) -> Tiling:
    """The layout of one update, given its entries that differ from before. Raises :class:`signing.errors.PdfError`."""
    findings: list[Message] = []
    data, position, index = document.data, revision.start, revision.index
    own = revision.xref_offset if revision.xref_kind == "stream" else None
    placed = [entry for entry in changed.values() if entry.kind == "offset" and entry.offset != own]
    placed.sort(key=_OFFSET)
    unread = _last_unread(document, placed)
    extents: dict[int, Extent] = {}
    run = None
    for place, entry in enumerate(placed):
        offset = entry.offset
        if not revision.start <= offset < revision.xref_offset:
            text = f"the cross-reference of revision {index} moves object {entry.number} to {offset}, outside that revision"
            findings.append(Message("XREF_REPOINTED", text))
            continue
        if place == unread and position <= offset:
            run = _run(document, revision, placed[place:])
        if data[position:offset] != b"\n":
            findings += _gap(data, position, offset)
        if run is not None:
            position = revision.xref_offset
            break
        extent = extents[offset] = document.extent(offset, index)
        position = max(position, extent.end)
        if _has_comment(data, offset, extent.lexed):
            findings.append(Message("UNEXPLAINED_BYTES", f"object {entry.number} at {offset} holds a comment"))
    findings += _gap(data, position, revision.xref_offset)
    lexed = revision.close
    if own is not None:
        extents[own] = document.extent(own, index)
        lexed = extents[own].lexed
    if _has_comment(data, revision.xref_offset, lexed):
        findings.append(Message("UNEXPLAINED_BYTES", f"the cross-reference at {revision.xref_offset} or its trailer holds a comment"))
    findings += review_lookalikes(data, revision, extents, run, strict=strict)
    return Tiling(findings, {run.root: run.reached} if run else {})


def _last_unread(document: Document, placed: Sequence[XrefEntry]) -> int:
    """From which place on nobody has read any object yet: those of an appearance, for the most part."""
    place, read = len(placed), document.read_places
    while place and placed[place - 1].offset not in read:
        place -= 1
    return place


def _run(document: Document, revision: Revision, placed: Sequence[XrefEntry]) -> Run | None:
    """The run that the last objects of an update are, where it is one that ends at the cross-reference."""
    start, end = placed[0].offset, revision.xref_offset
    if end - start > MAX_RUN or document.limits is not LIMITS:
        return None
    run = run_of(document.data[start:end])
    return run if run is not None and run.places == [entry.offset - start for entry in placed] else None


def _gap(data: bytes, start: int, end: int) -> list[Message]:
    if start > end:
        return [Message("OBJECTS_OVERLAP", f"objects overlap between {end} and {start}")]
    between = data[start:end]
    if len(between) <= MAX_GAP and not between.strip(WHITE):
        return []
    return [Message("UNEXPLAINED_BYTES", f"{end - start} octets from {start} belong to no object of the update; expected objects only")]


def _has_comment(data: bytes, start: int, end: int) -> bool:
    """Whether a `%` stands between two tokens of data[start:end]; one inside a string does not count."""
    if data.find(b"%", start, end) < 0:
        return False
    position = start
    for _, token_start, token_end in tokens(data, start, end):
        if b"%" in data[position:token_start]:
            return True
        position = token_end
    return b"%" in data[position:end]
