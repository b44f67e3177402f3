"""An attacker's tools: incremental updates written by hand, right or wrong on purpose. Independent of the signer's own writer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from signing.coverage.structure import SignatureField, read_structure
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.pdf.serialize import serialize

__all__ = ["Name", "PdfString", "Ref", "Stream"]


def signature(data: bytes, name: str) -> SignatureField:
    """The signature in the field called `name`."""
    return next(field for field in read_structure(Document.parse(data)).signed if field.name == name)


def body(document: Document, number: int) -> dict[str, PdfObject]:
    """A copy of a dictionary object's entries."""
    found = document.get(Ref(number))
    assert isinstance(found, dict)
    return dict(found)


def number_of(document: Document, kind: str, index: int = 0) -> int:
    """The number of the `index`-th dictionary or stream object whose /Type or /Subtype is `kind`."""
    found = []
    for number in document.numbers():
        value = document.get(Ref(number))
        entries = value.dictionary if isinstance(value, Stream) else value
        if isinstance(entries, dict) and kind in (entries.get("Type"), entries.get("Subtype")):
            found.append(number)
    return found[index]


def root_number(document: Document) -> int:
    root = document.trailer["Root"]
    assert isinstance(root, Ref)
    return root.number


def update(
    data: bytes,
    objects: Mapping[int, PdfObject | bytes],
    *,
    trailer: Mapping[str, PdfObject] | None = None,
    point: Mapping[int, int] | None = None,
    free: tuple[int, ...] = (),
    between: bytes = b"",
    with_xref: bool = True,
    with_trailer: bool = True,
    with_eof: bool = True,
) -> bytes:
    """`data` with one more revision of these objects (values, or octets as they shall stand between `N 0 obj` and `endobj`).

    `point` adds cross-reference entries to arbitrary offsets, `free` entries of freed objects, `between` octets before the
    cross-reference; the switches leave parts out.
    """
    document = Document.parse(data)
    out = bytearray(data if data.endswith(b"\n") else data + b"\n")
    offsets: dict[int, int] = dict(point or {})
    for number, value in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + (value if isinstance(value, bytes) and not isinstance(value, PdfString) else serialize(value))
        out += b"\nendobj\n"
    out += between
    start = len(out)
    entries = {number: b"%010d 00000 n\r\n" % offset for number, offset in offsets.items()} | dict.fromkeys(free, b"0000000000 00001 f\r\n")
    if with_xref:
        out += b"xref\n" + b"".join(b"%d 1\n" % number + entries[number] for number in sorted(entries))
    before = document.trailer
    entries_of_trailer: dict[str, PdfObject] = {key: before[key] for key in ("Root", "Info", "ID") if key in before}
    size = max([document.size, *(number + 1 for number in entries)])
    if with_trailer:
        values = {"Size": size, **entries_of_trailer, "Prev": document.revisions[-1].xref_offset, **(trailer or {})}
        out += b"trailer\n" + serialize(values) + b"\n"
    if with_trailer or with_xref:
        out += b"startxref\n%d\n" % (start if with_xref else document.revisions[-1].xref_offset)
    return bytes(out + (b"%%EOF\n" if with_eof else b""))


def update_compressed(data: bytes, objects: Mapping[int, PdfObject], inside: Mapping[int, tuple[int, int]]) -> bytes:
    """As :func:`update`, with a cross-reference stream; `inside` maps object numbers to (object stream's number, index)."""
    document = Document.parse(data)
    out = bytearray(data)
    rows: dict[int, bytes] = {n: b"\x02" + s.to_bytes(4, "big") + i.to_bytes(2, "big") for n, (s, i) in inside.items()}
    for number, value in objects.items():
        rows[number] = b"\x01" + len(out).to_bytes(4, "big") + b"\0\0"
        out += b"%d 0 obj\n" % number + serialize(value) + b"\nendobj\n"
    start = len(out)
    index: list[PdfObject] = [part for number in sorted(rows) for part in (number, 1)]
    entries: dict[str, PdfObject] = {
        **{"Type": Name("XRef"), "W": [1, 4, 2], "Index": index, "Size": max(rows) + 2},
        **{"Prev": document.revisions[-1].xref_offset},
        **{key: document.trailer[key] for key in ("Root", "Info", "ID") if key in document.trailer},
    }
    raw = b"".join(rows[number] for number in sorted(rows))
    out += b"%d 0 obj\n" % (max(rows) + 1) + serialize(Stream(entries, raw)) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def contents_span(data: bytes, name: str) -> tuple[int, int]:
    span = signature(data, name).contents_span
    assert span is not None
    return span


def overwrite(data: bytes, start: int, octets: bytes) -> bytes:
    return data[:start] + octets + data[start + len(octets) :]


def rewrite_range(data: bytes, name: str, text: bytes) -> bytes:
    """The /ByteRange of one signature replaced by `text` in the room that it has (padded with spaces)."""
    span = contents_span(data, name)
    match = re.compile(rb"/ByteRange ?\[[0-9 ]*\]").search(data, span[1]) or re.compile(rb"/ByteRange ?\[[0-9 ]*\]").search(data)
    assert match is not None
    room = match.end() - match.start()
    assert len(text) <= room
    return overwrite(data, match.start(), text.ljust(room))


def stamp_annotation(page: Ref, text: str = "10,0") -> dict[str, PdfObject]:
    """A visible free-text annotation over marks."""
    return {
        "Type": Name("Annot"),
        "Subtype": Name("FreeText"),
        "Rect": [20, 200, 300, 260],
        "P": page,
        "F": 4,
        "DA": PdfString(b"/Helv 24 Tf 0 g"),
        "Contents": PdfString(text.encode("latin-1")),
    }
