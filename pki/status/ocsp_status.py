"""What a status responder asks of the books: the state of many certificates at once, and nothing else of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pki.ports import CertificateState

CertificateName = tuple[str, int]
"""Issuer's name in the books, and serial number."""


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """`revoked_at` is aware UTC; `reason` a CRLReason name of RFC 5280 section 5.3.1, or None."""

    state: CertificateState
    revoked_at: datetime | None = None
    reason: str | None = None


class StatusBook(Protocol):
    """The books as a responder sees them."""

    def statuses(self, asked: Collection[CertificateName]) -> Mapping[CertificateName, CertificateStatus]:
        """Those that the books hold; a certificate that was never recorded is left out. Serial numbers may be any integer."""
        ...
