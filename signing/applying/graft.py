"""Carrying a page of one PDF into another as a Form XObject, with everything that it refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, Ref, Stream
from signing.pdf.serialize import serialize

MAX_OBJECTS = 200  # an appearance needs about fifteen


@dataclass(frozen=True)
class Graft:
    """Objects ready to be numbered anew: octets, with an index into `objects` wherever one refers to another. The form is the first."""

    objects: tuple[tuple[bytes | int, ...], ...]

    @property
    def size(self) -> int:
        """How many object numbers :meth:`place` takes."""
        return len(self.objects)

    def place(self, first: int) -> list[bytes]:
        """The objects' octets, the form being number `first` and the others following it."""
        return [b"".join(part if isinstance(part, bytes) else b"%d 0 R" % (first + part) for part in parts) for parts in self.objects]


def graft_first_page(pdf: bytes, *, width: float, height: float) -> Graft:
    """The first page of `pdf` as a form of `width` by `height` points. Raises :class:`PdfError` where the page is not of the simple kind
    that Typst writes: one content stream, resources of its own."""
    source = Document.parse(pdf)
    page = _first_page(source)
    content = source.get(page.get("Contents"))
    if not isinstance(content, Stream):
        raise PdfError("an appearance's page should have one content stream")
    kept = {key: value for key, value in content.dictionary.items() if key in ("Filter", "DecodeParms")}
    form: dict[str, PdfObject] = {
        "Type": Name("XObject"),
        "Subtype": Name("Form"),
        "BBox": [0, 0, round(width, 2), round(height, 2)],
        "Resources": source.get(page.get("Resources", {})),
        **({"Group": page["Group"]} if "Group" in page else {}),
        **kept,
    }
    return _collect(source, Stream(form, content.raw))


def _first_page(source: Document) -> dict[str, PdfObject]:
    pages = source.get(source.root.get("Pages"))
    kids = pages.get("Kids") if isinstance(pages, dict) else None
    if isinstance(kids, list) and len(kids) == 1:
        page = source.get(kids[0])
        if isinstance(page, dict) and page.get("Type") == "Page":
            return page
    raise PdfError("an appearance should be set on exactly one page")


def _collect(source: Document, form: Stream) -> Graft:
    """Breadth first from the form, so that the same page always gives the same order."""
    index: dict[Ref, int] = {}
    queue: list[PdfObject] = [form]
    objects = []
    for value in queue:  # grows while it is walked
        parts = list(_parts(value, index, queue, source))
        if len(queue) > MAX_OBJECTS:
            raise PdfError(f"an appearance refers to more than {MAX_OBJECTS} objects")
        objects.append(tuple(_joined(parts)))
    return Graft(tuple(objects))


def _parts(value: PdfObject, index: dict[Ref, int], queue: list[PdfObject], source: Document) -> Iterator[bytes | int]:
    if isinstance(value, Ref):
        if value not in index:
            index[value] = len(queue)
            queue.append(source.get(value))
        yield index[value]
    elif isinstance(value, dict):
        yield b"<<"
        for key, item in value.items():
            yield serialize(Name(key)) + b" "
            yield from _parts(item, index, queue, source)
            yield b" "
        yield b">>"
    elif isinstance(value, list):
        yield b"["
        for item in value:
            yield from _parts(item, index, queue, source)
            yield b" "
        yield b"]"
    elif isinstance(value, Stream):
        yield from _parts({**value.dictionary, "Length": len(value.raw)}, index, queue, source)
        yield b"\nstream\n" + value.raw + b"\nendstream"
    else:
        yield serialize(value)


def _joined(parts: list[bytes | int]) -> Iterator[bytes | int]:
    """Neighbouring octets made one, so that placing a graft touches few pieces."""
    for is_octets, group in groupby(parts, key=lambda part: isinstance(part, bytes)):
        if is_octets:
            yield b"".join(part for part in group if isinstance(part, bytes))
        else:
            yield from group
