"""No octet of an update is left unexplained: objects one after the other, then the cross-reference, trailer, startxref and %%EOF.

Whatever stands between (attack class 7: objects that no cross-reference names, for readers in repair mode) or hides in a comment is
reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from signing.lookalike import review_lookalikes
from signing.pdf.document import Document, Revision, XrefEntry
from signing.pdf.lexer import WHITE, tokens
from signing.verdict import Message

MAX_GAP = 16  # octets of white space between two objects; writers use one or two


def tile(document: Document, revision: Revision, changed: Mapping[int, XrefEntry], *, strict: bool = True) -> list[Message]:
    """Findings on the layout of one update, given its entries that differ from before. Raises :class:`signing.errors.PdfError`."""
    findings: list[Message] = []
    position = revision.start
    own = revision.xref_offset if revision.xref_kind == "stream" else None
    placed = sorted((e.offset, n) for n, e in changed.items() if e.kind == "offset" and e.offset != own)
    for offset, number in placed:
        if not revision.start <= offset < revision.xref_offset:
            text = f"the cross-reference of revision {revision.index} moves object {number} to {offset}, outside that revision"
            findings.append(Message("XREF_REPOINTED", text))
            continue
        findings += _gap(document.data, position, offset)
        position = max(position, document.span(number, revision.index)[1])
        if _has_comment(document.data, offset, document.head_end(offset, revision.index)):
            findings.append(Message("UNEXPLAINED_BYTES", f"object {number} at {offset} holds a comment"))
    findings += _gap(document.data, position, revision.xref_offset)
    if _has_comment(document.data, revision.xref_offset, _lexed_end(document, revision)):
        findings.append(Message("UNEXPLAINED_BYTES", f"the cross-reference at {revision.xref_offset} or its trailer holds a comment"))
    inside = [offset for offset, _ in placed if revision.start <= offset < revision.xref_offset]
    return findings + review_lookalikes(document, revision, inside, strict=strict)


def _gap(data: bytes, start: int, end: int) -> list[Message]:
    if start > end:
        return [Message("OBJECTS_OVERLAP", f"objects overlap between {end} and {start}")]
    between = data[start:end]
    if len(between) <= MAX_GAP and not between.strip(WHITE):
        return []
    return [Message("UNEXPLAINED_BYTES", f"{end - start} octets from {start} belong to no object of the update; expected objects only")]


def _lexed_end(document: Document, revision: Revision) -> int:
    stream = revision.xref_kind == "stream"
    return document.head_end(revision.xref_offset, revision.index) if stream else revision.close


def _has_comment(data: bytes, start: int, end: int) -> bool:
    """Whether a `%` stands between two tokens of data[start:end]; one inside a string does not count."""
    if b"%" not in data[start:end]:
        return False
    position = start
    for _, token_start, token_end in tokens(data, start, end):
        if b"%" in data[position:token_start]:
            return True
        position = token_end
    return b"%" in data[position:end]
