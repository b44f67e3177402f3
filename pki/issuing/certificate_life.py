"""The life of a certificate, as pure moves on its entry in the books. Stores apply them; nothing here keeps anything.

    RECORDED ── issue ──→ ISSUED ── suspend ──→ SUSPENDED
        │                  │  ←──── release ────    │
        └───── revoke ─────┴─────── revoke ─────────┘──→ REVOKED

A suspended certificate is on hold (certificateHold, RFC 5280 section 5.3.1): revoked as long as it lasts, good again once released. One
that is revoked out of a hold counts as revoked from the day it was put on hold (X.509 on the reason codes: "the revocation date shall be
the date the certificate was placed on hold"), so that nothing signed meanwhile becomes good between the two; the log tells both days.
What happened in a hold that was released stays in the log alone. A revocation is final (EN 319 411-1 section 6.3.9).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pki.errors import (
    AlreadyIssuedError,
    AlreadyRevokedError,
    AlreadySuspendedError,
    IssuanceError,
    NotIssuedError,
    NotSuspendedError,
)
from pki.ports import CertificateEntry, CertificateState

HOLD = "certificateHold"

# RFC 5280 section 5.3.1, without certificateHold and removeFromCRL: a revocation is final
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

COMPROMISE = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
"""Reasons that speak of the key itself: it is never certified again."""

STANDING = (CertificateState.ISSUED, CertificateState.SUSPENDED)
"""Issued, and not revoked for good."""

REVOKED_OR_HELD = (CertificateState.REVOKED, CertificateState.SUSPENDED)
"""What a revocation list names, and OCSP calls revoked."""


def issue(entry: CertificateEntry, *, certificate_der: bytes, at: datetime) -> CertificateEntry:
    """RECORDED to ISSUED, once. Raises :class:`pki.errors.AlreadyIssuedError` or AlreadyRevokedError."""
    if entry.state is CertificateState.REVOKED:
        raise AlreadyRevokedError(f"{_label(entry)} was revoked before it was issued")
    if entry.state is not CertificateState.RECORDED:
        raise AlreadyIssuedError(f"{_label(entry)} has been issued before")
    return replace(entry, state=CertificateState.ISSUED, certificate_der=certificate_der, issued_at=at)


def suspend(entry: CertificateEntry, *, at: datetime) -> CertificateEntry:
    """ISSUED to SUSPENDED. Raises :class:`pki.errors.AlreadySuspendedError`, AlreadyRevokedError or NotIssuedError."""
    if entry.state is CertificateState.SUSPENDED:
        raise AlreadySuspendedError(f"{_label(entry)} is suspended already")
    _refuse_revoked(entry)
    if entry.state is not CertificateState.ISSUED:
        raise NotIssuedError(f"{_label(entry)} is {entry.state}; only an issued certificate can be suspended")
    return replace(entry, state=CertificateState.SUSPENDED, revoked_at=at, revocation_reason=HOLD)


def release(entry: CertificateEntry) -> CertificateEntry:
    """SUSPENDED to ISSUED. Raises :class:`pki.errors.NotSuspendedError` or AlreadyRevokedError."""
    _refuse_revoked(entry)
    if entry.state is not CertificateState.SUSPENDED:
        raise NotSuspendedError(f"{_label(entry)} is {entry.state}; only a suspended certificate can be released")
    return replace(entry, state=CertificateState.ISSUED, revoked_at=None, revocation_reason=None)


def revoke(entry: CertificateEntry, *, reason: str, at: datetime) -> CertificateEntry:
    """For good, from any other state; out of a hold, as of the day it began. Raises AlreadyRevokedError, IssuanceError for the reason."""
    if reason not in REVOCATION_REASONS:
        raise IssuanceError(f"revocation reason: got {reason!r}, expected one of {', '.join(REVOCATION_REASONS)}")
    _refuse_revoked(entry)
    return replace(entry, state=CertificateState.REVOKED, revoked_at=entry.revoked_at or at, revocation_reason=reason)


def _refuse_revoked(entry: CertificateEntry) -> None:
    if entry.state is CertificateState.REVOKED:
        raise AlreadyRevokedError(f"{_label(entry)} is revoked already; a revocation is final")


def _label(entry: CertificateEntry) -> str:
    return f"{entry.issuer}: serial {entry.serial:x}"
