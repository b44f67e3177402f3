"""Issues certificates in three moves, so that a crash at any point leaves a certificate that is known and can be revoked.

1. `prepare`: the profile is applied, a serial number drawn, the to-be-signed certificate built and linted, without the issuer's key.
2. `record`: it stands in the authority's books, durably, before any signature exists.
3. `issue`: the issuer's key signs exactly the recorded octets, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pki.errors import AlreadyIssuedError, IssuanceError, NotRecordedError
from pki.issuing.certificate_life import REVOCATION_REASONS
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.press import CertificateRequest, PreparedCertificate, Press, draw_serial
from pki.issuing.profile import CertificateProfile
from pki.issuing.tbs import Issuer, public_key_sha256
from pki.issuing.urls import AuthorityUrls, shard_of
from pki.keys.weak_keys import KeyCheck, refuse_weak_key
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock
from pki.structures.algorithms import PublicKey, SigningKey

__all__ = [
    "REVOCATION_REASONS",
    "Authority",
    "CertificateRequest",
    "IssuedCertificate",
    "PreparedCertificate",
    "Press",
    "draw_serial",
    "issue",
    "record",
]


@dataclass(frozen=True)
class IssuedCertificate:
    issuer: str
    serial: int
    profile: str
    holder: str
    certificate_der: bytes
    not_before: datetime
    not_after: datetime


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
        key_check: KeyCheck = refuse_weak_key,
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
        self._key_check = key_check
        self._press = Press(issuer, key, urls, crl_shards, serials, lint_rate)

    @property
    def issuer(self) -> Issuer:
        return self._press.issuer

    @property
    def press(self) -> Press:
        """For issuing many at once, in the same three moves (`records.bulk_issuance`)."""
        return self._press

    def prepare(self, request: CertificateRequest) -> PreparedCertificate:
        """Move 1. Nothing is kept yet. Raises ProfileError, :class:`pki.errors.WeakKeyError` or another IssuanceError."""
        profile = self.profiles.get(request.profile)
        if profile is None:
            raise IssuanceError(f"profile {request.profile!r} is unknown; expected one of {', '.join(sorted(self.profiles))}")
        self._key_check(request.public_key)
        return self._press.prepare(profile, request, now=self.clock())

    def record(self, prepared: PreparedCertificate) -> None:
        """Move 2. Raises :class:`pki.errors.DuplicateSerialError` (prepare again), BlockedKeyError or KeyTakenError."""
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
        """Revokes a certificate for good, one on hold as of the day its hold began. `reason` is a name of :data:`REVOCATION_REASONS`.

        Raises IssuanceError for another reason, :class:`pki.errors.NotRecordedError` or :class:`pki.errors.AlreadyRevokedError`.
        """
        if reason not in REVOCATION_REASONS:
            raise IssuanceError(f"revocation reason: got {reason!r}, expected one of {', '.join(REVOCATION_REASONS)}")
        self.store.mark_revoked(self.name, serial, reason=reason, at=self.clock())

    def suspend(self, serial: int) -> None:
        """Puts an issued certificate on hold. Raises as :func:`pki.issuing.certificate_life.suspend`, and NotRecordedError."""
        self.store.mark_suspended(self.name, serial, at=self.clock())

    def release(self, serial: int) -> None:
        """Ends a hold: the certificate is good again. Raises as :func:`pki.issuing.certificate_life.release`, and NotRecordedError."""
        self.store.mark_released(self.name, serial, at=self.clock())

    def block_key(self, key: PublicKey, reason: str = "keyCompromise") -> tuple[CertificateEntry, ...]:
        """Nobody's certificate ever names `key` again, and those that do are revoked, whoever issued them: returns them."""
        return self.store.block_key(public_key_sha256(key), reason=reason, at=self.clock())

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
    if entry.state in (CertificateState.ISSUED, CertificateState.SUSPENDED):
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
