"""What is refused before signing (attack class 15): a document that could later show something else than what its signer saw.

Hidden pages, objects that no cross-reference lists, fillable fields, hidden layers, JavaScript, XFA, active content and references to
things outside the file. A name that an object holds is spelled in its octets, plainly or with `#` escapes; so only objects with a
risky spelling are read, and those are judged by their values. There is no override.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from signing.errors import RefusedDocumentError
from signing.pdf.document import Document, XrefEntry
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.refusal import ACTIONS, ACTIVE_ANNOTATIONS, finding

_END = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)"
_RISKY = re.compile(
    rb"/(?:JavaScript|JS|XFA|AA|OpenAction|OCProperties|Ref|OPI|PS|URL|Page|Catalog|Template|FT|"
    + "|".join(sorted(ACTIONS | ACTIVE_ANNOTATIONS)).encode("ascii")
    + rb")"
    + _END
    + rb"|/F(?=[\x00\t\n\x0c\r ]*[(<0-9])"  # a stream's data in another file
    + rb"|/[^\x00\t\n\x0c\r ()<>\[\]{}/%#]{0,127}#"
)
_HEAD = re.compile(rb"[0-9]+[\x00\t\n\x0c\r ]+[0-9]+[\x00\t\n\x0c\r ]+")


def inspect(document: Document) -> None:
    """Raises :class:`RefusedDocumentError` naming what was found and where; returns where nothing of the kind is there.

    Not checked: whether the pages mean what they say, annotations that only draw, links to web addresses, fonts.
    """
    _refuse_hidden_objects(document)
    pages = _page_numbers(document)
    root = document.trailer.get("Root")
    for number in sorted(_suspects(document)):
        value = document.get(_current_ref(document, number))
        kind = value.get("Type") if isinstance(value, dict) else None
        if kind in ("Page", "Template") and number not in pages:
            raise RefusedDocumentError(f"object {number} is a page that is not among the document's pages (hidden page)")
        if kind == "Catalog" and not (isinstance(root, Ref) and root.number == number):
            raise RefusedDocumentError(f"object {number} is a second catalog (hidden document)")
        for dictionary, is_stream in reversed(list(_dictionaries(value))):  # the innermost says best what it is
            if found := finding(document, dictionary, is_stream=is_stream):
                raise RefusedDocumentError(f"object {number} holds {found}, which may not be in a document to be signed")


def _refuse_hidden_objects(document: Document) -> None:
    """Every `obj` in the file belongs to a listed object, or lies inside a stream."""
    if document.trailing.strip(b"\x00\t\n\x0c\r "):
        raise RefusedDocumentError("octets stand after the end of the document")
    heads: set[int] = set()
    for revision in document.revisions:
        offsets = [entry.offset for entry in revision.entries.values() if entry.kind == "offset"]
        if revision.xref_kind != "table":
            offsets.append(revision.xref_offset)
        heads.update(head.end() for offset in offsets if (head := _HEAD.match(document.data, offset)))
    stray = [position for position in _object_words(document.data) if position not in heads]
    if stray:
        spans = sorted(_spans(document))
        starts = [start for start, _ in spans]
        for position in stray:
            index = bisect_right(starts, position) - 1
            if index < 0 or position >= spans[index][1]:
                raise RefusedDocumentError(f"an object at octet {position} is listed nowhere (duplicate or hidden object)")


def _object_words(data: bytes) -> Iterator[int]:
    """Where `obj` stands that is not the end of a longer word, such as `endobj`. (`find` is ten times as fast as an expression.)"""
    position = data.find(b"obj")
    while position >= 0:
        if not data[position - 1 : position].isalpha():
            yield position
        position = data.find(b"obj", position + 3)


def _spans(document: Document) -> Iterator[tuple[int, int]]:
    for revision in document.revisions:
        for number, entry in revision.entries.items():
            if entry.kind == "offset":
                yield document.span(number, revision.index)


def _suspects(document: Document) -> set[int]:
    """Numbers of current objects whose octets hold a risky spelling."""
    current: dict[int, XrefEntry] = {}
    starts: set[int] = set()
    for revision in document.revisions:
        current.update(revision.entries)
        starts.add(revision.xref_offset)
        starts.update(entry.offset for entry in revision.entries.values())
    places = {entry.offset: number for number, entry in current.items() if entry.kind == "offset"}
    order = sorted(starts)  # superseded objects too: a hit in one of them is not its neighbour's
    found: set[int] = set()
    for match in _RISKY.finditer(document.data):
        index = bisect_right(order, match.start()) - 1
        if index >= 0 and order[index] in places:
            found.add(places[order[index]])
    streams: dict[int, list[int]] = {}
    for number, entry in current.items():
        if entry.kind == "compressed":
            streams.setdefault(entry.stream_number, []).append(number)
    for holder, members in streams.items():
        stream = document.get(_current_ref(document, holder))
        if isinstance(stream, Stream) and _RISKY.search(document.stream_data(stream)):
            found.update(members)
    return found


def _current_ref(document: Document, number: int) -> Ref:
    entry = document.entry(number)
    return Ref(number, entry.generation if entry else 0)


def _page_numbers(document: Document) -> set[int]:
    """Object numbers of the pages that the page tree shows."""
    pages: set[int] = set()
    pending = [document.root.get("Pages")]
    seen: set[int] = set()
    while pending:
        ref = pending.pop()
        node = document.get(ref)
        if not isinstance(ref, Ref) or not isinstance(node, dict) or ref.number in seen or len(seen) > document.limits.pages:
            raise RefusedDocumentError("the page tree is not a tree of references, or too large")
        seen.add(ref.number)
        kids = document.get(node.get("Kids")) if node.get("Type") != "Page" else None
        if isinstance(kids, list):
            pending += kids
        else:
            pages.add(ref.number)
    return pages


def _dictionaries(value: PdfObject) -> Iterator[tuple[dict[str, PdfObject], bool]]:
    """Every dictionary inside one object, and whether it is a stream's."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Stream):
            yield item.dictionary, True
            pending += item.dictionary.values()
        elif isinstance(item, dict):
            yield item, False
            pending += item.values()
        elif isinstance(item, list):
            pending += item
