"""No octet of an update is left unexplained: objects one after the other, then the cross-reference, trailer, startxref and %%EOF.

Whatever stands between (attack class 7: objects that no cross-reference names, for readers in repair mode) or hides in a comment is
reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from signing.changes.lookalike import review_lookalikes
from signing.pdf.document import Document, Extent, Revision, XrefEntry
from signing.pdf.lexer import WHITE, tokens
from signing.verdict import Message

MAX_GAP = 16  # octets of white space between two objects; writers use one or two


def tile(document: Document, revision: Revision, changed: Mapping[int, XrefEntry], *, strict: bool = True) -> list[Message]:
    """Findings on the layout of one update, given its entries that differ from before. Raises :class:`signing.errors.PdfError`."""
    findings: list[Message] = []
    data, position, index = document.data, revision.start, revision.index
    own = revision.xref_offset if revision.xref_kind == "stream" else None
    placed = sorted((e.offset, n) for n, e in changed.items() if e.kind == "offset" and e.offset != own)
    extents: dict[int, Extent] = {}
    for offset, number in placed:
        if not revision.start <= offset < revision.xref_offset:
            text = f"the cross-reference of revision {index} moves object {number} to {offset}, outside that revision"
            findings.append(Message("XREF_REPOINTED", text))
            continue
        extent = extents[offset] = document.extent(offset, index)
        if data[position:offset] != b"\n":
            findings += _gap(data, position, offset)
        position = max(position, extent.end)
        if _has_comment(data, offset, extent.lexed):
            findings.append(Message("UNEXPLAINED_BYTES", f"object {number} at {offset} holds a comment"))
    findings += _gap(data, position, revision.xref_offset)
    lexed = revision.close
    if own is not None:
        extents[own] = document.extent(own, index)
        lexed = extents[own].lexed
    if _has_comment(data, revision.xref_offset, lexed):
        findings.append(Message("UNEXPLAINED_BYTES", f"the cross-reference at {revision.xref_offset} or its trailer holds a comment"))
    return findings + review_lookalikes(data, revision, extents, strict=strict)


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
