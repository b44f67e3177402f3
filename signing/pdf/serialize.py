"""From PDF objects to octets, deterministically: the same object always gives the same octets."""

from __future__ import annotations

import re

from signing.errors import PdfError
from signing.pdf.limits import LIMITS
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream

_NAME_ESCAPE = re.compile(rb"[^!-~]|[#()<>\[\]{}/%]")
_PLAIN = re.compile(rb"[ -~]*")
_LITERAL_ESCAPE = re.compile(rb"[()\\]")


def serialize(obj: PdfObject) -> bytes:
    """`obj` as it may stand between `N G obj` and `endobj`.

    Dictionary entries keep their order; strings keep their octets (literal where they are printable ASCII, else hexadecimal); a
    stream's /Length is the length of its octets. Raises :class:`PdfError` on what is no PDF object.
    """
    return _serialize(obj, 0)


def _serialize(obj: PdfObject, depth: int) -> bytes:
    if depth > LIMITS.depth:
        raise PdfError(f"objects nest deeper than {LIMITS.depth} levels")
    if isinstance(obj, Ref):
        return b"%d %d R" % (obj.number, obj.generation)
    if isinstance(obj, Name):
        return b"/" + _NAME_ESCAPE.sub(lambda m: b"#%02X" % m[0][0], obj.encode("latin-1"))
    if isinstance(obj, PdfString):
        return string(obj)
    if isinstance(obj, bool):
        return b"true" if obj else b"false"
    if isinstance(obj, int):
        return b"%d" % obj
    if isinstance(obj, float):
        return f"{obj:.6f}".rstrip("0").rstrip(".").encode("ascii")
    if isinstance(obj, list):
        return b"[" + b" ".join(_serialize(item, depth + 1) for item in obj) + b"]"
    if isinstance(obj, dict):
        return _dictionary(obj, depth)
    if isinstance(obj, Stream):
        head = _dictionary({**obj.dictionary, "Length": len(obj.raw)}, depth)
        return head + b"\nstream\n" + obj.raw + b"\nendstream"
    if obj is None:
        return b"null"
    raise PdfError(f"{type(obj).__name__} is not a PDF object")


def _dictionary(entries: dict[str, PdfObject], depth: int) -> bytes:
    inside = b" ".join(_serialize(Name(key), depth) + b" " + _serialize(value, depth + 1) for key, value in entries.items())
    return b"<<" + inside + b">>"


def string(octets: bytes) -> bytes:
    """A string object, literal or hexadecimal."""
    if _PLAIN.fullmatch(octets):
        return b"(" + _LITERAL_ESCAPE.sub(lambda m: b"\\" + m[0], octets) + b")"
    return b"<" + octets.hex().upper().encode("ascii") + b">"
