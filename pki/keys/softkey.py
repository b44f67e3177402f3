"""A signing key held in memory: what the file key store hands out, and what tests and one person's unwrapped key use."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki.errors import UnsupportedAlgorithmError
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, algorithm_for_key

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


class SoftwareKey:
    """A :class:`pki.structures.algorithms.SigningKey` over a `cryptography` private key. Its repr never shows key material."""

    def __init__(self, private_key: PrivateKey) -> None:
        if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise UnsupportedAlgorithmError(f"private key of type {type(private_key).__name__} is neither EC nor RSA")
        self._private_key = private_key
        self._public_key = private_key.public_key()
        self._algorithm = algorithm_for_key(self._public_key)
        self._ecdsa = ec.ECDSA(self._algorithm.digest.hazmat)

    @classmethod
    def generate(cls, curve: str = "P-256") -> SoftwareKey:
        """A fresh key on a named curve; raises :class:`pki.errors.UnsupportedAlgorithmError` for any other name."""
        if curve not in CURVES:
            raise UnsupportedAlgorithmError(f"curve {curve!r} is not one of {', '.join(CURVES)}")
        return cls(ec.generate_private_key(CURVES[curve]))

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._algorithm

    @property
    def private_key(self) -> PrivateKey:
        """The key itself, for the one caller that wraps it for storage."""
        return self._private_key

    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """ECDSA-Sig-Value DER, or PKCS#1 v1.5 octets, over `data` hashed by :attr:`algorithm`."""
        if isinstance(self._private_key, ec.EllipticCurvePrivateKey):
            return self._private_key.sign(data, self._ecdsa)
        return self._private_key.sign(data, padding.PKCS1v15(), self._algorithm.digest.hazmat)
