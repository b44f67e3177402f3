"""Certificates that have to be made anew: which they are, and the two ways to do it.

*Renew*: a new certificate over the same key. The holder notices nothing and keeps their PIN. *Rekey*: a new key under an activation code;
the holder signs with the old one until they have activated it (:mod:`records.supersession`). Keys that are held elsewhere, and seals, are
renewed by a new request for the same key (:mod:`records.registration`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import PkiError
from pki.identity import commitment
from pki.identity.codes import PersonFacts, check
from pki.identity.subject import Subject
from pki.issuing.certificate_life import STANDING
from pki.issuing.issue import Authority, CertificateRequest, IssuedCertificate
from pki.keys.kdf import KeyDerivation
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock, KeyStore
from records.codes import unwrap_code, unwrap_opening, wrap_opening
from records.enrolment import Enrolled, Naming, enrol, naming
from records.errors import EnrolmentError
from records.key_ports import HolderKey, HolderKeyStore, PinAttemptStore
from records.person import Person, Role, School, Teacher
from records.roster_ports import RosterStore
from records.supersession import supersede_before

# what a subject says, by what a roster would call it
_PARTS = {
    "surname": "name",
    "given_name": "name",
    "common_name": "name",
    "serial_number": "code",
    "organization": "school",
    "organization_identifier": "school",
    "country": "school",
}


@dataclass(frozen=True)
class Due:
    """A certificate that stands and says what the roster does not. `why`: name, code, school, role, blocked or no-longer-signs."""

    holder: str
    school_id: str
    issuer: str
    serial: int
    profile: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Reissue:
    """Everything that making a certificate anew asks of the house."""

    authority: Authority
    keys: KeyStore
    holder_keys: HolderKeyStore
    certificates: CertificateStore
    pin_attempts: PinAttemptStore
    clock: Clock

    def due(self, who: Person, school: School, *, blocked: bool) -> Due | None:
        """What is to be done about a person's certificate; None where it says what the roster says, or where there is none.

        `who` carries their code, as far as the roster holds one. A new key that waits for its activation counts as the certificate.
        """
        entry, held = self._newest(who.id)
        if entry is None or entry.certificate_der is None:
            return None
        if blocked:
            why: tuple[str, ...] = ("blocked",)
        elif isinstance(who, Teacher) and who.role not in (Role.TEACHER, Role.PRINCIPAL):
            why = ("no-longer-signs",)
        else:
            why = self._differences(who, school, entry, entry.certificate_der, held)
        return Due(who.id, school.id, entry.issuer, entry.serial, entry.profile, why) if why else None

    def renew(self, who: Person, school: School) -> IssuedCertificate:
        """A new certificate over the key in use. Where it says something else than the old one, that is superseded at once.

        Raises :class:`records.errors.EnrolmentError` where the certificate does not stand or wrong PINs are counted (a new certificate
        would begin with none), :class:`records.errors.NotFoundError`, IdentityError, or what the authority raises.
        """
        held = self.holder_keys.get(who.id)
        self._require_renewable(held)
        old = x509.load_der_x509_certificate(held.certificate_der)
        named = naming(who, school, profiles=self.authority.profiles)
        if named.commitment is not None and self._knows_code(who, held):
            named = Naming(named.profile, Subject.from_x509(old.subject), held.commitment)  # its opening stays what its holder has
        issued = self._certify(who.id, named, old)
        opening = wrap_opening(named.opening, holder=who.id, keys=self.keys) if named.opening else held.wrapped_opening
        key = replace(
            held,
            issuer=issued.issuer,
            serial=issued.serial,
            certificate_der=issued.certificate_der,
            created_at=self.clock(),
            commitment=named.commitment,
            wrapped_opening=opening if named.commitment else None,
        )
        self.holder_keys.put(key)
        entry = self.certificates.get(held.issuer, held.serial)
        if named.subject != Subject.from_x509(old.subject) or entry is None or entry.profile != named.profile:
            supersede_before(key, holder_keys=self.holder_keys, certificates=self.certificates, at=self.clock())
        return issued

    def rekey(self, who: Person, school: School, *, kdf: KeyDerivation) -> Enrolled:
        """A new key and certificate; the old ones serve until the new key is activated. Raises as :func:`records.enrolment.enrol`."""
        return enrol(who, school, authority=self.authority, keys=self.keys, holder_keys=self.holder_keys, kdf=kdf, clock=self.clock)

    def _newest(self, holder: str) -> tuple[CertificateEntry | None, HolderKey | None]:
        """The newest certificate that stands, over a key that is kept here if there is one."""
        for held in reversed(self.holder_keys.of_holder(holder)):
            entry = self.certificates.get(held.issuer, held.serial)
            if entry is not None and entry.state in STANDING:
                return entry, held
        standing = [entry for entry in self.certificates.of_holder(holder) if entry.state in STANDING]
        return (standing[-1] if standing else None), None

    def _differences(
        self, who: Person, school: School, entry: CertificateEntry, certificate_der: bytes, held: HolderKey | None
    ) -> tuple[str, ...]:
        try:
            named = naming(who, school, profiles=self.authority.profiles)
        except (EnrolmentError, PkiError):
            return ("blocked",)
        found = ["role"] if entry.profile != named.profile else []
        if named.commitment is None:
            found += _different_parts(Subject.from_x509(x509.load_der_x509_certificate(certificate_der).subject), named.subject)
        elif held is not None and not self._knows_code(who, held):
            found.append("code")
        return tuple(dict.fromkeys(found))

    def _knows_code(self, who: Person, held: HolderKey) -> bool:
        """Whether a pupil's certificate commits to the code that the roster has."""
        if held.commitment is None or held.wrapped_opening is None or who.code is None:
            return False
        code = check(who.code.scheme, who.code.value, facts=PersonFacts(birth_date=who.birth_date, sex=who.sex.value)).code
        opening = unwrap_opening(held.wrapped_opening, holder=who.id, keys=self.keys)
        return commitment.commit(code, opening) == held.commitment

    def _require_renewable(self, held: HolderKey) -> None:
        entry = self.certificates.get(held.issuer, held.serial)
        if entry is None or entry.state is not CertificateState.ISSUED:
            what = entry.state.value if entry else "not in the books"
            advice = "release it or revoke it first" if what == "suspended" else "a new key is needed: rekey"
            raise EnrolmentError(f"the certificate of {held.holder} is {what}; {advice}")
        if not held.activated:
            raise EnrolmentError(f"{held.holder} has not chosen a PIN yet; there is nothing to renew: rekey")
        if self.pin_attempts.wrong_so_far(held):
            raise EnrolmentError(f"wrong PINs are counted for {held.holder}; their right PIN clears them, then renew")

    def _certify(self, holder: str, named: Naming, old: x509.Certificate) -> IssuedCertificate:
        key = old.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise EnrolmentError(f"the certificate of {holder} names a key of type {type(key).__name__}; expected EC or RSA")
        return self.authority.certify(CertificateRequest(profile=named.profile, subject=named.subject, public_key=key, holder=holder))


def due_of_all(reissue: Reissue, people: Iterable[Person], schools: Mapping[str, School], *, blocked: frozenset[str]) -> Iterator[Due]:
    """`people` with their codes; `blocked` are ids."""
    for who in people:
        found = reissue.due(who, schools[who.school_id], blocked=who.id in blocked)
        if found is not None:
            yield found


def with_code(who: Person, *, roster: RosterStore, keys: KeyStore) -> Person:
    """The person with their code, where the roster holds one."""
    wrapped = roster.wrapped_code(who.id)
    return replace(who, code=unwrap_code(wrapped, person_id=who.id, keys=keys)) if wrapped is not None else who


def _different_parts(old: Subject, new: Subject) -> list[str]:
    before, after = dict(old.items()), dict(new.items())
    return [_PARTS.get(name, name) for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
