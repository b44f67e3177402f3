"""The part of issuing that touches no books: prepares a to-be-signed certificate, and signs octets that were prepared."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pki.errors import IssuanceError
from pki.identity.subject import Subject
from pki.issuing.generations import series_of
from pki.issuing.lint import INTERNAL_URLS, SAMPLE_RATE, lint
from pki.issuing.profile import CertificateProfile
from pki.issuing.structural import MAX_KINDS, MAX_SERIAL, Seen, check_structure
from pki.issuing.tbs import Issuer, Plan, build, throwaway_key
from pki.issuing.tbs_pattern import Pattern, kind_of
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import PrivateKey
from pki.structures.algorithms import PublicKey, SigningKey
from pki.structures.der import signed_structure

MAX_BACKDATING = timedelta(hours=48)  # as CA/Browser Forum Baseline Requirements 7.1.2.7 bound it
MAX_HOLDER = 200  # characters


@dataclass(frozen=True)
class CertificateRequest:
    """What is asked for. `holder` is an opaque id of the roster or the house, never a name or a code.

    `not_before` is aware UTC, now by default. The caller has already checked the person's identity code (:mod:`pki.identity.codes`) and
    that the holder controls the private key.
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
        """Raises ProfileError, :class:`pki.issuing.structural.StructureError`, :class:`pki.issuing.lint.LintError` or IssuanceError."""
        if profile.issuer != series_of(self.issuer.name):
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
        tbs_der = self._to_be_signed(plan)
        check_structure(tbs_der, plan, self._seen)
        if secrets.randbelow(1_000_000) < self.lint_rate * 1_000_000:
            self._lint(tbs_der, plan)
        return PreparedCertificate(
            issuer=self.issuer.name,
            serial=plan.serial,
            profile=profile.name,
            holder=request.holder,
            tbs_der=tbs_der,
            public_key_sha256=hashlib.sha256(plan.spki_der).digest(),
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

    def _to_be_signed(self, plan: Plan) -> bytes:
        kind = kind_of(plan)
        pattern = self._patterns.get(kind)
        if pattern is None:
            tbs_der = build(plan, self._throwaway).tbs_certificate_bytes
            if len(self._patterns) < MAX_KINDS:
                self._patterns[kind] = Pattern.of(tbs_der)
            return tbs_der
        return pattern.fill(plan)

    def _lint(self, tbs_der: bytes, plan: Plan) -> None:
        """By pkilint, the certificate as `cryptography` builds it, which must be the one that was put together."""
        draft = build(plan, self._throwaway)
        if draft.tbs_certificate_bytes != tbs_der:
            raise IssuanceError(f"profile {plan.profile.name}: two ways to build the certificate give different octets")
        lint(draft.public_bytes(serialization.Encoding.DER), plan.profile.lint, waived=INTERNAL_URLS)

    def _validity(self, profile: CertificateProfile, asked: datetime | None, now: datetime) -> tuple[datetime, datetime]:
        start = (asked or now).replace(microsecond=0)
        if start.utcoffset() != timedelta(0):
            raise IssuanceError("not_before: expected an aware UTC time")
        if start < now - MAX_BACKDATING:
            raise IssuanceError(f"not_before: {start.isoformat()} lies more than {MAX_BACKDATING} in the past")
        end = start + profile.validity - timedelta(seconds=1)  # both ends are inclusive (RFC 5280 section 4.1.2.5)
        if profile.ends_with_issuer:
            end = min(end, self.issuer.not_after)
        if start < self.issuer.not_before or end > self.issuer.not_after or end <= start:
            raise IssuanceError(
                f"profile {profile.name}: validity to {end:%Y-%m-%d} outlives issuer {self.issuer.name}, which is valid from"
                f" {self.issuer.not_before:%Y-%m-%d} to {self.issuer.not_after:%Y-%m-%d}; renew the issuer first"
            )
        return start.astimezone(UTC), end.astimezone(UTC)

    @cached_property
    def _patterns(self) -> dict[tuple[object, ...], Pattern]:
        return {}

    @cached_property
    def _seen(self) -> Seen:
        return Seen()

    @cached_property
    def _throwaway(self) -> PrivateKey:
        return throwaway_key(self.issuer.public_key)
