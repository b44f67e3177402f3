"""A whole authority in memory, on a clock that stands still: root, issuing CA, TSA, OCSP responder and certificates for people.

>>> from tests.support.authority import make_authority
>>> house = make_authority()
>>> teacher = house.issue_teacher("Trần Thị Hoa")
>>> teacher.certificate_der, teacher.key, teacher.serial
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certs.loader import load as load_toml
from certs.loader import names
from pki.authority.establish import EstablishedAuthority, Organization, establish
from pki.errors import (
    BlockedKeyError,
    DuplicateSerialError,
    IssuanceError,
    KeyNotFoundError,
    KeyStoreError,
    KeyTakenError,
    NotRecordedError,
    WrongSecretError,
)
from pki.identity.commitment import commit, identifier, new_opening
from pki.identity.subject import Subject, legal_person, person, pseudonymous
from pki.issuing.certificate_life import COMPROMISE, REVOKED_OR_HELD, release, revoke, suspend
from pki.issuing.certificate_life import issue as move_to_issued
from pki.issuing.issue import CertificateRequest, IssuedCertificate
from pki.issuing.profile import CertificateProfile, profiles_from
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateEntry, CertificateState
from pki.status.ocsp_status import CertificateName, CertificateStatus

MOMENT = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
SCHOOL = "Trường THCS Nguyễn Du"
SCHOOL_IDENTIFIER = "NTRVN-0100109106"
ORGANIZATION = Organization(country="VN", name="Sở Giáo dục và Đào tạo (mẫu)", identifier="NTRVN-0100000001")
BASE_URL = "http://pki.example.org"  # a public name: pkilint calls .example and loopback addresses internal


class StandingClock:
    """A clock that moves only when told: `clock.moment += timedelta(days=365)`."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


class MemoryCertificateStore:
    """:class:`pki.ports.CertificateStore` in a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], CertificateEntry] = {}
        self._crl_numbers: dict[tuple[str, int], int] = {}
        self.blocked_keys: set[bytes] = set()

    def record(self, entry: CertificateEntry) -> None:
        if entry.state is not CertificateState.RECORDED:
            raise ValueError(f"got state {entry.state}, expected recorded")
        if (entry.issuer, entry.serial) in self.entries:
            raise DuplicateSerialError(f"issuer {entry.issuer} already has serial {entry.serial:x}")
        for error in self.refused_keys({entry.public_key_sha256: entry.holder}).values():
            raise error
        self.entries[entry.issuer, entry.serial] = entry

    def mark_issued(self, issuer: str, serial: int, *, certificate_der: bytes, at: datetime) -> None:
        self.entries[issuer, serial] = move_to_issued(self._entry(issuer, serial), certificate_der=certificate_der, at=at)

    def mark_revoked(self, issuer: str, serial: int, *, reason: str, at: datetime) -> None:
        entry = self.entries[issuer, serial] = revoke(self._entry(issuer, serial), reason=reason, at=at)
        if reason in COMPROMISE:
            self.block_key(entry.public_key_sha256, reason=reason, at=at)

    def refused_keys(self, holders: Mapping[bytes, str]) -> dict[bytes, IssuanceError]:
        certified = [entry for entry in self.entries.values() if holders.get(entry.public_key_sha256, entry.holder) != entry.holder]
        found: dict[bytes, IssuanceError] = {
            entry.public_key_sha256: KeyTakenError("the key stands in a certificate of somebody else") for entry in certified
        }
        blocked = BlockedKeyError("the key was reported as compromised and is never certified again")
        return found | dict.fromkeys(self.blocked_keys & holders.keys(), blocked)

    def block_key(self, public_key_sha256: bytes, *, reason: str, at: datetime) -> tuple[CertificateEntry, ...]:
        self.blocked_keys.add(public_key_sha256)
        over = [entry for entry in self.entries.values() if entry.public_key_sha256 == public_key_sha256]
        revoked = [revoke(entry, reason=reason, at=at) for entry in over if entry.state is not CertificateState.REVOKED]
        self.entries.update({(entry.issuer, entry.serial): entry for entry in revoked})
        return tuple(revoked)

    def mark_suspended(self, issuer: str, serial: int, *, at: datetime) -> None:
        self.entries[issuer, serial] = suspend(self._entry(issuer, serial), at=at)

    def mark_released(self, issuer: str, serial: int, *, at: datetime) -> None:
        self.entries[issuer, serial] = release(self._entry(issuer, serial))

    def get(self, issuer: str, serial: int) -> CertificateEntry | None:
        return self.entries.get((issuer, serial))

    def statuses(self, asked: Collection[CertificateName]) -> dict[CertificateName, CertificateStatus]:
        found = {name: self.entries[name] for name in asked if name in self.entries}
        return {name: CertificateStatus(entry.state, entry.revoked_at, entry.revocation_reason) for name, entry in found.items()}

    def of_holder(self, holder: str) -> tuple[CertificateEntry, ...]:
        return tuple(entry for entry in self.entries.values() if entry.holder == holder)

    def revoked(self, issuer: str, *, shard: int, shards: int) -> Iterable[CertificateEntry]:
        return [
            entry
            for entry in self.entries.values()
            if entry.issuer == issuer and entry.state in REVOKED_OR_HELD and entry.serial % shards == shard
        ]

    def next_crl_number(self, issuer: str, *, shard: int) -> int:
        number = self._crl_numbers.get((issuer, shard), 0) + 1
        self._crl_numbers[issuer, shard] = number
        return number

    def _entry(self, issuer: str, serial: int) -> CertificateEntry:
        try:
            return self.entries[issuer, serial]
        except KeyError:
            raise NotRecordedError(f"issuer {issuer} has no serial {serial:x}") from None


class MemoryKeyStore:
    """:class:`pki.ports.KeyStore` in a dictionary, with a key-encryption key made at birth."""

    def __init__(self) -> None:
        self.keys: dict[str, SoftwareKey] = {}
        self._kek = AESGCM(AESGCM.generate_key(256))

    def generate(self, label: str, *, curve: str = "P-256") -> SoftwareKey:
        if label in self.keys:
            raise KeyStoreError(f"label {label} is taken")
        self.keys[label] = SoftwareKey.generate(curve)
        return self.keys[label]

    def open(self, label: str) -> SoftwareKey:
        try:
            return self.keys[label]
        except KeyError:
            raise KeyNotFoundError(f"no key bears the label {label}") from None

    def labels(self) -> tuple[str, ...]:
        return tuple(self.keys)

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._kek.encrypt(nonce, secret, context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        try:
            return self._kek.decrypt(wrapped[:12], wrapped[12:], context)
        except (InvalidTag, ValueError):
            raise WrongSecretError("wrapped secret or its context was altered") from None


@dataclass(frozen=True)
class Credential:
    """A certificate with its key. `opening` is set for pupils: it opens the commitment to `code`."""

    certificate_der: bytes
    key: SoftwareKey
    serial: int
    subject: Subject
    code: str | None = None
    opening: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TestAuthority:
    """An established authority and what a test needs of it. `clock` can be moved; certificates are issued at its moment."""

    __test__ = False  # not a test class, whatever its name

    clock: StandingClock
    store: MemoryCertificateStore
    keys: MemoryKeyStore
    profiles: dict[str, CertificateProfile]
    urls: AuthorityUrls
    established: EstablishedAuthority

    @property
    def root_der(self) -> bytes:
        return self.established.root_der

    @property
    def issuing_der(self) -> bytes:
        return self.established.issuing_der

    @property
    def root_key(self) -> SoftwareKey:
        return self.keys.open("root")

    @property
    def issuing_key(self) -> SoftwareKey:
        return self.keys.open("issuing")

    @property
    def tsa_der(self) -> bytes:
        return self.established.tsa.certificate_der

    @property
    def tsa_key(self) -> SoftwareKey:
        return self.keys.open("tsa")

    @property
    def ocsp_der(self) -> bytes:
        return self.established.ocsp.certificate_der

    @property
    def ocsp_key(self) -> SoftwareKey:
        return self.keys.open("ocsp")

    def issue_teacher(self, name: str = "Trần Thị Hoa", **kwargs: str) -> Credential:
        """A teacher of :data:`SCHOOL`; keywords `code`, `school`, `school_identifier`, `curve`."""
        return self._issue_person("teacher", name, **kwargs)

    def issue_principal(self, name: str = "Lê Văn Minh", **kwargs: str) -> Credential:
        return self._issue_person("principal", name, **kwargs)

    def issue_seal(self, school: str = SCHOOL, school_identifier: str = SCHOOL_IDENTIFIER, *, curve: str = "P-256") -> Credential:
        subject = legal_person(country="VN", name=school, identifier=school_identifier)
        return self.issue("school-seal", subject, curve=curve)

    def issue_student(self, code: str = "001212000001", *, curve: str = "P-256") -> Credential:
        opening = new_opening()
        subject = pseudonymous(country="VN", identifier=identifier(commit(code, opening), country="VN"))
        return replace(self.issue("student", subject, curve=curve), code=code, opening=opening)

    def issue(self, profile: str, subject: Subject, *, curve: str = "P-256", holder: str | None = None) -> Credential:
        """Any certificate of the issuing authority, with a fresh key."""
        key = SoftwareKey.generate(curve)
        issued = self.certify(profile, subject, key, holder=holder)
        return Credential(issued.certificate_der, key, issued.serial, subject)

    def certify(self, profile: str, subject: Subject, key: SoftwareKey, *, holder: str | None = None) -> IssuedCertificate:
        holder = holder or f"{profile}/{hashlib.sha256(subject.common_name.encode()).hexdigest()[:12]}"
        request = CertificateRequest(profile=profile, subject=subject, public_key=key.public_key(), holder=holder)
        return self.established.issuing.certify(request)

    def revoke(self, credential: Credential, reason: str = "keyCompromise") -> None:
        self.established.issuing.revoke(credential.serial, reason)

    def advance(self, **delta: float) -> None:
        """Moves the clock: `advance(days=365)`."""
        self.clock.moment += timedelta(**delta)

    def _issue_person(
        self,
        profile: str,
        name: str,
        *,
        code: str = "001185000001",
        school: str = SCHOOL,
        school_identifier: str = SCHOOL_IDENTIFIER,
        curve: str = "P-256",
    ) -> Credential:
        surname, _, given_name = name.partition(" ")
        subject = person(
            country="VN",
            surname=surname,
            given_name=given_name or surname,
            common_name=name,
            identifier=f"PNOVN-{code}",
            organization=school,
            organization_identifier=school_identifier,
        )
        return replace(self.issue(profile, subject, curve=curve), code=code)


def shipped_profiles() -> dict[str, CertificateProfile]:
    """The profiles of `certs/profiles`."""
    return profiles_from(load_toml("profiles", name) for name in names("profiles"))


def make_authority(
    at: datetime = MOMENT, *, base_url: str = BASE_URL, crl_shards: int = 4, lint_rate: float = 0, keys: Any = None
) -> TestAuthority:
    """A fresh authority established at `at`, in a few milliseconds; its keys in memory, or in the key store `keys`."""
    clock, store, keys = StandingClock(at), MemoryCertificateStore(), MemoryKeyStore() if keys is None else keys
    profiles, urls = shipped_profiles(), AuthorityUrls(base_url)
    established = establish(
        keys, store, profiles, clock=clock, urls=urls, organization=ORGANIZATION, crl_shards=crl_shards, lint_rate=lint_rate
    )
    return TestAuthority(clock, store, keys, profiles, urls, established)
