"""The gap in a signed file: room for a container, everything else hashed, the container put in (ISO 32000-2 clause 12.8.1)."""

from __future__ import annotations

import hashlib

from signing.container import ContainerError, rounded
from signing.pdf.objects import PdfObject, Ref
from signing.pdf.serialize import serialize
from signing.writer import Update

RANGE_ROOM = 36  # characters for the three numbers of /ByteRange that are not known beforehand; enough for files of 10^11 octets


def write_with_gap(update: Update, ref: Ref, entries: dict[str, PdfObject], room: int) -> tuple[bytearray, tuple[int, int]]:
    """Closes `update` with the signature dictionary `ref`: `entries`, /ByteRange filled in, /Contents of `room` zero octets."""
    head = serialize(entries)[:-2] + b"/Contents <"
    between = b">/ByteRange [0 "
    room = rounded(room)
    update.put_encoded(ref, head + b"0" * (2 * room) + between + b" " * RANGE_ROOM + b"]>>")
    revision = update.close()
    data = revision.data
    start = revision.bodies[ref] + len(head) - 1
    end = start + 2 * room + 2
    numbers = b"%d %d %d" % (start, end, len(data) - end)
    at = end - 1 + len(between)
    data[at : at + len(numbers)] = numbers
    return data, (start, end)


def byte_range_digest(data: bytearray, gap: tuple[int, int], algorithm: str) -> bytes:
    """The digest of everything but the gap, which is exactly the hexadecimal string with its brackets (ISO 32000-2 12.8.1)."""
    view = memoryview(data)
    digest = hashlib.new(algorithm, view[: gap[0]])
    digest.update(view[gap[1] :])
    return digest.digest()


def fill_gap(data: bytearray, gap: tuple[int, int], container_der: bytes) -> bytes:
    """The finished file. Raises :class:`ContainerError`."""
    room = (gap[1] - gap[0] - 2) // 2
    if len(container_der) > room:
        raise ContainerError(f"the container has {len(container_der)} octets, expected at most {room}")
    out = bytearray(data)
    out[gap[0] + 1 : gap[0] + 1 + 2 * len(container_der)] = container_der.hex().encode("ascii")
    return bytes(out)
