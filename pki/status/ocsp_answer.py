"""What an OCSP responder answers, and its refusals, which nobody signs (RFC 6960 section 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from cryptography.hazmat import asn1

from pki.structures.ocsp_asn1 import OCSPResponse, enumerated


class ResponseStatus(IntEnum):
    """OCSPResponseStatus, RFC 6960 section 4.2.1."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True)
class OcspAnswer:
    """An OCSPResponse, and what an HTTP cache may do with it (RFC 5019 section 6).

    `states` says good, revoked or unknown for each certificate, in the order asked. `cacheable` only where one certificate was asked about,
    without nonce, and is good or revoked: `unknown` may change at any moment. `this_update` and `next_update` are aware UTC.
    """

    der: bytes
    status: ResponseStatus
    states: tuple[str, ...] = ()
    cacheable: bool = False
    this_update: datetime | None = None
    next_update: datetime | None = None


def refusal(status: ResponseStatus) -> OcspAnswer:
    """An unsigned error answer, such as tryLater (RFC 6960 section 2.3)."""
    return OcspAnswer(der=asn1.encode_der(OCSPResponse(response_status=enumerated(status), response_bytes=None)), status=status)
