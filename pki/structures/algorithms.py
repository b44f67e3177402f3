"""Signature and digest algorithms: one table that signers and verifiers share.

An AlgorithmIdentifier is compared as DER bytes, never by OID alone, so that unexpected parameters are refused rather than ignored.
Sources: RFC 5758 (ECDSA), RFC 4055 and RFC 8017 (RSA), RFC 5754 (SHA-2 in CMS).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki.errors import SignatureError, UnsupportedAlgorithmError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

MIN_RSA_BITS = 2048  # ETSI TS 119 312: RSA below 2048 bits is not to be used; docs/cps.md 6.1
MAX_RSA_BITS = 8192  # bounds work on hostile input; docs/cps.md 6.1


class Digest(Enum):
    """A digest algorithm. The value is its :mod:`hashlib` name."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    def of(self, data: bytes) -> bytes:
        digest: bytes = getattr(hashlib, self.value)(data).digest()  # hashlib.new() would look the name up again each time
        return digest

    @property
    def size(self) -> int:
        """Length in octets."""
        return hashlib.new(self.value).digest_size

    @property
    def identifier_der(self) -> bytes:
        """AlgorithmIdentifier with absent parameters (RFC 5754 section 2: what new software writes)."""
        return _DIGEST_DER[self][0]

    @property
    def hazmat(self) -> hashes.HashAlgorithm:
        return _HAZMAT[self.value]

    @property
    def ecdsa(self) -> ec.ECDSA:
        return _ECDSA[self.value]


# first: parameters absent; second: parameters NULL, which RFC 5754 section 2 asks readers to accept
_DIGEST_DER: dict[Digest, tuple[bytes, bytes]] = {
    Digest.SHA256: (bytes.fromhex("300b0609608648016503040201"), bytes.fromhex("300d06096086480165030402010500")),
    Digest.SHA384: (bytes.fromhex("300b0609608648016503040202"), bytes.fromhex("300d06096086480165030402020500")),
    Digest.SHA512: (bytes.fromhex("300b0609608648016503040203"), bytes.fromhex("300d06096086480165030402030500")),
}
_HAZMAT: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_ECDSA = {name: ec.ECDSA(algorithm) for name, algorithm in _HAZMAT.items()}
_DIGESTS = {der: digest for digest, forms in _DIGEST_DER.items() for der in forms}


def digest_from_der(identifier_der: bytes) -> Digest:
    """The digest that a DER AlgorithmIdentifier names; raises :class:`UnsupportedAlgorithmError` (MD5, SHA-1, SHA-3 included)."""
    try:
        return _DIGESTS[identifier_der]
    except KeyError:
        raise UnsupportedAlgorithmError(f"digest algorithm {identifier_der[:40].hex()} is not one of SHA-256, SHA-384, SHA-512") from None


@dataclass(frozen=True)
class SignatureAlgorithm:
    """A signature algorithm: `name`, the `digest` it hashes with, the key `family` and its DER AlgorithmIdentifier."""

    name: str
    digest: Digest
    family: str  # "ec" or "rsa"
    identifier_der: bytes

    def verify(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        """Raises :class:`SignatureError` unless `signature` is this algorithm's over `data` under `key`."""
        try:
            if self.family == "ec" and isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, data, self.digest.ecdsa)
            elif self.family == "rsa" and isinstance(key, rsa.RSAPublicKey):
                if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
                    raise UnsupportedAlgorithmError(f"RSA key of {key.key_size} bits is outside {MIN_RSA_BITS}-{MAX_RSA_BITS}")
                key.verify(signature, data, padding.PKCS1v15(), self.digest.hazmat)
            else:
                raise UnsupportedAlgorithmError(f"{self.name} does not fit a {type(key).__name__}")
        except InvalidSignature:
            raise SignatureError(f"{self.name} signature does not verify") from None


ECDSA_SHA256 = SignatureAlgorithm("ecdsa-with-SHA256", Digest.SHA256, "ec", bytes.fromhex("300a06082a8648ce3d040302"))
ECDSA_SHA384 = SignatureAlgorithm("ecdsa-with-SHA384", Digest.SHA384, "ec", bytes.fromhex("300a06082a8648ce3d040303"))
ECDSA_SHA512 = SignatureAlgorithm("ecdsa-with-SHA512", Digest.SHA512, "ec", bytes.fromhex("300a06082a8648ce3d040304"))
RSA_SHA256 = SignatureAlgorithm("sha256WithRSAEncryption", Digest.SHA256, "rsa", bytes.fromhex("300d06092a864886f70d01010b0500"))
RSA_SHA384 = SignatureAlgorithm("sha384WithRSAEncryption", Digest.SHA384, "rsa", bytes.fromhex("300d06092a864886f70d01010c0500"))
RSA_SHA512 = SignatureAlgorithm("sha512WithRSAEncryption", Digest.SHA512, "rsa", bytes.fromhex("300d06092a864886f70d01010d0500"))

_SIGNATURES = {a.identifier_der: a for a in (ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512, RSA_SHA256, RSA_SHA384, RSA_SHA512)}
_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
_RSA_BY_DIGEST = {a.digest: a for a in (RSA_SHA256, RSA_SHA384, RSA_SHA512)}


def signature_algorithm_from_der(identifier_der: bytes, digest: Digest | None = None) -> SignatureAlgorithm:
    """The algorithm that a DER AlgorithmIdentifier names.

    `digest` is the SignerInfo's digestAlgorithm: it completes a bare rsaEncryption identifier (RFC 5754 section 3.2) and
    otherwise must be the digest of the signature algorithm. Raises :class:`UnsupportedAlgorithmError`.
    """
    if identifier_der == _RSA_ENCRYPTION and digest is not None:
        return _RSA_BY_DIGEST[digest]
    try:
        algorithm = _SIGNATURES[identifier_der]
    except KeyError:
        raise UnsupportedAlgorithmError(
            f"signature algorithm {identifier_der[:40].hex()} is not ECDSA or RSA PKCS#1 v1.5 with SHA-2"
        ) from None
    if digest is not None and algorithm.digest is not digest:
        raise UnsupportedAlgorithmError(f"{algorithm.name} does not match digest algorithm {digest.value}")
    return algorithm


def algorithm_for_key(key: PublicKey) -> SignatureAlgorithm:
    """The algorithm that this authority signs with under `key`: ECDSA with the curve's own SHA-2, RSA with SHA-256."""
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_SHA256
    return {256: ECDSA_SHA256, 384: ECDSA_SHA384, 521: ECDSA_SHA512}[key.curve.key_size]


class SigningKey(Protocol):
    """A private key that stays in its store: all that the rest of the house may ask of it."""

    @property
    def algorithm(self) -> SignatureAlgorithm: ...

    def public_key(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes:
        """The signature value over `data` (hashed by the key's algorithm): ECDSA-Sig-Value DER, or PKCS#1 v1.5 octets."""
        ...
