"""A run: objects that stand one straight after the other, known by their octets.

A visible signature brings some fifteen objects, octet for octet those of the other records that its signer signed. Where they stand in
their run, and that they are inert, depends on these octets alone: it is worked out once and remembered. What a document says of them (its
cross-reference, what stood before) is no part of it, and held against each document.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from signing.changes.inert import reached_inertly
from signing.errors import PdfError
from signing.pdf.indirect import OBJECT, read_head, read_stream
from signing.pdf.limits import LIMITS
from signing.pdf.objects import PdfObject, Ref, Stream

MAX_RUN = 16 * 1024  # octets of a run that is remembered
MAX_OBJECTS = 64  # in such a run; an appearance has fifteen
_MAX_REMEMBERED = 1_024  # such runs: 16 MiB of octets and 5 MiB of findings at most, half of that where documents are honest


class Run(NamedTuple):
    """What a run of objects is. It names nothing else as an object, and holds no comment."""

    length: int
    places: list[int]
    """Where each object begins, counted from the start of the run."""
    root: Ref
    """The one object that no other refers to."""
    reached: tuple[int, ...]
    """The objects that are reached from `root`, in the order of the walk: all of them new where the run is, and inert."""


@lru_cache(maxsize=_MAX_REMEMBERED)
def run_of(octets: bytes) -> Run | None:
    """The run that `octets` are, each object of which ends with a line feed; None where they are anything else, or anything unusual.

    What is read depends on nothing behind the octet after an object, and that is the line feed.
    """
    objects: dict[Ref, PdfObject] = {}
    places: list[int] = []
    position = 0
    try:
        while position < len(octets):
            ref, value, end = _object(octets, position)
            if ref in objects or len(objects) == MAX_OBJECTS or octets[end : end + 1] != b"\n":
                return None
            objects[ref] = value
            places.append(position)
            position = end + 1
    except PdfError:
        return None
    streams = sum(isinstance(value, Stream) for value in objects.values())
    words = tuple(map(octets.count, (b"obj", b"endstream", b"trailer")))
    if words != (2 * len(places), streams, 0):
        return None
    found = reached_inertly(objects)
    return Run(len(octets), places, *found) if found else None


def _object(octets: bytes, position: int) -> tuple[Ref, PdfObject, int]:
    """(number and generation, object, end) of what stands at `position`. Raises :class:`PdfError`, also where it holds a comment."""
    value, end, data = read_head(octets, position, limits=LIMITS)
    head = OBJECT.match(octets, position)
    if head is None or octets.find(b"%", position, data or end) >= 0:
        raise PdfError("a comment in a run of objects")
    if data:
        length = value.get("Length") if isinstance(value, dict) else None
        if not isinstance(value, dict) or type(length) is not int or not 0 <= length <= len(octets):
            raise PdfError("a stream whose length does not stand in its run")
        value, end = read_stream(octets, position, value, data, length)
    return Ref(int(head[1]), int(head[2])), value, end
