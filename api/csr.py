"""Reading a certificate request (PKCS#10, RFC 2986): only its key counts, and that its owner signed it."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.algorithms import MAX_RSA_BITS, PublicKey
from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError

MAX_CSR = 16 * 1024  # characters


def key_of_csr(csr_pem: str) -> PublicKey:
    """The public key, after checking that the request is signed with its private key: proof of possession.

    Subject and extensions of the request are not looked at: the certificate says what the roster and the profile say. Raises
    :class:`pki.errors.EncodingError`, UnsupportedAlgorithmError or SignatureError.
    """
    if len(csr_pem) > MAX_CSR:
        raise EncodingError(f"certificate request: {len(csr_pem)} characters, more than the {MAX_CSR} that are read")
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode("utf-8", "replace"))
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise EncodingError("certificate request: not a PKCS#10 request in PEM") from exc
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or key.key_size > MAX_RSA_BITS:
        raise UnsupportedAlgorithmError("certificate request: its key is neither EC nor RSA of a size that is accepted")
    try:
        valid = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        valid = False
    if not valid:
        raise SignatureError("certificate request: its signature does not verify under its own key; possession is not proven")
    return key
