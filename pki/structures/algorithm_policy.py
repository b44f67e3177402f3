"""Which signature algorithms a verifier accepts, and until when: a frozen value; and the check of a signature under it.

The table knows weak algorithms by name in order to refuse them by name. Only :data:`MODERN` is meant for documents. Sources: ETSI TS 119
312 (SHA-2; RSA from 2048 bits; NIST curves), RFC 4055 (RSASSA-PSS), RFC 5758.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError
from pki.structures.algorithms import MAX_RSA_BITS, MIN_RSA_BITS, Digest, digest_from_der, signature_algorithm_from_der
from pki.structures.x509_asn1 import OID, read

MAX_PSS_SALT = 64  # octets; the longest SHA-2 digest
MGF1 = OID("1.2.840.113549.1.1.8")
RSASSA_PSS = OID("1.2.840.113549.1.1.10")


@dataclass(frozen=True)
class AlgorithmPolicy:
    """`signatures` pairs each accepted algorithm's name with its sunset: from that moment (aware UTC) on it is refused; None is no end."""

    name: str
    signatures: tuple[tuple[str, datetime | None], ...]
    min_rsa_bits: int = MIN_RSA_BITS
    curves: frozenset[str] = frozenset({"secp256r1", "secp384r1", "secp521r1"})
    unsafe_dsa: bool = False

    @cached_property
    def has_sunset(self) -> bool:
        """Whether what is accepted depends on when."""
        return any(sunset is not None for _, sunset in self.signatures)

    def check_name(self, algorithm: str, at: datetime) -> None:
        """Raises :class:`pki.errors.UnsupportedAlgorithmError` unless `algorithm` is accepted at `at`."""
        for name, sunset in self.signatures:
            if name == algorithm:
                if sunset is not None and at >= sunset:
                    raise UnsupportedAlgorithmError(f"{algorithm} is accepted until {sunset:%Y-%m-%d} only, not at {at:%Y-%m-%d}")
                return
        raise UnsupportedAlgorithmError(f"{algorithm} is not accepted by the algorithm policy {self.name}")

    def check_key(self, key: object) -> None:
        """Raises :class:`pki.errors.UnsupportedAlgorithmError` unless `key` is of an accepted kind and size."""
        if isinstance(key, rsa.RSAPublicKey):
            if not self.min_rsa_bits <= key.key_size <= MAX_RSA_BITS:
                raise UnsupportedAlgorithmError(f"RSA key of {key.key_size} bits is outside {self.min_rsa_bits}-{MAX_RSA_BITS}")
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if key.curve.name not in self.curves:
                raise UnsupportedAlgorithmError(f"curve {key.curve.name} is not accepted by the algorithm policy {self.name}")
        elif not (self.unsafe_dsa and isinstance(key, dsa.DSAPublicKey)):
            raise UnsupportedAlgorithmError(f"key of type {type(key).__name__} is not accepted by the algorithm policy {self.name}")


_SHA2 = ("SHA256", "SHA384", "SHA512")
MODERN = AlgorithmPolicy(
    name="modern",
    signatures=tuple(
        (name, None) for digest in _SHA2 for name in (f"ecdsa-with-{digest}", f"{digest.lower()}WithRSAEncryption", f"rsassaPss-{digest}")
    ),
)
"""What documents are judged by: ECDSA, RSA PKCS#1 v1.5 and RSASSA-PSS, with SHA-2 alone."""


@asn1.sequence
class _AlgorithmIdentifier:
    algorithm: OID
    parameters: TLV


@asn1.sequence
class _PssParameters:
    """Defaults (SHA-1, 20 octets of salt) stand for what is refused anyway, so the fields are taken as required."""

    hash_algorithm: Annotated[_AlgorithmIdentifier, Explicit(0)]
    mask_generation: Annotated[_AlgorithmIdentifier, Explicit(1)]
    salt_length: Annotated[int, Explicit(2)]
    trailer: Annotated[int | None, Explicit(3)]


_MD5 = hashes.MD5()  # noqa: S303 - named in order to be refused
_SHA1 = hashes.SHA1()  # noqa: S303 - likewise

_Check = Callable[[Any, bytes, bytes], None]


@dataclass(frozen=True)
class _Scheme:
    name: str
    check: _Check


def _rsa_check(digest: hashes.HashAlgorithm, pad: padding.AsymmetricPadding) -> _Check:
    def check(key: Any, signature: bytes, data: bytes) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise UnsupportedAlgorithmError(f"an RSA signature does not fit a {type(key).__name__}")
        key.verify(signature, data, pad, digest)

    return check


def _dsa_sha1(key: Any, signature: bytes, data: bytes) -> None:
    if not isinstance(key, dsa.DSAPublicKey):
        raise UnsupportedAlgorithmError(f"a DSA signature does not fit a {type(key).__name__}")
    key.verify(signature, data, _SHA1)


# Known in order to be named: MD5, SHA-1 and DSA are in no policy for documents.
_WEAK = {
    bytes.fromhex("300d06092a864886f70d0101040500"): _Scheme("md5WithRSAEncryption", _rsa_check(_MD5, padding.PKCS1v15())),
    bytes.fromhex("300d06092a864886f70d0101050500"): _Scheme("sha1WithRSAEncryption", _rsa_check(_SHA1, padding.PKCS1v15())),
    bytes.fromhex("300906072a8648ce380403"): _Scheme("dsa-with-SHA1", _dsa_sha1),
}


def _scheme(algorithm_der: bytes) -> _Scheme:
    if algorithm_der in _WEAK:
        return _WEAK[algorithm_der]
    if is_pss(algorithm_der):
        return _pss(algorithm_der)
    algorithm = signature_algorithm_from_der(algorithm_der)
    return _Scheme(algorithm.name, algorithm.verify)


RSASSA_PSS_PREFIX = asn1.encode_der(RSASSA_PSS)


def _pss(algorithm_der: bytes) -> _Scheme:
    try:
        outer = read(_AlgorithmIdentifier, algorithm_der, "RSASSA-PSS AlgorithmIdentifier")
        params = read(_PssParameters, asn1.encode_der(outer.parameters), "RSASSA-PSS parameters")
        digest_der = asn1.encode_der(params.hash_algorithm)
        mask_digest_der = asn1.encode_der(params.mask_generation.parameters)
    except EncodingError as exc:
        raise UnsupportedAlgorithmError(str(exc)) from exc
    digest = digest_from_der(digest_der)
    if params.mask_generation.algorithm != MGF1 or digest_from_der(mask_digest_der) is not digest:
        raise UnsupportedAlgorithmError("RSASSA-PSS: the mask generation is not MGF1 with the signature's digest")
    if not 0 <= params.salt_length <= MAX_PSS_SALT or params.trailer not in (None, 1):
        raise UnsupportedAlgorithmError("RSASSA-PSS: salt length or trailer field out of range")
    pad = padding.PSS(mgf=padding.MGF1(digest.hazmat), salt_length=params.salt_length)
    return _Scheme(f"rsassaPss-{digest.name}", _rsa_check(digest.hazmat, pad))


def is_pss(algorithm_der: bytes) -> bool:
    """Whether a DER AlgorithmIdentifier says RSASSA-PSS, with whatever parameters."""
    return RSASSA_PSS_PREFIX in algorithm_der[:20]


def verify_pss(key: object, algorithm_der: bytes, signature: bytes, data: bytes, *, digest: Digest) -> None:
    """An RSASSA-PSS signature of a CMS, which names its `digest` besides (RFC 4056 section 3).

    Raises :class:`pki.errors.UnsupportedAlgorithmError` where parameters, digest or key do not fit, :class:`pki.errors.SignatureError`.
    """
    scheme = _pss(algorithm_der)
    if scheme.name != f"rsassaPss-{digest.name}":
        raise UnsupportedAlgorithmError(f"{scheme.name} does not match digest algorithm {digest.value}")
    if not isinstance(key, rsa.RSAPublicKey) or not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise UnsupportedAlgorithmError(f"{scheme.name} does not fit the key; expected RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    try:
        scheme.check(key, signature, data)
    except (InvalidSignature, ValueError) as exc:
        raise SignatureError(f"{scheme.name} signature does not verify") from exc


def algorithm_name(algorithm_der: bytes) -> str:
    """The name of the signature algorithm of a DER AlgorithmIdentifier; raises UnsupportedAlgorithmError."""
    return _scheme(algorithm_der).name


def verify_signature(key: object, algorithm_der: bytes, signature: bytes, data: bytes, *, policy: AlgorithmPolicy, at: datetime) -> None:
    """Checks one signature under a policy at a time.

    Raises :class:`pki.errors.UnsupportedAlgorithmError` where key or algorithm is not accepted, :class:`pki.errors.SignatureError` where
    the signature does not verify.
    """
    scheme = _scheme(algorithm_der)
    policy.check_name(scheme.name, at)
    policy.check_key(key)
    try:
        scheme.check(key, signature, data)
    except InvalidSignature:
        raise SignatureError(f"{scheme.name} signature does not verify") from None
    except (ValueError, TypeError, UnsupportedAlgorithm, OverflowError) as exc:
        raise SignatureError(f"{scheme.name} signature cannot be checked ({type(exc).__name__})") from exc
