"""The CMS container of a signature: what is signed, how large it can get, how it is put together (ETSI EN 319 142-1 clauses 5.3 and 6.3).

There is no signing-time attribute: PAdES puts the claimed time into the signature dictionary's /M.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.ports import TimeStamper
from pki.structures.algorithms import PublicKey, SignatureAlgorithm
from pki.structures.cms import (
    DATA,
    SIGNATURE_TIME_STAMP,
    SignedData,
    attribute,
    build_signed_data,
    content_info_der,
    with_unsigned_attributes,
)
from signing.errors import SigningError

FIXED_OCTETS = 400  # tags, OIDs, versions, digests, the ESS attribute and algorithm identifiers of one SignedData: 264 to 345
TOKEN_OCTETS = 256  # TSTInfo without names, on top of a SignedData's own: 107 with SHA-256
STEP = 256  # sizes are rounded up, so that like signatures have like layouts


class ContainerError(SigningError):
    """A signature or time stamp does not fit the room kept for it."""


def signature_bound(key: PublicKey) -> int:
    """The most octets a signature value under `key` takes: ECDSA-Sig-Value is two integers with headers (RFC 3279 2.2.3)."""
    if isinstance(key, rsa.RSAPublicKey):
        return (key.key_size + 7) // 8
    return 2 * ((key.curve.key_size + 7) // 8 + 3) + 4


def token_bound(time_stamper: TimeStamper) -> int:
    """The most octets a token of this time stamper takes, from its certificates: a token carries all of them, or fewer."""
    leaf = x509.load_der_x509_certificate(time_stamper.certificates[0])
    names = len(leaf.issuer.public_bytes()) + len(leaf.subject.public_bytes())
    return FIXED_OCTETS + TOKEN_OCTETS + names + sum(map(len, time_stamper.certificates)) + signature_bound(_public_key(leaf))


def container_bound(certificate: x509.Certificate, chain: Sequence[bytes], certificate_der: bytes, token: int) -> int:
    """Octets to keep for a whole container, with `token` octets for its time stamp (0 for none), rounded up."""
    size = FIXED_OCTETS + len(certificate.issuer.public_bytes()) + len(certificate_der) + sum(map(len, chain))
    return rounded(size + signature_bound(_public_key(certificate)) + token)


def rounded(size: int) -> int:
    return -(-size // STEP) * STEP


def _public_key(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise SigningError(f"certificate {certificate.serial_number:x} holds a key that is neither EC nor RSA")
    return key


@dataclass(frozen=True)
class _Recorder:
    """A :class:`pki.structures.algorithms.SigningKey` that hands out a given value and notes what it was asked to sign."""

    algorithm: SignatureAlgorithm
    value: bytes
    asked: list[bytes]

    def public_key(self) -> PublicKey:
        raise NotImplementedError("a recorder has no key")

    def sign(self, data: bytes) -> bytes:
        self.asked.append(data)
        return self.value


@dataclass(frozen=True)
class Container:
    """One signature's container in two moves: :attr:`to_be_signed` goes to the key, :meth:`complete` takes what comes back."""

    digest: bytes
    """Of the document's byte range, made with `algorithm.digest`."""
    algorithm: SignatureAlgorithm
    certificate_der: bytes
    chain: tuple[bytes, ...]

    @property
    def to_be_signed(self) -> bytes:
        """DER of the signed attributes."""
        asked: list[bytes] = []
        self._build(_Recorder(self.algorithm, b"", asked))
        return asked[0]

    def complete(self, signature: bytes, token_der: bytes | None) -> bytes:
        """The DER ContentInfo with `signature` and, for B-T, a time-stamp token over it (EN 319 122-1 clause 5.3)."""
        signed = self._build(_Recorder(self.algorithm, signature, []))
        if token_der is not None:
            signed = with_unsigned_attributes(signed, [attribute(SIGNATURE_TIME_STAMP, token_der)])
        return content_info_der(signed)

    def _build(self, key: _Recorder) -> SignedData:
        return build_signed_data(
            content_type=DATA,
            content_digest=self.digest,
            encapsulated=None,
            certificate_der=self.certificate_der,
            key=key,
            certificates=(self.certificate_der, *self.chain),
        )
