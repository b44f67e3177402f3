"""The digests of what the signatures of one document sign, in one pass over its octets.

Each signature covers the file from its first octet to its gap, and on to the end of its revision; what one covers, the next covers too.
A running digest is copied at each gap, so that the cost grows with the file and not with signatures times file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol, Self

from pki.structures.algorithms import Digest
from signing.coverage.signature_field import SignatureField


class _Running(Protocol):
    def update(self, data: memoryview, /) -> None: ...
    def copy(self) -> Self: ...
    def digest(self) -> bytes: ...


class SignedDigests:
    """Over `data`, for the `fields` found in it."""

    def __init__(self, data: bytes, fields: Sequence[SignatureField]) -> None:
        self._data = memoryview(data)
        self._gaps = sorted({field.byte_range[1] for field in fields if field.byte_range and field.byte_range[0] == 0})
        self._prefixes: dict[Digest, dict[int, _Running]] = {}

    def of(self, field: SignatureField, digest: Digest) -> bytes:
        """The digest of the octets that `field` signs: those of its byte range, whatever it is; of nothing where it has none."""
        start, length, second, tail = field.byte_range or (0, 0, 0, 0)
        known = self._prefix(digest).get(length) if start == 0 else None
        running = known.copy() if known is not None else _started(digest, self._data[start : start + length])
        running.update(self._data[second : second + tail])
        return running.digest()

    @property
    def sha256(self) -> bytes:
        """Of the whole file."""
        last = self._gaps[-1] if self._gaps else 0
        known = self._prefix(Digest.SHA256).get(last)
        running = known.copy() if known is not None else _started(Digest.SHA256, self._data[:last])
        running.update(self._data[last:])
        return running.digest()

    def _prefix(self, digest: Digest) -> dict[int, _Running]:
        """Gap → the digest of everything before it."""
        if digest not in self._prefixes:
            found: dict[int, _Running] = {}
            running, position = _started(digest, self._data[:0]), 0
            for gap in self._gaps:
                running.update(self._data[position:gap])
                found[gap], position = running.copy(), gap
            self._prefixes[digest] = found
        return self._prefixes[digest]


def _started(digest: Digest, data: memoryview) -> _Running:
    return hashlib.new(digest.value, data)
