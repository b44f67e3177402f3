"""The gap in a signed file: room for a container, everything else hashed, the container put in (ISO 32000-2 clause 12.8.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from signing.applying.container import ContainerError, rounded
from signing.applying.writer import Update
from signing.pdf.objects import PdfObject, Ref
from signing.pdf.serialize import serialize

RANGE_ROOM = 36  # characters for the three numbers of /ByteRange that are not known beforehand; enough for files of 10^11 octets


@dataclass(frozen=True)
class Gapped:
    """`document` and after it `tail`, a revision with room for a container. `gap`: offsets in the file of `<` and of the octet after `>`.

    The two are joined once, when the file is finished: a document of 100 MB is not copied before.
    """

    document: bytes
    tail: bytearray
    gap: tuple[int, int]

    def digest(self, algorithm: str) -> bytes:
        """Of everything but the gap, which is exactly the hexadecimal string with its brackets."""
        start, end = self._gap_in_tail
        digest = hashlib.new(algorithm, self.document)
        view = memoryview(self.tail)
        digest.update(view[:start])
        digest.update(view[end:])
        return digest.digest()

    def filled(self, container_der: bytes) -> bytes:
        """The finished file. Raises :class:`ContainerError`."""
        start, end = self._gap_in_tail
        room = (end - start - 2) // 2
        if len(container_der) > room:
            raise ContainerError(f"the container has {len(container_der)} octets, expected at most {room}")
        view = memoryview(self.tail)
        octets = container_der.hex().encode("ascii")
        return b"".join((self.document, view[: start + 1], octets, view[start + 1 + len(octets) :]))

    @property
    def _gap_in_tail(self) -> tuple[int, int]:
        return self.gap[0] - len(self.document), self.gap[1] - len(self.document)


def write_with_gap(update: Update, ref: Ref, entries: dict[str, PdfObject], room: int) -> Gapped:
    """Closes `update` with the signature dictionary `ref`: `entries`, /ByteRange filled in, /Contents of `room` zero octets."""
    head = serialize(entries)[:-2] + b"/Contents <"
    between = b">/ByteRange [0 "
    room = rounded(room)
    update.put_encoded(ref, head + b"0" * (2 * room) + between + b" " * RANGE_ROOM + b"]>>")
    revision = update.close()
    base, tail = len(revision.document), revision.tail
    start = revision.bodies[ref] + len(head) - 1
    end = start + 2 * room + 2
    numbers = b"%d %d %d" % (start, end, base + len(tail) - end)
    at = end - base - 1 + len(between)
    tail[at : at + len(numbers)] = numbers
    return Gapped(revision.document, tail, (start, end))
