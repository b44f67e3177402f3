"""Keys and to-be-signed certificates for a chunk of people: the work that takes the time, done away from the books and the key store.

Nothing here can sign: the press is given no issuer's key. What comes out holds activation codes and keys sealed under them, and goes over
a pipe to the process that writes the sheets; neither is ever stored in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.errors import IssuanceError, PkiError
from pki.issuing.issue import Authority
from pki.issuing.press import CertificateRequest, PreparedCertificate, Press
from pki.issuing.profile import CertificateProfile
from pki.issuing.tbs import Issuer
from pki.issuing.urls import AuthorityUrls
from pki.keys.holderkey import SealedHolderKey, seal_holder_key
from pki.keys.kdf import KeyDerivation
from pki.keys.pin import new_activation_code
from pki.keys.softkey import SoftwareKey
from pki.keys.weak_keys import KeyCheck
from pki.keys.wrap import wipe
from pki.structures.algorithms import PublicKey, SignatureAlgorithm
from records.enrolment import activation_kdf, naming
from records.errors import RecordsError
from records.person import Person, School


@dataclass(frozen=True)
class Terms:
    """All that a press needs to prepare certificates, and that may go to another process: no key."""

    issuer: str
    certificate_der: bytes
    profiles: Mapping[str, CertificateProfile]
    urls: AuthorityUrls
    crl_shards: int
    lint_rate: float
    key_check: Callable[[], KeyCheck]
    """Makes the check that every key must pass; called in the process that makes the keys, since a blocklist is a mapped file."""

    @classmethod
    def of(cls, authority: Authority, *, key_check: Callable[[], KeyCheck]) -> Terms:
        press = authority.press
        issuer, certificate_der, profiles = authority.name, authority.certificate_der, authority.profiles
        return cls(issuer, certificate_der, profiles, press.urls, press.crl_shards, press.lint_rate, key_check)


@dataclass(frozen=True)
class Job:
    """A person with their code, and their school."""

    who: Person
    school: School


@dataclass(frozen=True)
class Made:
    """A prepared certificate with its key, under the activation code alone so far."""

    person_id: str
    prepared: PreparedCertificate
    sealed: SealedHolderKey = field(repr=False)
    activation_code: str = field(repr=False)
    commitment: bytes | None = None
    opening: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class NotMade:
    """Why a person gets no certificate."""

    person_id: str
    reason: str


class Maker:
    """A press with the profiles and the key derivation beside it; each process of a workshop has one."""

    def __init__(self, terms: Terms) -> None:
        issuer = Issuer.from_certificate(terms.issuer, terms.certificate_der)
        self._press = Press(issuer, _NoKey(issuer), terms.urls, terms.crl_shards, lint_rate=terms.lint_rate)
        self._profiles = dict(terms.profiles)
        self._key_check = terms.key_check()
        self._kdf: KeyDerivation = activation_kdf()

    def make(self, jobs: Sequence[Job], at: datetime) -> list[Made | NotMade]:
        """One result a job, in their order; an error stops only its own person."""
        return [self._one(job, at) for job in jobs]

    def _one(self, job: Job, at: datetime) -> Made | NotMade:
        who = job.who
        try:
            named = naming(who, job.school, profiles=self._profiles)
            key, code = SoftwareKey.generate(), new_activation_code()
            self._key_check(key.public_key())
            request = CertificateRequest(profile=named.profile, subject=named.subject, public_key=key.public_key(), holder=who.id)
            prepared = self._press.prepare(self._profiles[named.profile], request, now=at)
        except (RecordsError, PkiError) as exc:
            return NotMade(who.id, str(exc))
        pkcs8 = bytearray(key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        try:
            sealed = seal_holder_key(pkcs8, code, holder=who.id, kdf=self._kdf)
        finally:
            wipe(pkcs8)
        return Made(who.id, prepared, sealed, code.text, named.commitment, named.opening)


class _NoKey:
    """Stands where a press keeps the issuer's key, in a process that has none."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._issuer.algorithm

    def public_key(self) -> PublicKey:
        return self._issuer.public_key

    def sign(self, data: bytes) -> bytes:
        raise IssuanceError(f"issuer {self._issuer.name}: {len(data)} octets to sign where there is no key; certificates are prepared here")
