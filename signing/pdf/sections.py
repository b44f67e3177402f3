"""One cross-reference section: table or stream, trailer, and the startxref and %%EOF after it (ISO 32000-2 clauses 7.5.4 to 7.5.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from signing.errors import EncryptedPdfError, LimitError, PdfError
from signing.pdf.lexer import read_value
from signing.pdf.limits import LIMITS, MAX_OBJECT_NUMBER, Limits
from signing.pdf.objects import PdfObject, Stream
from signing.pdf.plain import MAX_PLAIN, read_plain
from signing.pdf.rows import ROW_SIZE, SoleRows, XrefEntry, read_rows

_SPACE = rb"[\x00\t\n\x0c\r ]"
_EOL = rb"(?:\r\n|\n|\r)"
_STARTXREF = b"startxref"
_TABLE = re.compile(rb"xref[\t ]*" + _EOL)
_SUBSECTION = re.compile(rb"([0-9]{1,10}) ([0-9]{1,10})[\t ]*" + _EOL)
_TRAILER = re.compile(_SPACE + rb"*trailer(?=" + _SPACE + rb"|<<)")
# Comments may stand before startxref: iText writes its name there.
_CLOSE = re.compile(rb"(?:" + _SPACE + rb"++|%[^\r\n]*+)*+" + _STARTXREF + _SPACE + rb"+([0-9]{1,19})" + _SPACE + rb"+%%EOF")


@dataclass(frozen=True)
class Section:
    offset: int
    kind: Literal["table", "stream", "hybrid"]
    entries: Mapping[int, XrefEntry]
    trailer: dict[str, PdfObject]
    close: int
    """Offset just after the trailer dictionary or the stream's `endobj`."""
    startxref: int
    eof: int
    end: int


ReadStream = Callable[[int], tuple[Stream, bytes, int]]
"""(stream, decoded octets, offset after `endobj`) of the stream object at an offset, whose dictionary holds no references that matter."""


def read_section(data: bytes, offset: int, read_stream: ReadStream, limits: Limits) -> Section:
    if not 0 < offset < len(data):
        raise PdfError(f"startxref or /Prev points to {offset}, outside the file of {len(data)} octets")
    kind: Literal["table", "stream", "hybrid"]
    entries: Mapping[int, XrefEntry]
    if table := _TABLE.match(data, offset):
        entries, trailer, close = _table(data, table.end(), limits)
        kind = "table"
        if "XRefStm" in trailer:
            kind = "hybrid"
            entries = _with_hidden(dict(entries), trailer["XRefStm"], read_stream, limits)
    else:
        stream, decoded, close = read_stream(offset)
        entries, trailer, kind = _stream_entries(stream, decoded, limits), stream.dictionary, "stream"
        if "XRefStm" in trailer:
            raise PdfError(
                f"the cross-reference stream at {offset} names an /XRefStm, which some readers follow; expected one in tables only"
            )
    if "Encrypt" in trailer:
        raise EncryptedPdfError("the document is encrypted; expected one without a password")
    _check_size(entries, trailer, offset)
    closing = _CLOSE.match(data, close)
    if closing is None:
        if (
            type(previous := trailer.get("Prev")) is int and previous > offset
        ):  # a linearised file's first section; qpdf leaves its %%EOF out
            return Section(offset, kind, entries, trailer, close, 0, close, close)
        raise PdfError(f"the cross-reference at {offset} is not followed by startxref and %%EOF")
    eof = closing.end()
    end = eof + (2 if data.startswith(b"\r\n", eof) else data[eof : eof + 1] in (b"\n", b"\r"))
    return Section(offset, kind, entries, trailer, close, int(closing[1]), eof, end)


def _check_size(entries: Mapping[int, XrefEntry], trailer: dict[str, PdfObject], offset: int) -> None:
    size = trailer.get("Size")
    if type(size) is not int or not 0 < size <= MAX_OBJECT_NUMBER + 1:
        raise PdfError(f"/Size of the cross-reference at {offset} is not a positive integer")
    if entries and max(entries) >= size:
        raise PdfError(f"the cross-reference at {offset} names object {max(entries)}, beyond its /Size {size}")


def _table(data: bytes, position: int, limits: Limits) -> tuple[Mapping[int, XrefEntry], dict[str, PdfObject], int]:
    entries: dict[int, XrefEntry] = {}
    sole: SoleRows | None = None
    while subsection := _SUBSECTION.match(data, position):
        first, count = int(subsection[1]), int(subsection[2])
        position = subsection.end()
        if count > limits.entries or first + count > MAX_OBJECT_NUMBER + 1:
            raise LimitError(f"a cross-reference subsection of {count} objects from {first}")
        end = position + count * ROW_SIZE
        rows = data[position:end]
        alone = first == 0 and not entries and not _SUBSECTION.match(data, end)
        found = (SoleRows.read(rows) if alone else None) or read_rows(rows, first)
        if found is None or len(found) != count:
            raise PdfError(f"no cross-reference entry of {ROW_SIZE} octets for each of {count} objects at offset {position}")
        position = end
        if isinstance(found, SoleRows):
            sole = found
            break
        if not entries.keys().isdisjoint(found):
            raise PdfError(f"an object from {first} to {first + count - 1} stands twice in one cross-reference table")
        entries.update(found)
    keyword = _TRAILER.match(data, position)
    if keyword is None:
        raise PdfError(f"no trailer after the cross-reference table, at offset {position}")
    return sole or entries, *_trailer(data, keyword.end(), limits)


def _trailer(data: bytes, position: int, limits: Limits) -> tuple[dict[str, PdfObject], int]:
    """The trailer dictionary and the offset after it."""
    after = data.find(_STARTXREF, position, position + MAX_PLAIN)
    if after >= 0 and limits is LIMITS and (plain := read_plain(data[position:after])):
        return plain, data.rindex(b">>", position, after) + len(b">>")
    trailer, close = read_value(data, position, limits=limits)
    if not isinstance(trailer, dict):
        raise PdfError(f"the trailer at offset {position} is not a dictionary")
    return trailer, close


def _with_hidden(entries: dict[int, XrefEntry], offset: PdfObject, read_stream: ReadStream, limits: Limits) -> dict[int, XrefEntry]:
    if type(offset) is not int:
        raise PdfError("/XRefStm is not an integer")
    stream, decoded, _ = read_stream(offset)
    for number, entry in _stream_entries(stream, decoded, limits).items():
        if entry.kind != "free" and entries.get(number, entry).kind not in ("free", entry.kind):
            raise PdfError(f"hybrid cross-reference: table and stream disagree about object {number}")
        if entry.kind == "offset" and number in entries and entries[number].kind == "offset" and entries[number] != entry:
            raise PdfError(f"hybrid cross-reference: table and stream disagree about object {number}")
        if entry.kind != "free" or number not in entries:
            entries[number] = entry
    return entries


def _stream_entries(stream: Stream, decoded: bytes, limits: Limits) -> dict[int, XrefEntry]:
    dictionary = stream.dictionary
    if dictionary.get("Type") != "XRef":
        raise PdfError("startxref or /Prev points to an object that is no cross-reference stream")
    widths, size = _integers(dictionary.get("W")), dictionary.get("Size")
    index = _integers(dictionary.get("Index", [0, size]))
    if len(widths) != 3 or max(widths) > 8 or not widths[1] or len(index) % 2:
        raise PdfError("a cross-reference stream's /W or /Index is malformed")
    row, total = sum(widths), sum(index[1::2])
    if total > limits.entries:
        raise LimitError(f"a cross-reference stream of {total} entries")
    if len(decoded) != total * row:
        raise PdfError(f"a cross-reference stream of {len(decoded)} octets; expected {total} entries of {row}")
    entries: dict[int, XrefEntry] = {}
    position = 0
    for first, count in zip(index[::2], index[1::2], strict=True):
        for number in range(first, first + count):
            if number in entries:
                raise PdfError(f"object {number} stands twice in one cross-reference stream")
            entries[number] = _stream_entry(number, decoded[position : position + row], widths)
            position += row
    return entries


def _stream_entry(number: int, row: bytes, widths: list[int]) -> XrefEntry:
    a, b = widths[0], widths[0] + widths[1]
    kind = int.from_bytes(row[:a], "big") if a else 1  # ISO 32000-2 table 17: type 1 where the field is absent
    second, third = int.from_bytes(row[a:b], "big"), int.from_bytes(row[b:], "big")
    if kind == 0:
        return XrefEntry(number, min(third, 65_535), "free")
    if kind == 1:
        return XrefEntry(number, third, "offset", offset=second)
    if kind == 2:
        return XrefEntry(number, 0, "compressed", stream_number=second, index=third)
    raise PdfError(f"cross-reference entry of type {kind} for object {number}; expected 0, 1 or 2")


def _integers(value: PdfObject) -> list[int]:
    if not isinstance(value, list):
        raise PdfError("a cross-reference stream lacks an array of integers")
    found = [item for item in value if type(item) is int and 0 <= item <= MAX_OBJECT_NUMBER + 1]
    if len(found) != len(value):
        raise PdfError("a cross-reference stream's array holds something else than small non-negative integers")
    return found
