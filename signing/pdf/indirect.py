"""Objects with a number: `N G obj … endobj`, their streams, and those inside object streams (ISO 32000-2 clauses 7.3.8, 7.3.10, 7.5.7)."""

from __future__ import annotations

import re
from functools import lru_cache

from signing.errors import PdfError
from signing.pdf.lexer import SKIP, keyword_at, read_value
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import PdfObject, Stream

_SPACE = rb"[\x00\t\n\x0c\r ]"
OBJECT = re.compile(rb"([0-9]{1,10})" + _SPACE + rb"+([0-9]{1,5})" + _SPACE + rb"+obj(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")
_STREAM_DATA = re.compile(rb"\r\n|\n")
_END_STREAM = re.compile(rb"(?:\r\n|\n|\r)?endstream(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")


MAX_SHORT = 1_024  # octets of an object that is remembered
MAX_PARTS = 128  # strings, arrays and dictionaries in it: they take far more octets than they are spelled with
MAX_REMEMBERED = 2_048  # such objects: some 6 MiB where documents are honest, five times that at most


def read_head(
    data: bytes, offset: int, *, limits: Limits, entry_spans: dict[str, tuple[int, int]] | None = None
) -> tuple[PdfObject, int, int]:
    """(value, end, start of stream data or 0) of the object at `offset`; for a stream `end` does not count.

    `entry_spans` as in :func:`signing.pdf.lexer.read_value`.
    """
    head = OBJECT.match(data, offset)
    if head is None:
        raise PdfError(f"no object at offset {offset}")
    start = head.end()
    short = _short(data[start : _closing(data, start) + 1]) if entry_spans is None and limits is LIMITS else None
    if short is not None:
        value, word, end = short[0], short[1], start + short[2]
    else:
        value, position = read_value(data, start, limits=limits, entry_spans=entry_spans)
        word, end = keyword_at(data, position)
    if word == b"endobj":
        return value, end, 0
    if word == b"stream" and (eol := _STREAM_DATA.match(data, end)):
        return value, end, eol.end()
    raise PdfError(f"the object at offset {offset} is not closed by endobj")


def _closing(data: bytes, start: int) -> int:
    """Where `endobj` or `stream`, the first after `start`, ends; `start` itself where there is none near."""
    end = data.find(b"endobj", start, start + MAX_SHORT)
    stream = data.find(b"stream", start, end if end >= 0 else start + MAX_SHORT)
    return stream + len(b"stream") if stream >= 0 else end + len(b"endobj") if end >= 0 else start


@lru_cache(maxsize=MAX_REMEMBERED)
def _short(octets: bytes) -> tuple[PdfObject, bytes, int] | None:
    """(value, keyword after it, its end) where the keyword stands at the end of `octets` but for one octet; else None.

    None too where there are more parts than `MAX_PARTS`.

    What the lexer reads depends on nothing beyond the octet after the last token: wherever the same octets stand, in whatever document,
    they are the same object. Records of one make repeat most of theirs, number by number.
    """
    if sum(map(octets.count, (b"(", b"[", b"<"))) > MAX_PARTS:
        return None
    try:
        value, position = read_value(octets, 0)
        word, end = keyword_at(octets, position)
    except PdfError:
        return None
    return (value, word, end) if end == len(octets) - 1 else None


def read_stream(data: bytes, offset: int, dictionary: dict[str, PdfObject], start: int, length: int) -> tuple[Stream, int]:
    """The stream whose data begin at `start`, and the offset after its `endobj`; `offset` is for the message."""
    closing = _END_STREAM.match(data, start + length)
    if closing is None:
        raise PdfError(f"the stream at offset {offset} is not followed by endstream after its /Length of {length}")
    word, end = keyword_at(data, closing.end())
    if word != b"endobj":
        raise PdfError(f"the stream at offset {offset} is not closed by endobj")
    return Stream(dictionary, data[start : start + length]), end


def members(data: bytes, count: int, first: int, *, limits: Limits) -> dict[int, tuple[int, PdfObject]]:
    """index → (object number, object) of a decoded object stream with /N `count` and /First `first`."""
    if not 0 <= count <= limits.entries or not 0 <= first <= len(data):
        raise PdfError(f"an object stream says /N {count} /First {first}, with {len(data)} octets")
    header = data[:first].split()
    if len(header) < 2 * count or not all(word.isdigit() and len(word) <= 10 for word in header[: 2 * count]):
        raise PdfError("an object stream's header is not made of pairs of integers")
    numbers = [int(word) for word in header[: 2 * count]]
    found: dict[int, tuple[int, PdfObject]] = {}
    after = 0
    for index in range(count):
        offset = numbers[2 * index + 1]
        if offset < after:
            raise PdfError("an object stream's objects overlap or are out of order")
        value, end = read_value(data, first + offset, limits=limits)
        after = end - first
        found[index] = (numbers[2 * index], value)
    if SKIP.sub(b"", data[first + after :]):
        raise PdfError("an object stream holds octets after its last object")
    return found
