"""Registration with a second person: pure moves from one :class:`Request` to the next.

A request names by digest exactly what is asked for. Registration officers approve it, never the one who asked, each once, and only for so
long; when enough have, it is redeemed once, by showing what has that digest. Each move returns the new request; an illegal one raises a
:class:`RegistrationError` and changes nothing. Nothing here reads a clock or a store.

    request = open_request(order, id="…", by="RA-1", at=now, policy=policy)
    request = approve(request, by="RA-2", at=now, officers={"RA-1", "RA-2"}, policy=policy)
    request, redeemed = redeem(request, digest=order.digest, at=now)      # `redeemed` is what issuing asks to see
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pki.errors import PkiError
from pki.registration.policy import RegistrationPolicy, RequestKind

DIGEST_OCTETS = 32
MAX_TEXT = 200  # characters of an id, a reference or a profile's name
MAX_REASON = 500  # characters

__all__ = [
    "AlreadyDecidedError",
    "Approval",
    "NotApprovedError",
    "Order",
    "OtherDigestError",
    "OwnApprovalError",
    "Redeemed",
    "RegistrationError",
    "RepeatedApprovalError",
    "Request",
    "RequestExpiredError",
    "RequestKind",
    "RequestState",
    "UnknownOfficerError",
    "UnknownRequestError",
    "approve",
    "open_request",
    "redeem",
    "refuse",
]


class RegistrationError(PkiError):
    """Base of refusals of a request, its approval or its use; nothing is changed."""


class UnknownRequestError(RegistrationError):
    """No request has this id."""


class UnknownOfficerError(RegistrationError):
    """Who acts is not a registration officer, or is one no more."""


class OwnApprovalError(RegistrationError):
    """Nobody approves what they asked for themselves."""


class RepeatedApprovalError(RegistrationError):
    """One person approves once; another must."""


class RequestExpiredError(RegistrationError):
    """The time to decide on the request, or to use its approval, is over."""


class AlreadyDecidedError(RegistrationError):
    """The request has been approved, refused or redeemed before."""


class NotApprovedError(RegistrationError):
    """The request has not as many approvals as it needs, or was refused: it cannot be redeemed."""


class OtherDigestError(RegistrationError):
    """What is to be issued is not what was approved."""


class RequestState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    REDEEMED = "redeemed"


@dataclass(frozen=True)
class Order:
    """What is asked for. `reference` says for whom or what, as an opaque id (`SM-GV04`, `seal/SM`, `bulk/1f0c…`): no name, no code."""

    kind: RequestKind
    profile: str
    reference: str
    digest: bytes
    """SHA-256 of exactly what is to be approved, 32 octets."""
    content: str | None = field(default=None, repr=False, compare=False)
    """What has that digest, in UTF-8, where it is text: so that an approver can read what they approve."""

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_OCTETS:
            raise RegistrationError(f"digest of a request: got {len(self.digest)} octets, expected {DIGEST_OCTETS} of SHA-256")
        if self.content is not None and hashlib.sha256(self.content.encode()).digest() != self.digest:
            raise OtherDigestError(f"{self.reference}: the text to be approved is not the one that its digest names")
        for what, text in (("profile", self.profile), ("reference", self.reference)):
            if not 0 < len(text) <= MAX_TEXT or not text.isprintable():
                raise RegistrationError(f"{what} of a request: got {len(text)} characters, expected 1 to {MAX_TEXT} that can be printed")

    @property
    def key(self) -> bytes:
        """Equal for equal orders, 32 octets: asking for the same again finds the request that stands."""
        return hashlib.sha256("\x00".join((self.kind, self.profile, self.reference)).encode() + b"\x00" + self.digest).digest()


@dataclass(frozen=True)
class Approval:
    """`by` is an officer's id."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Request:
    """A request as it stands. `needed` is how many approvals it takes, as the policy said when it was opened. Times are aware UTC."""

    id: str
    order: Order
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    """Until when it can be decided on or, once approved, used."""
    needed: int
    state: RequestState = RequestState.OPEN
    approvals: tuple[Approval, ...] = ()
    refused_by: str | None = None
    reason: str | None = None
    """Why it was refused."""

    def expired(self, at: datetime) -> bool:
        """Whether its time ended before anything came of it."""
        return self.state in (RequestState.OPEN, RequestState.APPROVED) and at >= self.expires_at


@dataclass(frozen=True)
class Redeemed:
    """What :func:`redeem` gives out once: the evidence, for whatever issues, that this very thing was approved."""

    request_id: str
    order: Order
    requested_by: str
    approved_by: tuple[str, ...]
    redeemed_at: datetime

    def require(self, kind: RequestKind, digest: bytes) -> None:
        """Raises :class:`OtherDigestError` unless exactly this was approved."""
        if self.order.kind is not kind or self.order.digest != digest:
            raise OtherDigestError(f"request {self.request_id} approves another {self.order.kind}; ask again for what is wanted now")


def open_request(order: Order, *, id: str, by: str, at: datetime, policy: RegistrationPolicy) -> Request:
    """A new request; one that needs no approval is APPROVED at once. That `by` is who they say is for the caller to prove."""
    rule = policy.rule(order.kind)
    if not 0 < len(by) <= MAX_TEXT:
        raise RegistrationError(f"requester: got {len(by)} characters, expected 1 to {MAX_TEXT}")
    request = Request(id, order, by, at, at + rule.decide_within, rule.approvals)
    return _settled(request, at, policy)


def approve(request: Request, *, by: str, at: datetime, officers: Collection[str], policy: RegistrationPolicy) -> Request:
    """One more approval; APPROVED where that makes enough. `officers` are the ids of those in office.

    Raises :class:`UnknownOfficerError`, AlreadyDecidedError, RequestExpiredError, OwnApprovalError or RepeatedApprovalError.
    """
    _known(by, officers)
    if by == request.requested_by:
        raise OwnApprovalError(f"request {request.id}: {by} asked for it and may not approve it; another officer must")
    if any(approval.by == by for approval in request.approvals):
        raise RepeatedApprovalError(f"request {request.id}: {by} has approved it; {request.needed} different officers must")
    _undecided(request, at)
    return _settled(replace(request, approvals=(*request.approvals, Approval(by, at))), at, policy)


def refuse(request: Request, *, by: str, reason: str, at: datetime, officers: Collection[str]) -> Request:
    """Final. Who asked may refuse too: that withdraws it. An approved request can still be refused until it is redeemed.

    Raises :class:`UnknownOfficerError`, AlreadyDecidedError, RequestExpiredError, or RegistrationError where no reason is given.
    """
    _known(by, officers)
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise RegistrationError(f"request {request.id}: a refusal needs its reason, in at most {MAX_REASON} characters")
    if request.state is not RequestState.APPROVED:
        _undecided(request, at)
    elif request.expired(at):
        raise _expired(request)
    return replace(request, state=RequestState.REFUSED, refused_by=by, reason=reason.strip())


def redeem(request: Request, *, digest: bytes, at: datetime) -> tuple[Request, Redeemed]:
    """Uses the approval, once. `digest` is of what is about to be issued.

    Raises :class:`AlreadyDecidedError` the second time, NotApprovedError, RequestExpiredError or OtherDigestError.
    """
    if request.state is RequestState.REDEEMED:
        raise AlreadyDecidedError(f"request {request.id}: redeemed before; an approval is good for one use")
    if request.state is RequestState.REFUSED:
        raise NotApprovedError(f"request {request.id}: refused by {request.refused_by}")
    if request.expired(at):
        raise _expired(request)
    if request.state is not RequestState.APPROVED:
        raise NotApprovedError(f"request {request.id}: has {len(request.approvals)} of {request.needed} approvals")
    if digest != request.order.digest:
        raise OtherDigestError(f"request {request.id}: what is to be issued is not what was approved; ask again")
    approvers = tuple(approval.by for approval in request.approvals)
    return replace(request, state=RequestState.REDEEMED), Redeemed(request.id, request.order, request.requested_by, approvers, at)


def _settled(request: Request, at: datetime, policy: RegistrationPolicy) -> Request:
    if len(request.approvals) < request.needed:
        return request
    return replace(request, state=RequestState.APPROVED, expires_at=at + policy.rule(request.order.kind).holds)


def _known(by: str, officers: Collection[str]) -> None:
    if by not in officers:
        raise UnknownOfficerError(f"{by} is not a registration officer; `eduseal officer list` names who is")


def _undecided(request: Request, at: datetime) -> None:
    if request.state is not RequestState.OPEN:
        raise AlreadyDecidedError(f"request {request.id}: it is {request.state} already")
    if request.expired(at):
        raise _expired(request)


def _expired(request: Request) -> RequestExpiredError:
    return RequestExpiredError(f"request {request.id}: its time ended at {request.expires_at:%Y-%m-%d %H:%M} UTC; ask again")
