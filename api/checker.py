"""Checking an upload: a few at a time, with a short queue. Nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from anyio import CapacityLimiter, to_thread
from cryptography import x509

from api.crl_shelf import CrlShelf
from api.errors import Problem
from config.house import House
from pki.issuing.urls import shard_of
from signing.reports.report import Row, with_status
from signing.trust.store import Supplied
from signing.verdict import RecordStatus

PROCESSES = 2  # uploads judged at the same time
MAX_WAITING = 16  # uploads in line; further ones are asked to come back
MAX_NAME = 200  # characters of a file name that are repeated in an answer


@dataclass(frozen=True)
class Checked:
    """A row of the outside contract, and for a superseded record the number of the version that now counts."""

    row: Row
    current_version: int | None = None


class Judge(Protocol):
    """The verifier: the row of one document as of `at`. Never raises for anything the document does."""

    def __call__(self, name: str, data: bytes, *, at: datetime, supplied: Supplied) -> Row: ...


class Checker:
    """Asks `judge`, then the house's own books. Never fetches anything."""

    def __init__(self, house: House, crls: CrlShelf, judge: Judge, *, processes: int = PROCESSES, waiting: int = MAX_WAITING) -> None:
        self._house = house
        self._crls = crls
        self._judge = judge
        self._limiter = CapacityLimiter(processes)
        self._room = processes + waiting
        self._present = 0

    async def check(self, name: str, data: bytes) -> Checked:
        """Raises :class:`api.errors.Problem` (503) where too many wait already; never for anything the document does."""
        if self._present >= self._room:
            detail = "many documents are being checked at this moment; try again in a few seconds"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, {"Retry-After": "5"})
        self._present += 1
        try:
            return await to_thread.run_sync(self._check, plain_name(name), data, limiter=self._limiter)
        finally:
            self._present -= 1

    def _check(self, name: str, data: bytes) -> Checked:
        house = self._house
        row = self._judge(name, data, at=house.clock(), supplied=self._supplied())
        row = with_status(row, house.stores.records)
        record = row.get("record")
        if not record or record["status"] != RecordStatus.SUPERSEDED.value:
            return Checked(row)
        current = house.stores.records.load(record["id"]).current
        return Checked(row, current.number if current else None)

    def _supplied(self) -> Supplied:
        """What the document may lack: issuing CAs' certificates, and fresh lists for them and for the time-stamp authority."""
        authority, shards = self._house.authority, self._house.plan.crl_shards
        stamps = (authority.issuing.name, shard_of(_serial(self._house.tsa.certificates[0]), shards))
        wanted = [*((root.name, 0) for root in authority.roots), stamps]
        lists = [found.der for found in (self._crls.get(*each) for each in wanted) if found is not None]
        issuers = tuple(issuer.certificate_der for issuer in authority.issuers)
        return Supplied(certificates=(*issuers, *authority.crosses), crls=tuple(lists))


def plain_name(name: str) -> str:
    """The last part of a file name as a stranger sent it, without control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:MAX_NAME] or "document.pdf"


def _serial(certificate_der: bytes) -> int:
    return x509.load_der_x509_certificate(certificate_der).serial_number
