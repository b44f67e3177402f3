"""Signing with a key held elsewhere, in two steps: a USB token, a certificate of another authority, a key on the teacher's own machine.

    prepared = prepare_signature(pdf, request, token_size=token_bound(tsa))      # request.key is KeyElsewhere(certificate_der)
    signature = elsewhere(prepared.to_be_signed)                                 # or of prepared.hash, as the device asks
    signed = complete_signature(prepared, signature, time_stamper=tsa)

Preparing inspects the document as any signing does; completing checks the signature before it is embedded. Nothing here signs: whoever
holds the key hashes the signed attributes, or is handed their hash. How long a preparation counts, and that it does so once, is up to the
caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import SignatureError
from pki.paths.chain import KeyPurpose, TrustAnchor, ValidatedPath, load_certificate, validate_path
from pki.ports import TimeStamper
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, algorithm_for_key
from pki.structures.cms import MAX_SIGNED_DATA
from signing.applying.appearance import AppearanceRenderer
from signing.applying.container import Container
from signing.applying.gap import Gapped
from signing.applying.sign import SignatureRequest, prepare
from signing.errors import SigningError

MAX_SIGNATURE = 2048  # octets; RSA-8192 has 1024
MAX_CHAIN = 8  # certificates beside the signer's


class TwoStepError(SigningError):
    """Base of what is wrong between preparing and completing a signature."""


class UnknownPreparationError(TwoStepError):
    """No preparation of that name waits for the caller: never made, made for somebody else, or long over."""


class PreparationExpiredError(TwoStepError):
    """The time to complete it is over; prepare the document again."""


class PreparationUsedError(TwoStepError):
    """It was completed before; each preparation is good for one signature."""


class SignatureMismatchError(TwoStepError):
    """The signature is not the certificate's key's over the attributes that were prepared."""


class UnfitCertificateError(TwoStepError):
    """The certificate cannot sign here: another than the one prepared with, or of a key that is neither EC nor RSA."""


class KeyElsewhere:
    """The public half of a key that is not here: a :class:`pki.structures.algorithms.SigningKey` that signs nothing."""

    def __init__(self, certificate_der: bytes) -> None:
        """Raises :class:`UnfitCertificateError`."""
        self._key = _public_key(certificate_der)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return algorithm_for_key(self._key)

    def public_key(self) -> PublicKey:
        return self._key

    def sign(self, data: bytes) -> NoReturn:
        raise TwoStepError(f"the key for these {len(data)} octets is held elsewhere")


@dataclass(frozen=True)
class PreparedSignature:
    """A file that lacks nothing but its container: what is kept between the two steps. `gap` as in :class:`signing.applying.gap.Gapped`."""

    file: bytes = field(repr=False)
    gap: tuple[int, int]
    certificate_der: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What the key must sign with: ECDSA with the curve's own SHA-2, RSA PKCS#1 v1.5 with SHA-256."""
        return algorithm_for_key(_public_key(self.certificate_der))

    @property
    def to_be_signed(self) -> bytes:
        """DER of the signed attributes: for keys that hash by themselves."""
        return self._container.to_be_signed

    @property
    def hash(self) -> bytes:
        """Of the signed attributes, with the algorithm's digest: for keys that sign a hash."""
        return self.algorithm.digest.of(self.to_be_signed)

    @property
    def _gapped(self) -> Gapped:
        return Gapped(b"", bytearray(self.file), self.gap)

    @property
    def _container(self) -> Container:
        algorithm = self.algorithm
        # from the file itself, not from what was noted of it: the two cannot disagree
        return Container(self._gapped.digest(algorithm.digest.value), algorithm, self.certificate_der, self.chain)

    def filled(self, signature: bytes, token_der: bytes | None) -> bytes:
        return self._gapped.filled(self._container.complete(signature, token_der))


def prepare_signature(
    document: bytes, request: SignatureRequest, *, token_size: int, renderer: AppearanceRenderer | None = None
) -> PreparedSignature:
    """First step; raises as :func:`signing.applying.sign.sign` does, attack class 15 included.

    `token_size`: room for a time stamp, 0 for none.
    """
    made = prepare(document, request, token_size=token_size, renderer=renderer)
    return PreparedSignature(made.gapped.document + bytes(made.gapped.tail), made.gapped.gap, request.certificate_der, request.chain)


def complete_signature(prepared: PreparedSignature, signature: bytes, *, time_stamper: TimeStamper | None) -> bytes:
    """Second step: the signed document, B-T with a time stamper.

    `signature` is ECDSA-Sig-Value DER or PKCS#1 v1.5 octets. Raises :class:`SignatureMismatchError` before anything is time-stamped or
    embedded. Not checked here: the certificate (:func:`check_signer`), and that the document is still the one to be signed.
    """
    check_signature(prepared, signature)
    token = time_stamper.stamp(hashlib.sha256(signature).digest()) if time_stamper else None
    return prepared.filled(signature, token)


def check_signature(prepared: PreparedSignature, signature: bytes) -> None:
    """Raises :class:`SignatureMismatchError` unless `signature` is the certificate's key's over what was prepared."""
    if len(signature) > MAX_SIGNATURE:
        raise SignatureMismatchError(f"a signature of {len(signature)} octets, more than the {MAX_SIGNATURE} that any key makes")
    algorithm = prepared.algorithm
    try:
        algorithm.verify(_public_key(prepared.certificate_der), signature, prepared.to_be_signed)
    except SignatureError:
        raise SignatureMismatchError(
            f"the signature does not verify: expected {algorithm.name} over the prepared attributes, by the prepared certificate's key"
        ) from None


def check_signer(certificate_der: bytes, chain: Sequence[bytes], *, anchors: Sequence[TrustAnchor], at: datetime) -> ValidatedPath:
    """A path from the certificate to one of `anchors`, valid at `at` for signing documents.

    Raises :class:`pki.paths.chain_errors.ChainError`.

    Not checked: revocation, and whether this signer may sign this document.
    """
    return validate_path(certificate_der, intermediates=chain, anchors=anchors, at=at, purpose=KeyPurpose.DOCUMENT_SIGNING)


def split_chain(certificates: Sequence[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
    """The signer's certificate, which comes first, and those above it without roots: what a container carries.

    Raises :class:`UnfitCertificateError` for none or too many, and :class:`pki.errors.EncodingError`.
    """
    if not 1 <= len(certificates) <= MAX_CHAIN + 1:
        raise UnfitCertificateError(f"{len(certificates)} certificates, expected the signer's first and at most {MAX_CHAIN} issuers")
    signer, *issuers = dict.fromkeys(certificates)
    if sum(map(len, certificates)) > MAX_SIGNED_DATA // 64:
        raise UnfitCertificateError("the certificates are longer than any honest chain")
    return signer, tuple(der for der in issuers if not load_certificate(der).self_issued)


def _public_key(certificate_der: bytes) -> PublicKey:
    try:
        key = x509.load_der_x509_certificate(certificate_der).public_key()
    except (ValueError, TypeError, x509.InvalidVersion) as exc:
        raise UnfitCertificateError("the certificate cannot be read; expected X.509") from exc
    if isinstance(key, rsa.RSAPublicKey) or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size in (256, 384, 521)):
        return key
    raise UnfitCertificateError(f"the certificate holds a key of type {type(key).__name__}; expected RSA or EC on a NIST curve")
