"""Enrolment: a person of the roster gets a key and a certificate; a school gets its seal.

>>> enrolled = enrol(teacher, school, authority=authority, keys=keys, holder_keys=store, kdf=activation_kdf(), clock=now)  # doctest: +SKIP
>>> print(enrolled.activation_code.text)  # hand it over in a sealed envelope; it is not kept                             # doctest: +SKIP

The private key is made here, wrapped at once under a one-time activation code and under the key-encryption key, and forgotten. The
person chooses a PIN with the code (:mod:`records.holder`); nobody else ever can sign with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.identity import commitment
from pki.identity.codes import IdentityCode, PersonFacts, check
from pki.identity.subject import Subject, legal_person, person, pseudonymous
from pki.issuing.issue import Authority, CertificateRequest, IssuedCertificate
from pki.issuing.profile import CertificateProfile, Identity
from pki.keys.holderkey import wrap_holder_key
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.pin import ActivationCode, new_activation_code
from pki.keys.softkey import SoftwareKey
from pki.keys.wrap import wipe
from pki.ports import CertificateState, Clock, KeyStore
from pki.registration.approval import Order, Redeemed
from pki.structures.algorithms import SigningKey
from records.certify_once import Besides, certify_once, newest_serial, nothing
from records.codes import wrap_opening
from records.errors import EnrolmentError
from records.key_ports import HolderKey, HolderKeyStore
from records.orders import seal_order
from records.person import Person, Role, School, Student
from records.registration import Registration
from records.seal_keys import key_of, key_to_certify, uncertified_key

ACTIVATION_COST = KdfParameters(time_cost=1, memory_kib=64, lanes=1)
"""For activation codes, which carry 95 random bits: no guessing to slow down, and a batch makes a thousand a second. PINs take
`pki.keys.kdf.RFC9106_64MIB`."""


@dataclass(frozen=True)
class Enrolled:
    """A new certificate. The activation code exists here only: it is shown once, to its holder."""

    holder: str
    certificate: IssuedCertificate
    activation_code: ActivationCode = field(repr=False)
    commitment: bytes | None = None
    """Of a pupil's code, as the certificate carries it."""


def activation_kdf() -> KeyDerivation:
    return KeyDerivation(ACTIVATION_COST)


def enrol(
    who: Person, school: School, *, authority: Authority, keys: KeyStore, holder_keys: HolderKeyStore, kdf: KeyDerivation, clock: Clock
) -> Enrolled:
    """A key and certificate for a person whose code has been accepted; the profile is that of their role.

    Raises :class:`EnrolmentError`, :class:`pki.identity.codes.IdentityError` where the code does not hold up, or what the authority raises.
    A crash leaves at worst a certificate whose key nobody has: it stands in the authority's books and can be revoked.
    """
    refuse_suspended(who.id, authority)
    named = naming(who, school, profiles=authority.profiles)
    secret = new_activation_code()
    key = SoftwareKey.generate()
    pkcs8 = bytearray(key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    try:
        wrapped = wrap_holder_key(pkcs8, secret, keys=keys, holder=who.id, kdf=kdf)
    finally:
        wipe(pkcs8)
    request = CertificateRequest(profile=named.profile, subject=named.subject, public_key=key.public_key(), holder=who.id)
    issued = authority.certify(request)
    holder_keys.put(
        HolderKey(
            holder=who.id,
            issuer=issued.issuer,
            serial=issued.serial,
            certificate_der=issued.certificate_der,
            wrapped_key=wrapped,
            activated=False,
            created_at=clock(),
            commitment=named.commitment,
            wrapped_opening=wrap_opening(named.opening, holder=who.id, keys=keys) if named.opening else None,
        )
    )
    return Enrolled(who.id, issued, secret, named.commitment)


def refuse_suspended(holder: str, authority: Authority) -> None:
    """Raises :class:`EnrolmentError` where a certificate of the holder is on hold: another one would go round the suspension."""
    if any(entry.state is CertificateState.SUSPENDED for entry in authority.store.of_holder(holder)):
        raise EnrolmentError(f"the certificate of {holder} is suspended; release it or revoke it first")


@dataclass(frozen=True)
class Naming:
    """What a certificate calls a person. `commitment` and `opening` are set where the profile hides the code.

    See :mod:`pki.identity.commitment`.
    """

    profile: str
    subject: Subject
    commitment: bytes | None = None
    opening: bytes | None = field(default=None, repr=False)


def naming(who: Person, school: School, *, profiles: Mapping[str, CertificateProfile]) -> Naming:
    """Raises :class:`EnrolmentError`, or :class:`pki.identity.codes.IdentityError` where the code does not hold up."""
    profile = _profile(who, school)
    code = _accepted_code(who)
    if profiles[profile].identity is not Identity.COMMITMENT:
        return Naming(profile, _plain(who, school, code))
    opening = commitment.new_opening()
    committed = commitment.commit(code.code, opening)
    return Naming(profile, _pupil(school, committed), committed, opening)


def enrol_seal(
    school: School, *, authority: Authority, keys: KeyStore, approval: Redeemed, registration: Registration, new_key: bool = False
) -> tuple[SigningKey, IssuedCertificate]:
    """The school's seal: its key stays in the key store under :func:`seal_label`, its certificate in the authority's books.

    Where the key stands already it is kept and gets a new certificate; where it was reported as compromised, or `new_key` was approved,
    another is made. `approval` is of :func:`seal_request`, by a second person; repeating gives the same certificate. Raises
    :class:`pki.registration.approval.OtherDigestError`, NotApprovedError, or what the authority raises.
    """
    made = partial(registration.requests.outcome, approval.request_id)
    registration.require(seal_request(school, authority=authority, besides=made, new_key=new_key), approval)
    label, holder = seal_label(school), seal_holder(school)
    key = (uncertified_key if new_key else key_to_certify)(label, holder=holder, keys=keys, certificates=authority.store)
    subject = legal_person(country=school.country, name=school.short_name, identifier=school.identifier)
    request = CertificateRequest(profile=Role.SCHOOL_SEAL.value, subject=subject, public_key=key.public_key(), holder=holder)
    issued = certify_once(request, approval, authority=authority, outcomes=registration.requests)
    entry = authority.store.get(issued.issuer, issued.serial)
    # of the certificate, which may have been issued before over another key than the one at hand
    return key_of(entry, label, keys=keys) if entry is not None else key, issued


def seal_request(school: School, *, authority: Authority, besides: Besides = nothing, new_key: bool = False) -> Order:
    """What is to be approved before :func:`enrol_seal`. `besides` gives issuer and serial of a certificate that does not count."""
    return seal_order(school, replaces=newest_serial(authority, seal_holder(school), besides=besides), new_key=new_key)


def seal_holder(school: School) -> str:
    """Whose the seal's certificate is in the authority's books."""
    return f"seal/{school.id}"


def seal_label(school: School) -> str:
    """The seal's key in the key store, such as "seal-sm-0c2f81d4": readable, and apart from SM's and sm's namesake."""
    plain = re.sub(r"[^a-z0-9]+", "-", school.id.lower()).strip("-")
    return f"seal-{plain}-{hashlib.sha256(school.id.encode()).hexdigest()[:8]}"


def _profile(who: Person, school: School) -> str:
    if who.school_id != school.id:
        raise EnrolmentError(f"{who.id} belongs to school {who.school_id}, got {school.id}")
    if isinstance(who, Student):
        return Role.STUDENT.value
    if who.role not in (Role.TEACHER, Role.PRINCIPAL):
        raise EnrolmentError(f"{who.id} is an {who.role}, who signs no records and so needs no certificate")
    return who.role.value


def _accepted_code(who: Person) -> IdentityCode:
    """Checked again here, whatever was checked before: no certificate without a code that holds up."""
    facts = PersonFacts(birth_date=who.birth_date, sex=who.sex.value)
    if who.code is None:
        raise EnrolmentError(f"{who.id} has no personal code and gets no certificate; enter the code in the roster first")
    return check(who.code.scheme, who.code.value, facts=facts)


def _plain(who: Person, school: School, code: IdentityCode) -> Subject:
    return person(
        country=school.country,
        surname=who.surname,
        given_name=who.given_name,
        identifier=code.semantics_identifier,
        organization=None if isinstance(who, Student) else school.short_name,
        organization_identifier=None if isinstance(who, Student) else school.identifier,
    )


def _pupil(school: School, committed: bytes) -> Subject:
    return pseudonymous(country=school.country, identifier=commitment.identifier(committed, country=school.country))
