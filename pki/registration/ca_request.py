"""Certificate requests between homes: PKCS#10 (RFC 2986), made with a key that may be in a token, and read back with their proof."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.identity.subject import Subject
from pki.registration.certification_request import parse_certification_request
from pki.structures.algorithms import PublicKey, SigningKey
from pki.structures.der import SEQUENCE, element, signed_structure

_VERSION_1 = b"\x02\x01\x00"
_NO_ATTRIBUTES = b"\xa0\x00"


@dataclass(frozen=True)
class CaRequest:
    """What a request asks for, its signature verified under its own key."""

    subject: Subject
    public_key: PublicKey
    der: bytes


def make_request(subject: Subject, key: SigningKey) -> bytes:
    """DER CertificationRequest. Signed by `key` alone, so that a key in a token can ask too."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = element(SEQUENCE, _VERSION_1 + subject.x509_name().public_bytes() + spki + _NO_ATTRIBUTES)
    return signed_structure(info, key.algorithm.identifier_der, key.sign(info))


def request_pem(request_der: bytes) -> bytes:
    return x509.load_der_x509_csr(request_der).public_bytes(Encoding.PEM)


def read_request(data: bytes) -> CaRequest:
    """From PEM or DER; raises EncodingError, UnsupportedAlgorithmError, :class:`pki.errors.SignatureError` or SubjectError."""
    request = parse_certification_request(data)
    return CaRequest(Subject.from_x509(request.subject), request.key, request.der)
