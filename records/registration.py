"""Registration as a service: requests are opened, approved by a second person, and redeemed for what they ask.

    order = seal_order(school, replaces=None)                           # records.orders: exactly what is asked for, as a digest
    request = registration.open(order, by="RA-1", secret=pin)           # asking twice for the same gives the same request
    registration.approve(request.id, by="RA-2", secret=other_pin)
    redeemed = registration.redeem(request.id, order.digest)            # the proof that `records.enrolment.enrol_seal` asks for

Who redeems inside a wider transaction calls :func:`db.registration.redeem` with its connection.
"""

from __future__ import annotations

from dataclasses import dataclass

from pki.ports import Clock
from pki.registration.approval import AlreadyDecidedError, NotApprovedError, Order, Redeemed, Request, RequestState
from pki.registration.policy import RegistrationPolicy, RequestKind
from records.officers import Officers
from records.registration_ports import RequestBooks


@dataclass(frozen=True)
class Registration:
    """`officers` prove who acts. Raises what :mod:`pki.registration.approval` and :meth:`records.officers.Officers.prove` raise."""

    requests: RequestBooks
    officers: Officers
    policy: RegistrationPolicy
    clock: Clock

    def open(self, order: Order, *, by: str, secret: str | None = None) -> Request:
        """A request, or the one that stands for the same order.

        Where the policy asks for a second person, the first must be one as well: `by` is an officer, `secret` their PIN. Otherwise one
        person could ask under somebody else's name and approve under their own.
        """
        if self.needs_approval(order.kind) or secret is not None:
            self.officers.prove(by, secret or "")
        return self.requests.open(order, by=by, at=self.clock(), policy=self.policy)

    def open_for_program(self, order: Order, *, key_id: str) -> Request:
        """As :meth:`open`, for a program whose API key the caller has checked. No officer has an id like a program's."""
        return self.requests.open(order, by=f"api-key/{key_id}", at=self.clock(), policy=self.policy)

    def approve(self, request_id: str, *, by: str, secret: str) -> Request:
        """`by` has seen what the request asks for and agrees."""
        self.officers.prove(by, secret)
        return self.requests.approve(request_id, by=by, at=self.clock(), policy=self.policy)

    def refuse(self, request_id: str, *, by: str, secret: str, reason: str) -> Request:
        """Final; who asked withdraws the request so."""
        self.officers.prove(by, secret)
        return self.requests.refuse(request_id, by=by, reason=reason, at=self.clock())

    def redeem(self, request_id: str, digest: bytes) -> Redeemed:
        """The approval, used up. `digest` is of what is about to be issued, computed anew by whoever issues it."""
        return self.requests.redeem(request_id, digest=digest, at=self.clock())

    def redeem_for_one(self, request_id: str, digest: bytes) -> Redeemed:
        """As :meth:`redeem`, but repeating gives the same proof: for :func:`records.certify_once.certify_once`, which issues one
        certificate for it, whoever asks however often."""
        try:
            return self.redeem(request_id, digest)
        except AlreadyDecidedError:
            redeemed = self.requests.redeemed(request_id)
            redeemed.require(redeemed.order.kind, digest)
            return redeemed

    def require(self, order: Order, approval: Redeemed | None) -> None:
        """What every service that issues asks: that `approval` is of exactly this order, and stands in the books as shown.

        None is enough where the policy asks for no second person. Raises :class:`pki.registration.approval.NotApprovedError`,
        UnknownRequestError or OtherDigestError.
        """
        if approval is None:
            if self.needs_approval(order.kind):
                raise NotApprovedError(f"{order.reference}: a second person must approve this {order.kind}; `eduseal request` asks for it")
            return
        approval.require(order.kind, order.digest)
        if self.requests.redeemed(approval.request_id) != approval:
            raise NotApprovedError(f"request {approval.request_id}: what was shown is not what the books say of it")

    def find(self, order: Order) -> Request | None:
        """The request that stands for an order, expired or not."""
        return self.requests.find(order)

    def get(self, request_id: str) -> Request:
        """Raises :class:`pki.registration.approval.UnknownRequestError`."""
        return self.requests.get(request_id)

    def list(self, *, state: RequestState | None = None) -> tuple[Request, ...]:
        """Oldest first."""
        return self.requests.list(state=state)

    def needs_approval(self, kind: RequestKind) -> bool:
        return self.policy.rule(kind).approvals > 0
