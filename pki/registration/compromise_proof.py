"""Proof that a private key is in hands that should not have it: the key itself, or a PKCS#10 request that it signed for this purpose.

    openssl req -new -key found.pem -subj "/CN=compromised key" -out proof.csr

The request must say what it is: an ordinary one passes through many hands, and would let any of them have its holder's certificate revoked.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError
from pki.registration.certification_request import parse_certification_request
from pki.structures.algorithms import MAX_RSA_BITS, PublicKey

MAX_PROOF = 64 * 1024  # octets
COMMON_NAME = "compromised key"


def compromised_key(data: bytes) -> PublicKey:
    """The public key whose private key `data`, PEM, proves to be known. The private key is read and not kept.

    Raises :class:`pki.errors.EncodingError`, UnsupportedAlgorithmError, or SignatureError where a request proves nothing.
    """
    if len(data) > MAX_PROOF:
        raise EncodingError(f"proof of compromise: {len(data)} octets, more than the {MAX_PROOF} that are read")
    return _of_request(data) if b"CERTIFICATE REQUEST-----" in data else _of_private_key(data)


def _of_private_key(data: bytes) -> PublicKey:
    try:
        key = load_pem_private_key(data, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        text = "proof of compromise: neither an unencrypted private key nor a PKCS#10 request, in PEM"
        raise EncodingError(text) from exc
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise UnsupportedAlgorithmError(f"proof of compromise: a key of type {type(key).__name__}; expected EC or RSA")
    if key.key_size > MAX_RSA_BITS:
        raise UnsupportedAlgorithmError(f"proof of compromise: RSA of {key.key_size} bits, more than {MAX_RSA_BITS}")
    return key


def _of_request(data: bytes) -> PublicKey:
    try:
        request = parse_certification_request(data)
    except SignatureError as exc:
        raise SignatureError("proof of compromise: the request is not signed by its own key, so it proves nothing") from exc
    names = [part.value for part in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [COMMON_NAME]:
        raise SignatureError(
            f"proof of compromise: the request's common name must be {COMMON_NAME!r}, so that no other request serves as one"
        )
    return request.key
