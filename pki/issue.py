"""Issues certificates in three moves, so that a crash at any point leaves a certificate that is known and can be revoked.

1. `prepare`: the profile is applied, a serial number drawn, the to-be-signed certificate built with a throw-away key and linted.
2. `record`: it stands in the authority's books, durably, before any signature exists.
3. `issue`: the issuer's key signs exactly the recorded octets, once.

>>> authority = Authority(name="issuing", certificate_der=der, key=key, profiles=profiles, store=store, clock=clock, urls=urls)
>>> issued = authority.certify(CertificateRequest(profile="teacher", subject=subject, public_key=public_key, holder="teacher/17"))
"""  # the example needs a key and a store; tests/pki/test_issue.py runs it

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pki.algorithms import PublicKey, SigningKey
from pki.der import signed_structure
from pki.errors import AlreadyIssuedError, IssuanceError, NotRecordedError
from pki.lint import INTERNAL_URLS, SAMPLE_RATE, lint
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock
from pki.profile import CertificateProfile
from pki.softkey import PrivateKey
from pki.structural import MAX_SERIAL, check_structure
from pki.subject import Subject
from pki.tbs import Issuer, Plan, build, public_key_sha256, throwaway_key
from pki.urls import AuthorityUrls, shard_of

MAX_BACKDATING = timedelta(hours=48)  # as CA/Browser Forum Baseline Requirements 7.1.2.7 bound it
MAX_HOLDER = 200  # characters

# RFC 5280 section 5.3.1, without certificateHold and removeFromCRL: a revocation is final here
REVOCATION_REASONS = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
    "aACompromise",
)


@dataclass(frozen=True)
class CertificateRequest:
    """What is asked for. `holder` is an opaque id of the roster or the house, never a name or a code.

    `not_before` is aware UTC, now by default. The caller has already checked the person's identity code (:mod:`pki.identity`) and that
    the holder controls the private key.
    """

    profile: str
    subject: Subject
    public_key: PublicKey
    holder: str
    not_before: datetime | None = None


@dataclass(frozen=True)
class PreparedCertificate:
    """A linted to-be-signed certificate. Redeemable once, after it has been recorded."""

    issuer: str
    serial: int
    profile: str
    holder: str
    tbs_der: bytes
    public_key_sha256: bytes
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class IssuedCertificate:
    issuer: str
    serial: int
    profile: str
    holder: str
    certificate_der: bytes
    not_before: datetime
    not_after: datetime


def draw_serial() -> int:
    """A serial number 0 < s < 2^159 with 158 and more random bits (RFC 5280 section 4.1.2.2; at least 64 are asked for)."""
    return secrets.randbelow(MAX_SERIAL) + 1


@dataclass(frozen=True)
class Press:
    """Prepares and signs for one issuer; touches no books. :class:`Authority` is what most callers want."""

    issuer: Issuer
    key: SigningKey
    urls: AuthorityUrls
    crl_shards: int
    serials: Callable[[], int] = draw_serial
    lint_rate: float = SAMPLE_RATE

    def prepare(self, profile: CertificateProfile, request: CertificateRequest, *, now: datetime) -> PreparedCertificate:
        """Raises ProfileError, :class:`pki.structural.StructureError`, :class:`pki.lint.LintError` or IssuanceError."""
        if profile.issuer != self.issuer.name:
            raise IssuanceError(f"profile {profile.name}: issued by {profile.issuer}, got issuer {self.issuer.name}")
        if not 0 < len(request.holder) <= MAX_HOLDER:
            raise IssuanceError(f"holder: expected an id of 1 to {MAX_HOLDER} characters, got {len(request.holder)}")
        profile.check_subject(request.subject)
        profile.check_key(request.public_key)
        not_before, not_after = self._validity(profile, request.not_before, now)
        plan = Plan(
            profile=profile,
            issuer=self.issuer,
            subject=request.subject,
            public_key=request.public_key,
            serial=self.serials(),
            not_before=not_before,
            not_after=not_after,
            urls=self.urls,
            crl_shards=self.crl_shards,
        )
        draft = build(plan, self._throwaway)
        check_structure(draft.tbs_certificate_bytes, plan)
        if secrets.randbelow(1_000_000) < self.lint_rate * 1_000_000:
            lint(draft.public_bytes(serialization.Encoding.DER), profile.lint, waived=INTERNAL_URLS)
        return PreparedCertificate(
            issuer=self.issuer.name,
            serial=plan.serial,
            profile=profile.name,
            holder=request.holder,
            tbs_der=draft.tbs_certificate_bytes,
            public_key_sha256=public_key_sha256(request.public_key),
            not_before=not_before,
            not_after=not_after,
        )

    def sign(self, tbs_der: bytes) -> bytes:
        """The DER certificate around exactly `tbs_der`; its signature has been verified under the issuer's own public key."""
        algorithm = self.issuer.algorithm
        signature = self.key.sign(tbs_der)
        certificate_der = signed_structure(tbs_der, algorithm.identifier_der, signature)
        certificate = x509.load_der_x509_certificate(certificate_der)
        if certificate.tbs_certificate_bytes != tbs_der:
            raise IssuanceError("signed certificate: its to-be-signed part is not the prepared one")
        algorithm.verify(self.issuer.public_key, certificate.signature, certificate.tbs_certificate_bytes)
        return certificate_der

    def _validity(self, profile: CertificateProfile, asked: datetime | None, now: datetime) -> tuple[datetime, datetime]:
        start = (asked or now).replace(microsecond=0)
        if start.utcoffset() != timedelta(0):
            raise IssuanceError("not_before: expected an aware UTC time")
        if start < now - MAX_BACKDATING:
            raise IssuanceError(f"not_before: {start.isoformat()} lies more than {MAX_BACKDATING} in the past")
        end = start + profile.validity - timedelta(seconds=1)  # both ends are inclusive (RFC 5280 section 4.1.2.5)
        if start < self.issuer.not_before or end > self.issuer.not_after:
            raise IssuanceError(
                f"profile {profile.name}: validity to {end:%Y-%m-%d} outlives issuer {self.issuer.name}, which is valid from"
                f" {self.issuer.not_before:%Y-%m-%d} to {self.issuer.not_after:%Y-%m-%d}; renew the issuer first"
            )
        return start.astimezone(UTC), end.astimezone(UTC)

    @cached_property
    def _throwaway(self) -> PrivateKey:
        return throwaway_key(self.issuer.public_key)


class Authority:
    """One issuer with its key, profiles and books. Thread-safe as far as its key and store are."""

    def __init__(
        self,
        *,
        name: str,
        certificate_der: bytes,
        key: SigningKey,
        profiles: Mapping[str, CertificateProfile],
        store: CertificateStore,
        clock: Clock,
        urls: AuthorityUrls,
        crl_shards: int = 1,
        serials: Callable[[], int] = draw_serial,
        lint_rate: float = SAMPLE_RATE,
    ) -> None:
        issuer = Issuer.from_certificate(name, certificate_der)
        if public_key_sha256(issuer.public_key) != public_key_sha256(key.public_key()):
            raise IssuanceError(f"issuer {name}: the key is not the one that its certificate names")
        if crl_shards < 1:
            raise IssuanceError(f"issuer {name}: got {crl_shards} CRL shards, expected at least 1")
        self.name = name
        self.certificate_der = certificate_der
        self.key = key
        self.profiles = dict(profiles)
        self.store = store
        self.clock = clock
        self.urls = urls
        self.crl_shards = crl_shards
        self._press = Press(issuer, key, urls, crl_shards, serials, lint_rate)

    @property
    def issuer(self) -> Issuer:
        return self._press.issuer

    def prepare(self, request: CertificateRequest) -> PreparedCertificate:
        """Move 1. Nothing is kept yet. Raises ProfileError or :class:`pki.errors.IssuanceError`."""
        profile = self.profiles.get(request.profile)
        if profile is None:
            raise IssuanceError(f"profile {request.profile!r} is unknown; expected one of {', '.join(sorted(self.profiles))}")
        return self._press.prepare(profile, request, now=self.clock())

    def record(self, prepared: PreparedCertificate) -> None:
        """Move 2. Raises :class:`pki.errors.DuplicateSerialError`; then prepare again."""
        record(self.store, prepared, at=self.clock())

    def issue(self, prepared: PreparedCertificate) -> IssuedCertificate:
        """Move 3. Signs what was recorded, once.

        Raises :class:`pki.errors.NotRecordedError`, :class:`pki.errors.AlreadyIssuedError`, or IssuanceError where the prepared
        octets are not the recorded ones, or the certificate was revoked meanwhile.
        """
        return issue(self.store, self._press, prepared, at=self.clock())

    def certify(self, request: CertificateRequest) -> IssuedCertificate:
        """The three moves in a row."""
        prepared = self.prepare(request)
        self.record(prepared)
        return self.issue(prepared)

    def revoke(self, serial: int, reason: str = "unspecified") -> None:
        """Revokes a recorded or issued certificate, for good. `reason` is a name of :data:`REVOCATION_REASONS`.

        Raises IssuanceError for another reason, :class:`pki.errors.NotRecordedError` or :class:`pki.errors.AlreadyRevokedError`.
        """
        if reason not in REVOCATION_REASONS:
            raise IssuanceError(f"revocation reason: got {reason!r}, expected one of {', '.join(REVOCATION_REASONS)}")
        self.store.mark_revoked(self.name, serial, reason=reason, at=self.clock())

    def shard_of(self, serial: int) -> int:
        """The CRL shard that lists `serial` once it is revoked."""
        return shard_of(serial, self.crl_shards)


def record(store: CertificateStore, prepared: PreparedCertificate, *, at: datetime) -> None:
    """Enters a prepared certificate into the books."""
    store.record(
        CertificateEntry(
            issuer=prepared.issuer,
            serial=prepared.serial,
            profile=prepared.profile,
            holder=prepared.holder,
            state=CertificateState.RECORDED,
            tbs_sha256=hashlib.sha256(prepared.tbs_der).digest(),
            public_key_sha256=prepared.public_key_sha256,
            not_before=prepared.not_before,
            not_after=prepared.not_after,
            recorded_at=at,
        )
    )


def issue(store: CertificateStore, press: Press, prepared: PreparedCertificate, *, at: datetime) -> IssuedCertificate:
    """Signs a recorded certificate. The store's own check in `mark_issued` decides between two who try at once."""
    label = f"issuer {prepared.issuer}, serial {prepared.serial:x}"
    if prepared.issuer != press.issuer.name:
        raise IssuanceError(f"{label}: prepared for another issuer than {press.issuer.name}")
    entry = store.get(prepared.issuer, prepared.serial)
    if entry is None:
        raise NotRecordedError(f"{label}: not recorded, so not signed")
    if entry.state is CertificateState.ISSUED:
        raise AlreadyIssuedError(f"{label}: issued before; a prepared certificate is redeemable once")
    if entry.state is CertificateState.REVOKED:
        raise IssuanceError(f"{label}: revoked before it was issued")
    if hashlib.sha256(prepared.tbs_der).digest() != entry.tbs_sha256:
        raise IssuanceError(f"{label}: the to-be-signed certificate is not the one that was recorded")
    certificate_der = press.sign(prepared.tbs_der)
    store.mark_issued(prepared.issuer, prepared.serial, certificate_der=certificate_der, at=at)
    return IssuedCertificate(
        issuer=entry.issuer,
        serial=entry.serial,
        profile=entry.profile,
        holder=entry.holder,
        certificate_der=certificate_der,
        not_before=entry.not_before,
        not_after=entry.not_after,
    )
