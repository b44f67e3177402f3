"""PDF objects as Python values (ISO 32000-2 clause 7.3).

null is None, booleans are bool, numbers int or float, arrays list, dictionaries dict keyed by str (names without the slash, `#xx`
decoded as latin-1); names, strings, references and streams are the classes below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Union


class Name(str):
    """A name without its slash: Name("Sig") is /Sig."""

    __slots__ = ()


class PdfString(bytes):
    """A string's octets after decoding; whether it was written literal or hexadecimal is the lexer's business."""


class Ref(NamedTuple):
    """An indirect reference `number generation R`."""

    number: int
    generation: int = 0


@dataclass(frozen=True)
class Stream:
    """A stream: its dictionary and its octets as they lie in the file, still encoded by its filters."""

    dictionary: dict[str, PdfObject]
    raw: bytes


PdfObject = Union[None, bool, int, float, Name, PdfString, Ref, Stream, list["PdfObject"], dict[str, "PdfObject"]]  # noqa: UP007 (recursive)
