"""Reading a certification request (PKCS#10, RFC 2986): its key, and the proof that whoever asks holds it. The one place that does.

Attributes and extensions are not looked at, and the subject only by those who say so: a certificate says what roster and profile, or a
ceremony's file, say. What else may speak against the key (weak, compromised, somebody else's) is asked where certificates are issued.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError
from pki.structures.algorithms import MAX_RSA_BITS, PublicKey

MAX_REQUEST = 16 * 1024  # octets; one over RSA-4096 has about 1,600 in PEM
_SEQUENCE = 0x30
_PEM = re.compile(
    rb"-----BEGIN (NEW )?CERTIFICATE REQUEST-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END (?:NEW )?CERTIFICATE REQUEST-----", re.ASCII
)


@dataclass(frozen=True)
class CertificationRequest:
    """A request whose signature verifies under its own key."""

    key: PublicKey
    subject: x509.Name
    der: bytes


def read_certification_request(data: bytes) -> PublicKey:
    """The key of a request in DER or PEM, after checking that the request is signed with its private key: proof of possession.

    Raises :class:`pki.errors.EncodingError`, UnsupportedAlgorithmError or SignatureError, and nothing else on whatever input.
    """
    return _proven(_parsed(_der(data)))


def parse_certification_request(data: bytes) -> CertificationRequest:
    """As :func:`read_certification_request`, with the name that the request gives itself."""
    request = _parsed(_der(data))
    key = _proven(request)
    return CertificationRequest(key, _subject(request), request.public_bytes(Encoding.DER))


def _proven(request: x509.CertificateSigningRequest) -> PublicKey:
    key = _key(request)
    try:
        valid = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        valid = False
    if not valid:
        raise SignatureError("certificate request: its signature does not verify under its own key; possession is not proven")
    return key


def _der(data: bytes) -> bytes:
    if len(data) > MAX_REQUEST:
        raise EncodingError(f"certificate request: {len(data)} octets, more than the {MAX_REQUEST} that are read")
    if data[:1] == bytes([_SEQUENCE]):
        return data
    found = _PEM.search(data)
    if found is None:
        raise EncodingError("certificate request: neither DER nor PEM; expected -----BEGIN CERTIFICATE REQUEST-----")
    try:
        return base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error:
        raise EncodingError("certificate request: its PEM is not base64") from None


def _parsed(der: bytes) -> x509.CertificateSigningRequest:
    try:
        return x509.load_der_x509_csr(der)
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        raise EncodingError("certificate request: not a PKCS#10 request (RFC 2986) in DER") from None


def _key(request: x509.CertificateSigningRequest) -> PublicKey:
    try:
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnsupportedAlgorithmError("certificate request: its key cannot be read; expected EC or RSA") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or key.key_size > MAX_RSA_BITS:
        raise UnsupportedAlgorithmError("certificate request: its key is neither EC nor RSA of a size that is accepted")
    return key


def _subject(request: x509.CertificateSigningRequest) -> x509.Name:
    try:
        return request.subject
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise EncodingError("certificate request: its subject cannot be read") from None
