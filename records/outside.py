"""Other authorities' certificates in our books: whose they are, and from when to when they count for that.

Public schools' seals come from the government's authority, private schools' from licensed ones; a teacher may bring a certificate of a
licensed one. Such a certificate says nothing of the roster. Here somebody who may says it, once, and every verifier that knows these books
then tells who signed.

    register.seal(school, certificate_der, chain, approval=redeemed)      # a second person has approved it
    register.person(teacher, school, certificate_der, chain)
    register.withdraw(fingerprint)                                        # from now on; what was signed before stays signed
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509

from pki.ports import Clock
from pki.registration.approval import Order, Redeemed, RequestKind
from records.enrolment import seal_holder
from records.errors import NotEntitledError, NotFoundError
from records.person import Person, Role, School, Student
from records.registration import Registration
from signing.applying.two_step import check_signer
from signing.trust.outside_authority import OutsideAuthority
from signing.trust.store import Registered
from signing.trust.subject import Subject, subject_of

PROFILE = "outside"  # of a request for approval: no profile of ours


@dataclass(frozen=True)
class OutsideCertificate:
    """A registered certificate. `holder` is a person's id or the school's seal; times are aware UTC."""

    fingerprint: str
    """SHA-256 of the DER, lower-case hexadecimal."""
    holder: str
    role: str
    school_id: str
    authority: str
    certificate_der: bytes
    chain: tuple[bytes, ...]
    registered_at: datetime
    withdrawn_at: datetime | None = None


class OutsideStore(Protocol):
    """Each method is one transaction with its log entry, durable when it returns."""

    def put(self, entry: OutsideCertificate) -> OutsideCertificate:
        """Keeps it; what stands already for the same holder and role is given back as it is.

        Raises :class:`records.errors.NotEntitledError` where the certificate stands for somebody else, or has been withdrawn.
        """
        ...

    def withdraw(self, fingerprint: str, *, at: datetime) -> OutsideCertificate:
        """A second time changes nothing. Raises :class:`records.errors.NotFoundError`."""
        ...

    def find(self, fingerprint: str) -> OutsideCertificate | None: ...

    def list(self, *, school_id: str | None = None) -> tuple[OutsideCertificate, ...]:
        """Oldest first."""
        ...

    def registered(self) -> Mapping[str, Registered]:
        """By fingerprint, for verifiers."""
        ...


@dataclass(frozen=True)
class OutsideRegister:
    """`authorities` are those that the operator named. Raises also what :func:`signing.applying.two_step.check_signer` raises."""

    store: OutsideStore
    registration: Registration
    authorities: Sequence[OutsideAuthority]
    clock: Clock

    def seal(self, school: School, certificate_der: bytes, chain: Sequence[bytes], *, approval: Redeemed | None) -> OutsideCertificate:
        """Raises NotEntitledError where the certificate does not name the school, and
        :class:`pki.registration.approval.NotApprovedError`.
        """
        self.registration.require(outside_seal_order(school, certificate_der), approval)
        entry = self.seal_entry(school, certificate_der, chain)
        return self.store.put(entry)

    def seal_entry(self, school: School, certificate_der: bytes, chain: Sequence[bytes]) -> OutsideCertificate:
        """What :meth:`seal` would keep, for whoever asks for its approval: nothing is kept."""
        authority, subject = self._judged(certificate_der, chain, Role.SCHOOL_SEAL)
        if subject.organization_identifier != school.identifier:
            found = subject.organization_identifier or "no organizationIdentifier"
            raise NotEntitledError(f"the certificate names {found}; school {school.id} is {school.identifier}")
        return self._entry(seal_holder(school), Role.SCHOOL_SEAL, school, authority, certificate_der, chain)

    def person(self, who: Person, school: School, certificate_der: bytes, chain: Sequence[bytes]) -> OutsideCertificate:
        """Raises NotEntitledError where name or personal code are not the roster's, or the person signs nothing."""
        if isinstance(who, Student) or who.role not in (Role.TEACHER, Role.PRINCIPAL):
            raise NotEntitledError(f"{who.id} is neither a teacher nor a principal; only their certificates are registered")
        authority, subject = self._judged(certificate_der, chain, who.role)
        check_holder(who, subject)
        return self.store.put(self._entry(who.id, who.role, school, authority, certificate_der, chain))

    def withdraw(self, fingerprint: str) -> OutsideCertificate:
        return self.store.withdraw(fingerprint, at=self.clock())

    def _judged(self, certificate_der: bytes, chain: Sequence[bytes], role: Role) -> tuple[OutsideAuthority, Subject]:
        anchors = {anchor: each for each in self.authorities for anchor in each.anchors}
        if not anchors:
            raise NotFoundError("no other authority is trusted here; lay its certificate into HOME/trust")
        path = check_signer(certificate_der, tuple(chain), anchors=tuple(anchors), at=self.clock())
        authority = anchors[path.anchor]
        if authority.roles and role.value not in authority.roles:
            raise NotEntitledError(f"{authority.name} is trusted for {', '.join(sorted(authority.roles))}, not for a {role.value}")
        return authority, subject_of(x509.load_der_x509_certificate(certificate_der))

    def _entry(
        self, holder: str, role: Role, school: School, authority: OutsideAuthority, certificate_der: bytes, chain: Sequence[bytes]
    ) -> OutsideCertificate:
        return OutsideCertificate(
            fingerprint=hashlib.sha256(certificate_der).hexdigest(),
            holder=holder,
            role=role.value,
            school_id=school.id,
            authority=authority.name,
            certificate_der=certificate_der,
            chain=tuple(chain),
            registered_at=self.clock(),
        )


def outside_seal_order(school: School, certificate_der: bytes) -> Order:
    """What a second person approves: this certificate, for this school's seal."""
    return Order(RequestKind.SEAL, PROFILE, f"outside-seal/{school.id}", hashlib.sha256(certificate_der).digest())


def check_holder(who: Person, subject: Subject) -> None:
    """The certificate names the person as the roster does; raises :class:`records.errors.NotEntitledError`.

    Where the certificate carries a personal code in EN 319 412-1's form it must be the roster's, too. Neither is put into the message.
    """
    if plain_name(who.name) != plain_name(subject.name):
        raise NotEntitledError(f"the certificate is not in the name that the roster has for {who.id}")
    number = subject.serial_number or ""
    if who.code is not None and number[:3] in ("PNO", "IDC") and number.partition("-")[2] != who.code.value:
        raise NotEntitledError(f"the certificate carries another personal code than the roster has for {who.id}")


def plain_name(name: str) -> str:
    """Case, accents' encoding and white space aside: certificates write names in capitals, too."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
