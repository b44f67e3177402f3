"""What is refused before signing (attack class 15): a document that could later show something else than what its signer saw.

Hidden pages, hidden and duplicate objects (:mod:`signing.inspection.hidden`), fillable fields, hidden layers, JavaScript, XFA, active
content and references to things outside the file. A name that an object holds is spelled in its octets, plainly or with `#` escapes; so
only objects with a risky spelling are read, and those are judged by their values. There is no override. Encryption is refused before this,
when the document is parsed (:class:`signing.errors.EncryptedPdfError`).
"""

from __future__ import annotations

from collections.abc import Iterator

from signing.errors import RefusedDocumentError
from signing.inspection.hidden import refuse_unlisted, refuse_unreachable, value_of
from signing.inspection.layout import Layout
from signing.inspection.refusal import finding
from signing.inspection.risky import RISKY, WORDS
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, Ref, Stream


def inspect(document: Document) -> None:
    """Raises :class:`RefusedDocumentError` naming what was found and where; returns where nothing of the kind is there.

    Not checked: whether the pages mean what they say, annotations that only draw, links to web addresses, fonts.
    """
    layout = Layout.of(document)
    refuse_unlisted(document, layout)
    pages = _page_numbers(document)
    root = document.trailer.get("Root")
    for number in sorted(_suspects(document, layout)):
        value, holds_stream = value_of(document, number)
        if isinstance(value, Name) and value in WORDS:  # for a dictionary to refer to, whose own octets then look harmless
            raise RefusedDocumentError("hidden-object", f"object {number} is the name /{value} alone")
        kind = value.get("Type") if isinstance(value, dict) else None
        if kind in ("Page", "Template") and number not in pages:
            raise RefusedDocumentError("hidden-page", f"object {number} is a page that is not among the document's pages")
        if kind == "Catalog" and not (isinstance(root, Ref) and root.number == number):
            raise RefusedDocumentError("hidden-document", f"object {number} is a second catalog")
        for dictionary in reversed(list(_dictionaries(value))):  # the innermost says best what it is
            if found := finding(document, dictionary, is_stream=holds_stream and dictionary is value):
                raise RefusedDocumentError(found[0], f"object {number} holds {found[1]}")
    refuse_unreachable(document, layout)


def _suspects(document: Document, layout: Layout) -> set[int]:
    """Numbers of current objects whose octets hold a risky spelling."""
    found = set(layout.risky)
    streams: dict[int, list[int]] = {}
    for number, entry in layout.current.items():
        if entry.kind == "compressed":
            streams.setdefault(entry.stream_number, []).append(number)
    for holder, members in streams.items():
        stream = document.get(Ref(holder))  # an object stream has no generation (ISO 32000-2 7.5.7)
        if isinstance(stream, Stream) and RISKY.search(document.stream_data(stream)):
            found.update(members)
    return found


def _page_numbers(document: Document) -> set[int]:
    """Object numbers of the pages that the page tree shows."""
    pages: set[int] = set()
    pending = [document.root.get("Pages")]
    seen: set[int] = set()
    while pending:
        ref = pending.pop()
        node = document.get(ref)
        if not isinstance(ref, Ref) or not isinstance(node, dict) or ref.number in seen or len(seen) > document.limits.pages:
            raise RefusedDocumentError("page-tree", "the page tree is not a tree of references, or too large")
        seen.add(ref.number)
        kids = document.get(node.get("Kids")) if node.get("Type") != "Page" else None
        if isinstance(kids, list):
            pending += kids
        else:
            pages.add(ref.number)
    return pages


def _dictionaries(value: PdfObject) -> Iterator[dict[str, PdfObject]]:
    """Every dictionary inside one object, itself included."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending += item.values()
        elif isinstance(item, list):
            pending += item
