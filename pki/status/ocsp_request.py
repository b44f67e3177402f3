"""Reads an OCSP request: what is asked, or why it is malformed (RFC 6960 section 4.1, RFC 9654 for the nonce)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat import asn1

from pki.errors import EncodingError
from pki.structures.ocsp_asn1 import ACCEPTABLE_RESPONSES, NONCE, PREFERRED_ALGORITHMS, CertID, OCSPRequest
from pki.structures.tsp import Extension

MAX_REQUEST_OCTETS = 16 * 1024  # bounds work on hostile input; MAX_CERTIFICATES with SHA-256 hashes take about 8 kB
MAX_CERTIFICATES = 64  # certificates asked about in one request
MAX_NONCE_OCTETS = 128  # RFC 9654 section 2.1

_UNDERSTOOD = frozenset((NONCE, ACCEPTABLE_RESPONSES, PREFERRED_ALGORITHMS))


class MalformedRequestError(EncodingError):
    """The responder answers malformedRequest; the text is for its log."""


@dataclass(frozen=True)
class OcspQuestion:
    """The certificates asked about, in order, and the nonce extension to echo."""

    certificates: tuple[CertID, ...]
    nonce: Extension | None


def read_request(der: bytes) -> OcspQuestion:
    """Raises :class:`MalformedRequestError`. Not checked: the client's signature, which RFC 5019 section 2.2.1 lets a responder ignore."""
    if len(der) > MAX_REQUEST_OCTETS:
        raise MalformedRequestError(f"OCSP request: {len(der)} octets, more than the {MAX_REQUEST_OCTETS} that are read")
    try:
        request = asn1.decode_der(OCSPRequest, der).tbs_request
    except ValueError as exc:
        raise MalformedRequestError(f"OCSP request: not valid DER ({exc})") from exc
    if request.version != 0:
        raise MalformedRequestError(f"OCSP request: version {request.version + 1}, expected 1")
    if not 1 <= len(request.request_list) <= MAX_CERTIFICATES:
        raise MalformedRequestError(f"OCSP request: {len(request.request_list)} certificates, expected 1 to {MAX_CERTIFICATES}")
    for single in request.request_list:
        _refuse_unknown_critical(single.single_request_extensions or [])
    extensions = request.request_extensions or []
    _refuse_unknown_critical(extensions)
    return OcspQuestion(certificates=tuple(single.req_cert for single in request.request_list), nonce=_nonce(extensions))


def _refuse_unknown_critical(extensions: list[Extension]) -> None:
    for extension in extensions:
        if extension.critical and extension.extn_id not in _UNDERSTOOD:
            raise MalformedRequestError(f"OCSP request: critical extension {extension.extn_id.dotted_string} is not understood")


def _nonce(extensions: list[Extension]) -> Extension | None:
    found = [extension for extension in extensions if extension.extn_id == NONCE]
    if not found:
        return None
    if len(found) > 1:
        raise MalformedRequestError(f"OCSP request: {len(found)} nonces, expected one")
    try:
        size = len(asn1.decode_der(bytes, found[0].extn_value))
    except ValueError as exc:
        raise MalformedRequestError(f"OCSP request: the nonce is not an OCTET STRING ({exc})") from exc
    if not 1 <= size <= MAX_NONCE_OCTETS:
        raise MalformedRequestError(f"OCSP request: a nonce of {size} octets, expected 1 to {MAX_NONCE_OCTETS}")
    return Extension(extn_id=NONCE, critical=False, extn_value=found[0].extn_value)
