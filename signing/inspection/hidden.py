"""Hidden objects in a document to be signed: octets that no cross-reference lists, and objects that nothing refers to.

A shadow attack keeps its other contents in such objects until after signing (attack classes 12 and 15). An object counts as shown where
the trailer leads to it, in any revision: what a revision replaced was shown once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from signing.errors import RefusedDocumentError
from signing.inspection.layout import Layout
from signing.inspection.reading import Edges, references
from signing.pdf.document import Document
from signing.pdf.indirect import read_head
from signing.pdf.objects import PdfObject, Ref

_BEFORE = re.compile(rb"([0-9]{1,10})[\x00\t\n\x0c\r ]+[0-9]{1,5}[\x00\t\n\x0c\r ]+\Z")
_HEAD = re.compile(rb"[0-9]+[\x00\t\n\x0c\r ]+[0-9]+[\x00\t\n\x0c\r ]+")


def refuse_unlisted(document: Document, layout: Layout) -> None:
    """Every `obj` in the file belongs to a listed object, or lies inside a stream. Raises :class:`RefusedDocumentError`."""
    if document.trailing.strip(b"\x00\t\n\x0c\r "):
        raise RefusedDocumentError("hidden-object", "octets stand after the end of the document")
    if layout.words == len(layout.places):
        return  # each listed object has its own, so there is none to spare
    heads = {head.end() for offset in layout.places if (head := _HEAD.match(document.data, offset))}
    stray = [position for position in _object_words(document.data) if position not in heads]
    if stray:
        spans = sorted(_spans(document))
        starts = [start for start, _ in spans]
        for position in stray:
            index = bisect_right(starts, position) - 1
            if index < 0 or position >= spans[index][1]:
                raise _unlisted(document, position)


def refuse_unreachable(document: Document, layout: Layout) -> None:
    """Every stream and dictionary is reached from the trailer. Raises :class:`RefusedDocumentError`.

    The quick reading comes first; what that cannot place is read in full before it is refused.
    """
    current = layout.current
    if current.keys() <= _reached(layout.edges):
        return
    left = sorted(current.keys() - _reached(_exact_edges(document)))
    containers = {entry.stream_number for entry in current.values() if entry.kind == "compressed"}
    hints = _hint_offsets(document, left)
    for number in left:
        value, is_stream = value_of(document, number)
        tables = isinstance(value, dict) and value.get("Type") == "XRef"  # a cross-reference is named by startxref
        if not isinstance(value, dict) or number in containers or tables or "Linearized" in value or current[number].offset in hints:
            continue
        what = "a stream" if is_stream else "a dictionary"
        raise RefusedDocumentError("hidden-object", f"object {number}, {what}, is listed but nothing refers to it")


def _exact_edges(document: Document) -> Edges:
    """By reading every version of every object. A reference by another generation than the object has refers to nothing."""
    edges: Edges = {0: [ref.number for revision in document.revisions for ref in references(revision.trailer)]}
    for revision in document.revisions:
        for number, entry in revision.entries.items():
            if entry.kind != "free":
                if entry.kind == "offset":
                    value = read_head(document.data, entry.offset, limits=document.limits)[0]
                else:
                    value = document.get(Ref(number), revision=revision.index)
                found = ((ref, document.entry(ref.number)) for ref in references(value))
                edges.setdefault(number, []).extend(ref.number for ref, to in found if to is not None and to.generation == ref.generation)
    return edges


def value_of(document: Document, number: int) -> tuple[PdfObject, bool]:
    """The object's value, of a stream its dictionary alone, and whether it is a stream. Its data are not copied."""
    entry = document.entry(number)
    if entry is not None and entry.kind == "offset":
        value, _, data = read_head(document.data, entry.offset, limits=document.limits)
        return value, bool(data)
    return document.get(Ref(number, entry.generation if entry else 0)), False


def _unlisted(document: Document, position: int) -> RefusedDocumentError:
    head = _BEFORE.search(document.data, max(position - 40, 0), position)
    number = int(head[1]) if head else None
    if number is not None and (entry := document.entry(number)) is not None and entry.kind != "free":
        return RefusedDocumentError("duplicate-object", f"object {number} stands twice; the one at octet {position} is listed nowhere")
    return RefusedDocumentError("hidden-object", f"an object at octet {position} is listed nowhere")


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


def _reached(edges: Edges) -> set[int]:
    pending = list(edges[0])
    seen: set[int] = set()
    while pending:
        number = pending.pop()
        if number not in seen:
            seen.add(number)
            pending += edges.get(number, ())
    return seen


def _hint_offsets(document: Document, numbers: list[int]) -> set[PdfObject]:
    """Where the hint streams of a linearised file stand (annex F.3.1): named by offset, by nothing else."""
    for number in numbers:
        value, _ = value_of(document, number)
        if isinstance(value, dict) and "Linearized" in value and isinstance(hints := value.get("H"), list):
            return {item for item in hints[::2] if isinstance(item, int)}
    return set()
