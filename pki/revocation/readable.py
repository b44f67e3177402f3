"""Evidence from its octets: each item read once for all documents that carry it, and looked up without going through all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from hashlib import sha256
from itertools import chain
from typing import TypeVar

from pki.errors import EncodingError
from pki.paths.validation_cache import ValidationCache
from pki.revocation.crl_evidence import Crl, load_crl
from pki.revocation.inquiry import Evidence
from pki.revocation.ocsp_evidence import OcspAnswer, load_ocsp
from pki.structures.certificate import load_certificate

# octets that a parsed item is taken to hold for each octet of its DER
_CRL_FACTOR = 8
_OCSP_FACTOR = 8

T = TypeVar("T")


class ReadEvidence:
    """CRLs and OCSP answers of one body of evidence; what cannot be read is left out, and said in `unreadable_crls` and `_ocsps`."""

    def __init__(self, evidence: Evidence, cache: ValidationCache) -> None:
        self._evidence = evidence
        self._cache = cache
        self.unreadable_crls: list[str] = []
        self.unreadable_ocsps: list[str] = []

    @cached_property
    def crls(self) -> tuple[Crl, ...]:
        return _read(self._evidence.crls, self._crl, self.unreadable_crls)

    def answers_about(self, serial_number: int) -> Sequence[OcspAnswer]:
        """The answers that speak of any certificate with this serial number, in the order in which they were handed in."""
        return self._answers.get(serial_number, ())

    @cached_property
    def digest(self) -> bytes:
        """Of all items and their sizes: documents that were archived together carry the same evidence."""
        parts = (self._evidence.certificates, self._evidence.crls, self._evidence.ocsps)
        found = sha256(repr([list(map(len, items)) for items in parts]).encode())
        for item in chain(*parts):
            found.update(item)
        return found.digest()

    @cached_property
    def latest(self) -> datetime | None:
        """The latest moment of issue of anything that can be read; None where there is nothing."""
        (found,) = self._cache.remember(("latest", self.digest), lambda: (self._latest(),))
        return found

    @cached_property
    def is_complete(self) -> bool:
        """Whether every item, the certificates too, is what it is said to be, down to its last octet."""
        (found,) = self._cache.remember(("complete", self.digest), lambda: (self._is_complete(),))
        return found

    def _latest(self) -> datetime | None:
        moments = [crl.this_update for crl in self.crls]
        for answer in self._ocsps:
            moments += [answer.produced_at, *(status.this_update for status in answer.statuses)]
        return max(moments, default=None)

    def _is_complete(self) -> bool:
        try:
            for der in self._evidence.certificates:
                load_certificate(der)
        except EncodingError:
            return False
        return len(self.crls) == len(set(self._evidence.crls)) and len(self._ocsps) == len(set(self._evidence.ocsps))

    @cached_property
    def _ocsps(self) -> tuple[OcspAnswer, ...]:
        return _read(self._evidence.ocsps, self._ocsp, self.unreadable_ocsps)

    @cached_property
    def _answers(self) -> dict[int, list[OcspAnswer]]:
        found: dict[int, list[OcspAnswer]] = {}
        for answer in self._ocsps:
            for serial_number in {status.serial_number for status in answer.statuses}:
                found.setdefault(serial_number, []).append(answer)
        return found

    def _crl(self, der: bytes) -> Crl:
        return self._cache.remember(("crl", der), partial(load_crl, der), octets=_CRL_FACTOR * len(der))

    def _ocsp(self, der: bytes) -> OcspAnswer:
        return self._cache.remember(("ocsp", der), partial(load_ocsp, der), octets=_OCSP_FACTOR * len(der))


def _read(items: Sequence[bytes], load: Callable[[bytes], T], unreadable: list[str]) -> tuple[T, ...]:
    found = []
    for der in dict.fromkeys(items):
        try:
            found.append(load(der))
        except EncodingError as exc:
            unreadable.append(str(exc))
    return tuple(found)
