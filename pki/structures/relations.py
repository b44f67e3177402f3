"""How certificates and keys belong together: issued by, key of."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.errors import PkiError
from pki.structures.algorithms import SigningKey


def spki_der(certificate: x509.Certificate) -> bytes:
    """The certificate's SubjectPublicKeyInfo."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check_key(certificate: x509.Certificate, key: SigningKey, owner: str) -> None:
    """Raises :class:`pki.errors.PkiError` unless `key` is the private half of the certificate's key; `owner` opens the message."""
    if spki_der(certificate) != key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise PkiError(f"{owner}: the key is not the one in certificate {certificate.serial_number:x}")


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` bears the name and the key that signed `certificate`. Not checked: validity, usage, constraints."""
    if certificate.issuer.public_bytes() != issuer.subject.public_bytes():
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
