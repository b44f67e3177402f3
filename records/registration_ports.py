"""What registration asks of the outside: where officers and requests are kept. `db` implements it; each method is one transaction.

Every change stands in the log in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pki.registration.approval import Order, Redeemed, Request, RequestState
from pki.registration.policy import RegistrationPolicy

MAX_WRONG = 5  # wrong PINs in a row lock an officer; docs/cps.md 3.3


@dataclass(frozen=True)
class Officer:
    """A registration officer. `wrong`: wrong PINs since the last right one."""

    id: str
    name: str
    verifier: bytes = field(repr=False)
    """What a PIN is held against, under the key-encryption key: see :mod:`records.officers`."""
    added_at: datetime
    removed_at: datetime | None = None
    wrong: int = 0

    @property
    def able(self) -> bool:
        """In office and not locked."""
        return self.removed_at is None and self.wrong < MAX_WRONG


class OfficerStore(Protocol):
    def add(self, officer: Officer, *, vouched_by: Sequence[str], reason: str) -> None:
        """Adds, or brings back one who was removed. Raises :class:`records.errors.OfficerError` where one of that id is in office."""
        ...

    def remove(self, officer_id: str, *, by: str, at: datetime) -> None:
        """Raises :class:`pki.registration.approval.UnknownOfficerError`."""
        ...

    def get(self, officer_id: str) -> Officer:
        """Of those in office; raises :class:`pki.registration.approval.UnknownOfficerError`."""
        ...

    def all(self) -> tuple[Officer, ...]:
        """Removed ones too, sorted by id."""
        ...

    def begin(self, officer_id: str, *, most: int) -> bool:
        """Counts an attempt BEFORE the PIN is tried; False where `most` are counted already."""
        ...

    def right(self, officer_id: str) -> None: ...

    def wrong(self, officer_id: str, *, most: int, at: datetime) -> int:
        """Writes `officer.wrong_pin` to the log; returns how many are counted."""
        ...

    def take_back(self, officer_id: str) -> None:
        """Uncounts an attempt whose PIN was not tried after all."""
        ...


class RequestStore(Protocol):
    """Requests. Raises what the moves of :mod:`pki.registration.approval` raise."""

    def open(self, order: Order, *, by: str, at: datetime, policy: RegistrationPolicy) -> Request:
        """A new request, or the one that stands for the same order."""
        ...

    def get(self, request_id: str) -> Request:
        """Raises :class:`pki.registration.approval.UnknownRequestError`."""
        ...

    def find(self, order: Order) -> Request | None:
        """The request that stands for an order, expired or not; None for one refused, or whose approval is used up."""
        ...

    def list(self, *, state: RequestState | None = None) -> tuple[Request, ...]:
        """Oldest first."""
        ...

    def approve(self, request_id: str, *, by: str, at: datetime, policy: RegistrationPolicy) -> Request: ...

    def refuse(self, request_id: str, *, by: str, reason: str, at: datetime) -> Request: ...

    def redeem(self, request_id: str, *, digest: bytes, at: datetime) -> Redeemed: ...

    def redeemed(self, request_id: str) -> Redeemed:
        """What :meth:`redeem` gave out; raises :class:`pki.registration.approval.NotApprovedError` where it has not."""
        ...


class OutcomeStore(Protocol):
    """Which certificate came of a redeemed request: one, whoever asks however often."""

    def claim(self, request_id: str, *, at: datetime, stale: datetime) -> bool:
        """Whether the caller is to issue: nobody has begun, or whoever did began at `stale` or before and is taken for dead."""
        ...

    def release(self, request_id: str, *, claimed_at: datetime) -> None:
        """Gives up a claim that came to nothing."""
        ...

    def bind(self, request_id: str, *, issuer: str, serial: int, claimed_at: datetime) -> bool:
        """Names the recorded certificate, before it is signed; False where somebody else has taken over the claim."""
        ...

    def outcome(self, request_id: str) -> tuple[str, int] | None:
        """Issuer and serial number."""
        ...


class RequestBooks(RequestStore, OutcomeStore, Protocol):
    """Both, as one set of books keeps them."""
