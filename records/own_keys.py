"""Certificates over keys that people keep elsewhere: the identity is checked, possession proven, a request opened, one certificate issued.

Everything may be repeated, by many at once: the same key for the same person is the same request and the same certificate, as long as that
certificate stands. Once it is revoked or has expired, asking again is a request of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pki.issuing.issue import Authority, CertificateRequest, IssuedCertificate
from pki.issuing.tbs import public_key_sha256
from pki.ports import CertificateEntry, CertificateState
from pki.registration.approval import Order, Redeemed, Request, RequestState
from pki.structures.algorithms import PublicKey
from records.certify_once import Besides, certify_once, newest_serial, nothing
from records.enrolment import naming, refuse_suspended
from records.errors import EnrolmentError
from records.orders import own_key_order
from records.person import Person, School, Student
from records.registration import Registration
from records.roster_ports import RosterStore

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
    """Raises :class:`records.errors.EnrolmentError`, :class:`pki.identity.codes.IdentityError`, or what registration and authority
    raise."""

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


def certify_own_key(
    who: Person,
    school: School,
    public_key: PublicKey,
    *,
    wrapped_code: bytes | None,
    authority: Authority,
    approval: Redeemed,
    registration: Registration,
) -> IssuedCertificate:
    """A certificate over a key that a member of staff keeps themselves, on a token or in another system. Possession has been proven.

    `approval` is of :func:`own_key_request`; repeating gives the same certificate. Raises :class:`EnrolmentError` (pupils too: the opening
    of their commitment is kept with their key), IdentityError, what the authority raises, or
    :class:`pki.registration.approval.OtherDigestError`.
    """
    refuse_suspended(who.id, authority)
    request = _certificate_request(who, school, public_key, authority)
    made = partial(registration.requests.outcome, approval.request_id)
    order = own_key_request(who, school, public_key, wrapped_code=wrapped_code, authority=authority, besides=made)
    registration.require(order, approval)
    return certify_once(request, approval, authority=authority, outcomes=registration.requests)


def own_key_request(
    who: Person,
    school: School,
    public_key: PublicKey,
    *,
    wrapped_code: bytes | None,
    authority: Authority,
    besides: Besides = nothing,
) -> Order:
    """What is to be approved before :func:`certify_own_key`; the identity is checked before anybody is asked. `besides`: not counted."""
    _certificate_request(who, school, public_key, authority)
    key = public_key_sha256(public_key)
    replaces = newest_serial(authority, who.id, key=key, besides=besides)
    return own_key_order(who, school, wrapped_code=wrapped_code, key_sha256=key, replaces=replaces)


def _certificate_request(who: Person, school: School, public_key: PublicKey, authority: Authority) -> CertificateRequest:
    if isinstance(who, Student):
        raise EnrolmentError(f"{who.id} is a pupil; pupils' keys are made here, by enrolment")
    named = naming(who, school, profiles=authority.profiles)
    if named.commitment is not None:
        raise EnrolmentError(f"profile {named.profile} hides its holder's code, whose opening is kept with a key made here")
    return CertificateRequest(profile=named.profile, subject=named.subject, public_key=public_key, holder=who.id)
