"""One incremental revision of a PDF (ISO 32000-2 clause 7.5.6): changed and new objects, cross-references, trailer.

The document before stays as it is, octet for octet. Objects follow each other in the order of their numbers with nothing between them,
the cross-reference section is of the kind of the one before, and the trailer keeps /Root and /Info: a reader can account for every octet
of a revision. The document information and the metadata stream are left untouched: they are not the signer's to change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.pdf.serialize import serialize

TRAILER_KEYS = ("Root", "Info")  # what an update carries over; /Size, /Prev and /ID are its own


@dataclass(frozen=True)
class Revision:
    """What follows `document`: the new revision's octets. `bodies` gives where in the file each written object's octets begin, after
    `N G obj` and its newline. The document is not copied: a large one would otherwise lie in memory several times."""

    document: bytes
    tail: bytearray
    bodies: Mapping[Ref, int]

    @property
    def data(self) -> bytes:
        """The whole file."""
        return b"".join((self.document, self.tail))


class Update:
    """A revision in the making over `document`. Nothing is written until :meth:`close`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._next = document.size
        self._values: dict[Ref, PdfObject] = {}
        self._encoded: dict[Ref, bytes] = {}

    def reserve(self, count: int = 1) -> Ref:
        """The first of `count` fresh object numbers in a row."""
        ref = Ref(self._next)
        self._next += count
        return ref

    def put(self, ref: Ref, value: PdfObject) -> None:
        """Gives `ref` a new value in this revision."""
        self._values[ref] = value

    def put_encoded(self, ref: Ref, body: bytes) -> None:
        """As :meth:`put`, for octets that are an object already."""
        self._encoded[ref] = body

    def add(self, value: PdfObject) -> Ref:
        ref = self.reserve()
        self.put(ref, value)
        return ref

    def get(self, value: PdfObject) -> PdfObject:
        """`value` itself, or what it refers to, as this revision would leave it."""
        return self._values[value] if isinstance(value, Ref) and value in self._values else self.document.get(value)

    def close(self) -> Revision:
        """The file with this revision at its end. Raises :class:`PdfError` where there is nothing to write."""
        written = {**{ref: serialize(value) for ref, value in self._values.items()}, **self._encoded}
        if not written:
            raise PdfError("an update without objects; expected at least one changed or new object")
        identifier = self._identifier(written)
        out, base = bytearray(), len(self.document.data)
        if not self.document.data.endswith((b"\n", b"\r")):
            out += b"\n"
        bodies: dict[Ref, int] = {}
        offsets: dict[int, tuple[int, int]] = {}
        for ref in sorted(written, key=lambda ref: ref.number):
            offsets[ref.number] = (base + len(out), ref.generation)
            out += b"%d %d obj\n" % (ref.number, ref.generation)
            bodies[ref] = base + len(out)
            out += written[ref] + b"\nendobj\n"
        start = base + len(out)
        if self.document.revisions[-1].xref_kind != "stream":
            out += _table(offsets) + b"trailer\n" + serialize(self._trailer(identifier)) + b"\n"
        else:
            out += self._stream(offsets, start, identifier)
        out += b"startxref\n%d\n%%%%EOF\n" % start
        return Revision(self.document.data, out, bodies)

    def _trailer(self, identifier: list[PdfObject] | None) -> dict[str, PdfObject]:
        before = self.document.trailer
        return {
            "Size": self._next,
            **{key: before[key] for key in TRAILER_KEYS if key in before},
            **({"ID": identifier} if identifier else {}),
            "Prev": self.document.revisions[-1].xref_offset,
        }

    def _identifier(self, written: Mapping[Ref, bytes]) -> list[PdfObject] | None:
        """/ID with its second part renewed from the contents of the update (ISO 32000-2 clause 14.4), without clock or chance."""
        before = self.document.get(self.document.trailer.get("ID"))
        if not (isinstance(before, list) and len(before) == 2 and all(isinstance(part, PdfString) for part in before)):
            return None
        changing = hashlib.sha256(b"".join((serialize(before[1]), *written.values()))).digest()[:16]
        return [before[0], PdfString(changing)]

    def _stream(self, offsets: dict[int, tuple[int, int]], start: int, identifier: list[PdfObject] | None) -> bytes:
        """A cross-reference stream (clause 7.5.8) without filters, which lists itself."""
        number = self.reserve().number
        offsets = {**offsets, number: (start, 0)}
        index: list[PdfObject] = []
        rows = bytearray()
        for first, run in _runs(offsets):
            index += [first, len(run)]
            for offset, generation in run:
                rows += b"\x01" + offset.to_bytes(4, "big") + generation.to_bytes(2, "big")
        entries: dict[str, PdfObject] = {"Type": Name("XRef"), "W": [1, 4, 2], "Index": index, **self._trailer(identifier)}
        return b"%d 0 obj\n" % number + serialize(Stream(entries, bytes(rows))) + b"\nendobj\n"


def _table(offsets: dict[int, tuple[int, int]]) -> bytes:
    """A classic cross-reference section (clause 7.5.4): entries of exactly 20 octets."""
    parts = [b"xref\n"]
    for first, run in _runs(offsets):
        parts.append(b"%d %d\n" % (first, len(run)))
        parts += [b"%010d %05d n\r\n" % entry for entry in run]
    return b"".join(parts)


def _runs(offsets: dict[int, tuple[int, int]]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Entries grouped into runs of consecutive object numbers."""
    run: list[tuple[int, int]] = []
    first = 0
    for number in sorted(offsets):
        if run and number != first + len(run):
            yield first, run
            run = []
        if not run:
            first = number
        run.append(offsets[number])
    yield first, run
