"""CertID: how an OCSP request and answer name a certificate, by hashes of its issuer and by its serial number (RFC 6960 section 4.1.1)."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat import asn1

from pki.structures.cms import tlv
from pki.structures.ocsp_asn1 import CertID, SubjectPublicKeyInfo
from pki.structures.relations import spki_der

_SHA1_OID = bytes.fromhex("06052b0e03021a")
_SHA256_OID = bytes.fromhex("0609608648016503040201")
_SHA1_IDENTIFIER = b"\x30\x09" + _SHA1_OID + b"\x05\x00"
# each with parameters NULL and absent, since clients send both
_HASHES = {
    _SHA1_IDENTIFIER: "sha1",
    b"\x30\x07" + _SHA1_OID: "sha1",
    b"\x30\x0d" + _SHA256_OID + b"\x05\x00": "sha256",
    b"\x30\x0b" + _SHA256_OID: "sha256",
}

IssuerHashes = tuple[str, bytes, bytes]
"""hashlib name, issuerNameHash, issuerKeyHash."""


def issuer_hashes(issuer: x509.Certificate, algorithm: str) -> IssuerHashes:
    return (algorithm, _hash(algorithm, issuer.subject.public_bytes()), key_hash(issuer, algorithm))


def key_hash(certificate: x509.Certificate, algorithm: str) -> bytes:
    """Over the octets of the subjectPublicKey BIT STRING alone, without tag, length and count of unused bits."""
    return _hash(algorithm, asn1.decode_der(SubjectPublicKeyInfo, spki_der(certificate)).subject_public_key.as_bytes())


def hashes_in(cert_id: CertID) -> IssuerHashes | None:
    """What a CertID says of the issuer; None where its hash is neither SHA-1 nor SHA-256."""
    algorithm = _HASHES.get(asn1.encode_der(cert_id.hash_algorithm))
    return (algorithm, cert_id.issuer_name_hash, cert_id.issuer_key_hash) if algorithm else None


def cert_id(certificate: x509.Certificate, issuer: x509.Certificate) -> CertID:
    """With SHA-1, which every client and viewer reads (RFC 5019 section 2.1.1): it looks a certificate up and proves nothing."""
    _, name, key = issuer_hashes(issuer, "sha1")
    return CertID(hash_algorithm=tlv(_SHA1_IDENTIFIER), issuer_name_hash=name, issuer_key_hash=key, serial_number=certificate.serial_number)


def _hash(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()
