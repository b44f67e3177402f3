"""Who signs with a key held elsewhere: read off the certificate, held against the books or, for another authority's, the roster."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from api.access import Caller, person_of
from config.house import House
from pki.paths.chain import TrustAnchor
from pki.ports import CertificateEntry, CertificateState
from records.enrolment import seal_holder
from records.errors import NotEntitledError
from records.outside import OutsideCertificate, check_holder
from records.person import Person, Role, Student
from records.state import Actor
from signing.applying.two_step import check_signer
from signing.trust.store import TrustStore
from signing.trust.subject import Subject, subject_of
from signing.workflow import Step


@dataclass(frozen=True)
class OutsideSigner:
    """A certificate whose chain stands. `ours`: our own authority issued it, so that its role and its revocation are in the books."""

    certificate_der: bytes
    chain: tuple[bytes, ...]
    subject: Subject
    ours: bool


class OutsideSigners:
    """`external`: other authorities that the operator trusts (:mod:`config.trust`)."""

    def __init__(self, house: House, external: TrustStore) -> None:
        self._house = house
        self._roots = frozenset(TrustAnchor(root.certificate_der) for root in house.authority.roots)
        self._external = tuple(TrustAnchor(anchor.certificate_der, anchor.constraints) for anchor in external.anchors)

    def signer(self, certificate_der: bytes, chain: tuple[bytes, ...]) -> OutsideSigner:
        """Raises :class:`pki.paths.chain_errors.ChainError`, and NotEntitledError where our own certificate is not in force.

        Another authority's revocation is not known here: whoever verifies asks for it.
        """
        house = self._house
        at, ours = house.clock(), house.authority.chain_of(certificate_der)
        path = check_signer(certificate_der, (*chain, *ours), anchors=(*self._roots, *self._external), at=at)
        subject = subject_of(x509.load_der_x509_certificate(certificate_der))
        if path.anchor not in self._roots:
            return OutsideSigner(certificate_der, chain, subject, ours=False)
        entry = self._entry(certificate_der, subject)
        if entry is None or entry.certificate_der != certificate_der or entry.state is not CertificateState.ISSUED:
            raise NotEntitledError(f"certificate {subject.certificate_serial:x} is {entry.state if entry else 'not in the books'}")
        return OutsideSigner(certificate_der, ours, subject, ours=True)

    def _entry(self, certificate_der: bytes, subject: Subject) -> CertificateEntry | None:
        issuer = self._house.authority.issuer_of(certificate_der)
        return self._house.stores.certificates.get(issuer.name, subject.certificate_serial) if issuer is not None else None

    def actor(self, caller: Caller, signer: OutsideSigner, step: Step, holder: str | None) -> Actor:
        """In whose name the step is signed; raises :class:`records.errors.NotEntitledError` and NotFoundError.

        With our certificate its holder in the books; with another authority's, the school by its identifier, or the person that `holder`
        names by the name in the roster.
        """
        role, school = Role(step.role), caller.school.identifier
        if signer.ours:
            return Actor(self._ours(caller, signer, step), role, school)
        standing = self._registered(signer)
        if standing is not None:
            return self._actor(caller, standing, step)
        if role is Role.SCHOOL_SEAL:
            if signer.subject.organization_identifier != school:
                found = signer.subject.organization_identifier or "no organizationIdentifier"
                raise NotEntitledError(f"the seal's certificate names {found}; step {step.id} is for the seal of {school}")
            return Actor(caller.actor_id, role, school)
        if not holder:
            raise NotEntitledError("another authority's certificate says nothing of the roster; register it, or name its holder")
        who = person_of(self._house, caller, holder)
        if _role(who) is not role:
            raise NotEntitledError(f"{holder} is a {_role(who)}; step {step.id} is for a {role}")
        check_holder(who, signer.subject)
        return Actor(holder, role, school)

    def _registered(self, signer: OutsideSigner) -> OutsideCertificate | None:
        """What the books say of another authority's certificate; raises NotEntitledError where it was withdrawn."""
        found = self._house.stores.outside.find(signer.subject.fingerprint)
        if found is not None and found.withdrawn_at is not None:
            raise NotEntitledError("the certificate was registered here, and has been withdrawn")
        return found

    def _actor(self, caller: Caller, standing: OutsideCertificate, step: Step) -> Actor:
        if standing.school_id != caller.school.id:
            raise NotEntitledError(f"the certificate is registered for another school than {caller.school.id}")
        if standing.role != step.role:
            raise NotEntitledError(f"the certificate is registered as a {standing.role}'s; step {step.id} is for a {step.role}")
        who = caller.actor_id if standing.holder == seal_holder(caller.school) else standing.holder
        return Actor(who, Role(standing.role), caller.school.identifier)

    def _ours(self, caller: Caller, signer: OutsideSigner, step: Step) -> str:
        entry = self._entry(signer.certificate_der, signer.subject)
        holder = entry.holder if entry else ""
        profile = entry.profile if entry else "none"
        if profile != step.role:
            raise NotEntitledError(f"the certificate is a {profile}'s; step {step.id} is for a {step.role}")
        if holder == seal_holder(caller.school):
            return caller.actor_id
        return person_of(self._house, caller, holder).id


def _role(who: Person) -> Role:
    return Role.STUDENT if isinstance(who, Student) else who.role
