"""Time-Stamp Protocol structures, declared once (RFC 3161, updated by RFC 5816). The authority's side is in :mod:`pki.status.timestamp`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString, Default, GeneralizedTime, Implicit

from pki.errors import EncodingError
from pki.structures.algorithms import Digest, digest_from_der
from pki.structures.cms import TST_INFO, ParsedSignedData, identifier_der, parse_signed_data

OID = x509.ObjectIdentifier


@asn1.sequence
class MessageImprint:
    hash_algorithm: TLV
    hashed_message: bytes


@asn1.sequence
class Extension:
    extn_id: OID
    critical: Annotated[bool, Default(False)]
    extn_value: bytes


@asn1.sequence
class TimeStampReq:
    version: int
    message_imprint: MessageImprint
    req_policy: OID | None
    nonce: int | None
    cert_req: Annotated[bool, Default(False)]
    extensions: Annotated[list[Extension] | None, Implicit(0)]


@asn1.sequence
class Accuracy:
    seconds: int | None
    millis: Annotated[int | None, Implicit(0)]
    micros: Annotated[int | None, Implicit(1)]


@asn1.sequence
class _GeneralName:
    """`tsa [0] GeneralName`: GeneralName is a CHOICE, so [0] is EXPLICIT; the wrapper makes an optional ANY."""

    name: TLV


@asn1.sequence
class TSTInfo:
    version: int
    policy: OID
    message_imprint: MessageImprint
    serial_number: int
    gen_time: GeneralizedTime
    accuracy: Accuracy | None
    ordering: Annotated[bool, Default(False)]
    nonce: int | None
    # [0] EXPLICIT around the CHOICE GeneralName has the same octets as [0] IMPLICIT around a SEQUENCE of one field
    tsa: Annotated[_GeneralName | None, Implicit(0)]
    extensions: Annotated[list[Extension] | None, Implicit(1)]


@asn1.sequence
class PKIStatusInfo:
    status: int
    status_string: list[str] | None
    fail_info: BitString | None


@asn1.sequence
class TimeStampResp:
    """A rejection carries no token; a grant is assembled by :mod:`pki.status.timestamp`, since hazmat.asn1 has no optional ANY."""

    status: PKIStatusInfo


@asn1.sequence
class GrantedTimeStampResp:
    status: PKIStatusInfo
    time_stamp_token: TLV


class TimeStampToken(NamedTuple):
    """A parsed TimeStampToken. `gen_time` is aware UTC; `imprint` was made with `imprint_digest`. Nothing is verified yet."""

    der: bytes
    cms: ParsedSignedData
    tst_info_der: bytes
    policy: OID
    serial_number: int
    gen_time: datetime
    nonce: int | None
    imprint: bytes
    imprint_digest: Digest


def parse_time_stamp_token(der: bytes) -> TimeStampToken:
    """Reads a DER TimeStampToken; raises :class:`pki.errors.EncodingError` or UnsupportedAlgorithmError (for the imprint's digest)."""
    cms = parse_signed_data(der)
    if cms.content_type_der != identifier_der(TST_INFO) or cms.encapsulated is None:
        raise EncodingError(f"time-stamp token: content type {cms.content_type.dotted_string}, expected an enclosed TSTInfo")
    try:
        info = asn1.decode_der(TSTInfo, cms.encapsulated)
        imprint_der = asn1.encode_der(info.message_imprint.hash_algorithm)
    except ValueError as exc:
        raise EncodingError(f"time-stamp token: TSTInfo is not valid DER ({exc})") from exc
    return TimeStampToken(
        der=der,
        cms=cms,
        tst_info_der=cms.encapsulated,
        policy=info.policy,
        serial_number=info.serial_number,
        gen_time=info.gen_time.as_datetime(),
        nonce=info.nonce,
        imprint=info.message_imprint.hashed_message,
        imprint_digest=digest_from_der(imprint_der),
    )
