"""Indefinite lengths made definite: the one liberty of BER that other signers take in a CMS (X.690 section 8.1.3.6; NSS and so pdfsig).

A BER element keeps every octet of its contents; only lengths and end-of-contents octets are spelled anew. What the DER reader then refuses,
such as constructed strings or a length that is not minimal, stays refused.
"""

from __future__ import annotations

from pki.errors import EncodingError
from pki.structures.der import element

MAX_DEPTH = 16  # elements of indefinite length in one another; a CMS signature has four
MAX_ELEMENTS = 10_000  # bounds work on hostile input
_INDEFINITE = 0x80
_CONSTRUCTED = 0x20
_END = b"\x00\x00"


def definite(octets: bytes) -> tuple[bytes, int]:
    """The element at the front with definite lengths, and how many of `octets` it takes; raises :class:`pki.errors.EncodingError`."""
    return _Reader(octets).read(0, 0)


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._read = 0

    def read(self, at: int, depth: int) -> tuple[bytes, int]:
        """(the element at `at` with definite lengths, where it ends)."""
        self._read += 1
        if depth > MAX_DEPTH or self._read > MAX_ELEMENTS:
            raise EncodingError(f"BER: more than {MAX_DEPTH} indefinite lengths in one another or {MAX_ELEMENTS} elements")
        tag, first = self._header(at)
        if first != _INDEFINITE:
            end = self._end(at, first)
            return self._octets[at:end], end
        if not tag & _CONSTRUCTED:
            raise EncodingError(f"BER: a primitive element at {at} has no definite length")
        parts: list[bytes] = []
        place = at + 2
        while self._octets[place : place + 2] != _END:
            part, place = self.read(place, depth + 1)
            parts.append(part)
        return element(tag, b"".join(parts)), place + 2

    def _header(self, at: int) -> tuple[int, int]:
        if at + 2 > len(self._octets):
            raise EncodingError(f"BER: cut off at {at}")
        tag, first = self._octets[at], self._octets[at + 1]
        if tag & 0x1F == 0x1F:
            raise EncodingError(f"BER: a tag of several octets at {at}, which no CMS signature has")
        return tag, first

    def _end(self, at: int, first: int) -> int:
        if first < _INDEFINITE:
            end = at + 2 + first
        else:
            count = first & 0x7F
            if count > 4:
                raise EncodingError(f"BER: a length of {count} octets at {at}")
            end = at + 2 + count + int.from_bytes(self._octets[at + 2 : at + 2 + count], "big")
        if end > len(self._octets):
            raise EncodingError(f"BER: the element at {at} ends at {end}, beyond the {len(self._octets)} octets there are")
        return end
