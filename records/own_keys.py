"""Certificates over keys that people keep elsewhere: the identity is checked, possession proven, a request opened, one certificate issued.

Everything may be repeated, by many at once: the same key for the same person is the same request and the same certificate, as long as that
certificate stands. Once it is revoked or has expired, asking again is a request of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pki.algorithms import PublicKey
from pki.issue import Authority
from pki.ports import CertificateEntry, CertificateState
from pki.registration import Order, Request, RequestState
from pki.tbs import public_key_sha256
from records.enrolment import certify_own_key, own_key_request
from records.orders import own_key_order
from records.person import Person, School
from records.ports import RosterStore
from records.registration import Registration

_STANDS = (CertificateState.ISSUED, CertificateState.SUSPENDED)


@dataclass(frozen=True)
class KeyApplication:
    """Who asks for a certificate over which key; `who` with their code. Possession has been proven."""

    who: Person
    school: School
    key: PublicKey


@dataclass(frozen=True)
class Standing:
    """What there is already: a certificate that stands, or else what is to be asked for."""

    entry: CertificateEntry | None
    order: Order


@dataclass(frozen=True)
class OwnKeys:
    """Raises :class:`records.errors.EnrolmentError`, :class:`pki.identity.IdentityError`, or what registration and authority raise."""

    authority: Authority
    roster: RosterStore
    registration: Registration

    def look(self, application: KeyApplication) -> Standing:
        """Both answers come from one look at the books, so that whoever asks while another's certificate is being issued finds that one."""
        who, key = application.who, public_key_sha256(application.key)
        code = self.roster.wrapped_code(who.id)
        own_key_request(who, application.school, application.key, wrapped_code=code, authority=self.authority)  # identity first
        entries = [each for each in self.authority.store.of_holder(who.id) if each.public_key_sha256 == key and each.certificate_der]
        now = self.authority.clock()
        standing = [each for each in entries if each.state in _STANDS and each.not_after > now]
        replaces = entries[-1].serial if entries else None
        order = own_key_order(who, application.school, wrapped_code=code, key_sha256=key, replaces=replaces)
        return Standing(standing[-1] if standing else None, order)

    def issue(self, application: KeyApplication, request: Request) -> CertificateEntry | None:
        """The request's certificate; None while it waits for its approval."""
        if request.state not in (RequestState.APPROVED, RequestState.REDEEMED):
            return None
        approval = self.registration.redeem_for_one(request.id, request.order.digest)
        issued = certify_own_key(
            application.who,
            application.school,
            application.key,
            wrapped_code=self.roster.wrapped_code(application.who.id),
            authority=self.authority,
            approval=approval,
            registration=self.registration,
        )
        return self.authority.store.get(issued.issuer, issued.serial)
