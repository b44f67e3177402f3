"""An OCSP answer as evidence: read strictly and bounded (RFC 6960 section 4.2).

Nothing here is trusted yet: :mod:`pki.revocation.ocsp_check` looks at signer, scope and time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit, GeneralizedTime

from pki.errors import EncodingError
from pki.revocation.crl_entries import INVALIDITY_DATE, REASONS
from pki.structures.cert_id import IssuerHashes, hashes_in
from pki.structures.certificate import Certificate
from pki.structures.names import DistinguishedName, distinguished_name
from pki.structures.ocsp_asn1 import ARCHIVE_CUTOFF, NONCE, OCSP_BASIC, BasicOCSPResponse, OCSPResponse, RevokedInfo, SingleResponse
from pki.structures.tsp import Extension
from pki.structures.x509_asn1 import read

MAX_OCSP = 256 * 1024  # octets; an answer with its responder's chain has a few thousand
MAX_HASHED = 2 * 1024  # octets of a name or key whose hash is remembered
MAX_SINGLE_RESPONSES = 256
MAX_RESPONDER_CERTIFICATES = 16

_STATUS = {1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
_UNDERSTOOD = frozenset({ARCHIVE_CUTOFF.dotted_string, NONCE.dotted_string, INVALIDITY_DATE, "1.3.6.1.5.5.7.48.1.9"})


@asn1.sequence
class _ResponseData:
    """As :class:`pki.structures.ocsp_asn1.ResponseData`, with a version and either kind of ResponderID."""

    version: Annotated[int | None, Explicit(0)]
    responder_id: TLV
    produced_at: GeneralizedTime
    responses: list[SingleResponse]
    response_extensions: Annotated[list[Extension] | None, Explicit(1)]


@dataclass(frozen=True)
class SingleStatus:
    """What an answer says of one certificate; `state` is good, revoked or unknown. Times are aware UTC."""

    issuer: IssuerHashes | None
    serial_number: int
    state: str
    revoked_at: datetime | None
    reason: str | None
    invalid_since: datetime | None
    this_update: datetime
    next_update: datetime | None
    archive_cutoff: datetime | None

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether the CertID names `certificate` as issued by `issuer`: serial number, issuer's name and issuer's key."""
        if self.issuer is None or self.serial_number != certificate.serial_number:
            return False
        algorithm, name_hash, key_hash = self.issuer
        return name_hash == _hash(algorithm, issuer.subject_der) and key_hash == _hash(algorithm, issuer.key_bits_der)


@dataclass(frozen=True, eq=False)
class OcspAnswer:
    """A BasicOCSPResponse; the responder is named either by `responder_name` or by `responder_key_hash` (SHA-1)."""

    tbs_der: bytes
    signature_algorithm_der: bytes
    signature: bytes
    certificates: tuple[bytes, ...]
    responder_name: DistinguishedName | None
    responder_key_hash: bytes | None
    produced_at: datetime
    statuses: tuple[SingleStatus, ...]

    def names(self, signer: Certificate) -> bool:
        """Whether the ResponderID is `signer`'s."""
        if self.responder_name is not None:
            return self.responder_name == signer.subject
        return self.responder_key_hash == _hash("sha1", signer.key_bits_der)


def _hash(algorithm: str, data: bytes) -> bytes:
    return _remembered(algorithm, data) if len(data) <= MAX_HASHED else _hashed(algorithm, data)


def _hashed(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


_remembered = lru_cache(maxsize=1_024)(_hashed)  # of issuers' names and keys: the same few for every answer


def load_ocsp(der: bytes) -> OcspAnswer:
    """Reads a DER OCSPResponse, or a bare BasicOCSPResponse as some containers keep it.

    Raises :class:`pki.errors.EncodingError`, for an answer that reports an error too.
    """
    if len(der) > MAX_OCSP:
        raise EncodingError(f"OCSP response: {len(der)} octets, more than the {MAX_OCSP} that are read")
    basic = read(BasicOCSPResponse, _basic_der(der), "BasicOCSPResponse")
    data = read(_ResponseData, asn1.encode_der(basic.tbs_response_data), "OCSP ResponseData")
    if data.version:
        raise EncodingError(f"OCSP response: version {data.version + 1:x}, expected version 1")
    certificates = tuple(asn1.encode_der(item) for item in basic.certs or [])
    if len(data.responses) > MAX_SINGLE_RESPONSES or len(certificates) > MAX_RESPONDER_CERTIFICATES:
        raise EncodingError(
            f"OCSP response: {len(data.responses)} answers and {len(certificates)} certificates, more than the {MAX_SINGLE_RESPONSES}"
            f" and {MAX_RESPONDER_CERTIFICATES} that are read"
        )
    if basic.signature.padding_bits():
        raise EncodingError("OCSP response: the signature is not a whole number of octets")
    _values(data.response_extensions)
    name, key_hash = _responder(data.responder_id)
    return OcspAnswer(
        tbs_der=asn1.encode_der(basic.tbs_response_data),
        signature_algorithm_der=asn1.encode_der(basic.signature_algorithm),
        signature=basic.signature.as_bytes(),
        certificates=certificates,
        responder_name=name,
        responder_key_hash=key_hash,
        produced_at=data.produced_at.as_datetime(),
        statuses=tuple(_single(item) for item in data.responses),
    )


def _basic_der(der: bytes) -> bytes:
    """The BasicOCSPResponse inside; an OCSPResponse opens with an ENUMERATED, a BasicOCSPResponse with a SEQUENCE."""
    outer = read(TLV, der, "OCSP response")
    if outer.tag_bytes == b"\x30" and bytes(outer.data)[:1] == b"\x30":
        return der
    response = read(OCSPResponse, der, "OCSPResponse")
    status = bytes(response.response_status.data)
    if status != b"\x00":
        raise EncodingError(f"OCSP response: status {_STATUS.get(status[0] if status else -1, status[:8].hex())}, expected successful")
    if response.response_bytes is None or response.response_bytes.response_type != OCSP_BASIC:
        raise EncodingError("OCSP response: no basic response inside")
    return response.response_bytes.response


def _responder(choice: TLV) -> tuple[DistinguishedName | None, bytes | None]:
    content = bytes(choice.data)
    if choice.tag_bytes == b"\xa1":
        return distinguished_name(content), None
    if choice.tag_bytes == b"\xa2":
        return None, read(bytes, content, "ResponderID")
    raise EncodingError(f"ResponderID: tag {choice.tag_bytes.hex()}, expected byName or byKey")


def _values(found: list[Extension] | None) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for extension in found or []:
        oid = extension.extn_id.dotted_string
        if oid in values:
            raise EncodingError(f"OCSP response: extension {oid} stands twice")
        if extension.critical and oid not in _UNDERSTOOD:
            raise EncodingError(f"OCSP response: critical extension {oid} is not understood")
        values[oid] = extension.extn_value
    return values


def _single(item: SingleResponse) -> SingleStatus:
    values = _values(item.single_extensions)
    cutoff, invalid = values.get(ARCHIVE_CUTOFF.dotted_string), values.get(INVALIDITY_DATE)
    info = item.cert_status.value
    revoked = info if isinstance(info, RevokedInfo) else None
    return SingleStatus(
        issuer=hashes_in(item.cert_id),
        serial_number=item.cert_id.serial_number,
        state=item.cert_status.tag,
        revoked_at=revoked.revocation_time.as_datetime() if revoked else None,
        reason=_reason(revoked),
        invalid_since=read(GeneralizedTime, invalid, "invalidityDate").as_datetime() if invalid else None,
        this_update=item.this_update.as_datetime(),
        next_update=item.next_update.as_datetime() if item.next_update else None,
        archive_cutoff=read(GeneralizedTime, cutoff, "archiveCutoff").as_datetime() if cutoff else None,
    )


def _reason(revoked: RevokedInfo | None) -> str | None:
    if revoked is None or revoked.revocation_reason is None:
        return None
    reason = revoked.revocation_reason.reason
    number = bytes(reason.data)
    if reason.tag_bytes != b"\x0a" or len(number) != 1 or number[0] >= len(REASONS):
        raise EncodingError("OCSP response: revocationReason is not a CRLReason")
    return REASONS[number[0]]
