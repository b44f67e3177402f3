"""Online Certificate Status Protocol structures, declared once (RFC 6960). The responder is in :mod:`pki.status.ocsp`.

Requests for several certificates, which `cryptography` does not read, are read here. ENUMERATED values and the optional ANY of a
GeneralName travel as TLV: hazmat.asn1 has neither an ENUMERATED nor an optional TLV.
"""

from __future__ import annotations

from typing import Annotated, Literal

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString, Default, Explicit, GeneralizedTime, Implicit, Null, Variant

from pki.structures.tsp import Extension

OID = x509.ObjectIdentifier

OCSP_BASIC = OID("1.3.6.1.5.5.7.48.1.1")
NONCE = OID("1.3.6.1.5.5.7.48.1.2")
ACCEPTABLE_RESPONSES = OID("1.3.6.1.5.5.7.48.1.4")
NO_CHECK = OID("1.3.6.1.5.5.7.48.1.5")
ARCHIVE_CUTOFF = OID("1.3.6.1.5.5.7.48.1.6")
PREFERRED_ALGORITHMS = OID("1.3.6.1.5.5.7.48.1.8")


@asn1.sequence
class CertID:
    hash_algorithm: TLV
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int


@asn1.sequence
class Request:
    req_cert: CertID
    single_request_extensions: Annotated[list[Extension] | None, Explicit(0)]


@asn1.sequence
class _GeneralName:
    """[1] IMPLICIT around a SEQUENCE of one ANY has the octets of [1] EXPLICIT around the CHOICE GeneralName."""

    name: TLV


@asn1.sequence
class TBSRequest:
    version: Annotated[int, Explicit(0), Default(0)]
    requestor_name: Annotated[_GeneralName | None, Implicit(1)]
    request_list: list[Request]
    request_extensions: Annotated[list[Extension] | None, Explicit(2)]


@asn1.sequence
class RequestSignature:
    signature_algorithm: TLV
    signature: BitString
    certs: Annotated[list[TLV] | None, Explicit(0)]


@asn1.sequence
class OCSPRequest:
    tbs_request: TBSRequest
    optional_signature: Annotated[RequestSignature | None, Explicit(0)]


@asn1.sequence
class _CRLReason:
    """[0] IMPLICIT around a SEQUENCE of one ANY has the octets of [0] EXPLICIT around the ENUMERATED CRLReason."""

    reason: TLV


@asn1.sequence
class RevokedInfo:
    revocation_time: GeneralizedTime
    revocation_reason: Annotated[_CRLReason | None, Implicit(0)]

    @classmethod
    def at(cls, moment: GeneralizedTime, reason: int | None) -> RevokedInfo:
        """`reason` is the CRLReason number of RFC 5280 section 5.3.1, or None where the reason is not given."""
        wrapped = None if reason is None else _CRLReason(reason=enumerated(reason))
        return cls(revocation_time=moment, revocation_reason=wrapped)


@asn1.sequence
class SingleResponse:
    cert_id: CertID
    cert_status: (
        Annotated[Variant[Null, Literal["good"]], Implicit(0)]
        | Annotated[Variant[RevokedInfo, Literal["revoked"]], Implicit(1)]
        | Annotated[Variant[Null, Literal["unknown"]], Implicit(2)]
    )
    this_update: GeneralizedTime
    next_update: Annotated[GeneralizedTime | None, Explicit(0)]
    single_extensions: Annotated[list[Extension] | None, Explicit(1)]


@asn1.sequence
class ResponseData:
    """`responder_id` is always byKey, the shorter form that RFC 5019 section 2.2.2 recommends."""

    responder_id: Annotated[bytes, Explicit(2)]
    produced_at: GeneralizedTime
    responses: list[SingleResponse]
    response_extensions: Annotated[list[Extension] | None, Explicit(1)]


@asn1.sequence
class BasicOCSPResponse:
    tbs_response_data: TLV
    signature_algorithm: TLV
    signature: BitString
    certs: Annotated[list[TLV] | None, Explicit(0)]


@asn1.sequence
class ResponseBytes:
    response_type: OID
    response: bytes


@asn1.sequence
class OCSPResponse:
    response_status: TLV
    response_bytes: Annotated[ResponseBytes | None, Explicit(0)]


def enumerated(value: int) -> TLV:
    """An ENUMERATED of 0-127."""
    return asn1.decode_der(TLV, bytes((0x0A, 0x01, value)))


@asn1.sequence
class SubjectPublicKeyInfo:
    algorithm: TLV
    subject_public_key: BitString
