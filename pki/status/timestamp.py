"""A time-stamp authority in process (RFC 3161, RFC 5816; profile ETSI EN 319 422).

    tsa = TimeStampAuthority(certificate_der=tsa_der, chain=(issuing_der,), key=key, policy_oid="1.3.6.1.4.1.32473.1.2.1",
                             serials=random_serial, clock=utc_now, accuracy=timedelta(seconds=1))
    response_der = tsa.respond(request_der)          # what /tsa answers
    token_der = tsa.stamp(sha256_of_signature)       # what our own signer uses

Requests are answered, never raised; a rejection names its PKIFailureInfo.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import BitString, GeneralizedTime
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.errors import PkiError, UnsupportedAlgorithmError
from pki.ports import Clock
from pki.structures.algorithms import Digest, SigningKey, digest_from_der
from pki.structures.cms import TST_INFO, build_signed_data, content_info_der, tlv
from pki.structures.relations import check_key
from pki.structures.tsp import Accuracy, GrantedTimeStampResp, MessageImprint, PKIStatusInfo, TimeStampReq, TimeStampResp, TSTInfo

OID = x509.ObjectIdentifier

MAX_REQUEST_OCTETS = 4096  # a request is about 100 octets; bounds work on hostile input
MAX_NONCE_BITS = 512  # clients send 64 to 160; bounds what a token carries
SERIAL_BITS = 128

_GRANTED = 0
_REJECTION = 2


class FailureInfo(IntEnum):
    """PKIFailureInfo bit numbers, RFC 3161 section 2.4.2."""

    BAD_ALG = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADD_INFO_NOT_AVAILABLE = 17
    SYSTEM_FAILURE = 25


class TimeStampRefusedError(PkiError):
    """No token is made; `failure` is what the client is told."""

    def __init__(self, failure: FailureInfo, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class TimeNotAvailableError(PkiError):
    """Raised by a clock that does not know the time well enough; the authority answers timeNotAvailable."""


def random_serial() -> int:
    """A serial number of 128 random bits: unique without a counter that would have to survive crashes."""
    return secrets.randbits(SERIAL_BITS) | 1


@dataclass(frozen=True)
class _Credential:
    """The authority's certificate, first, with those above it, and its key."""

    certificates: tuple[bytes, ...]
    key: SigningKey
    valid_from: datetime
    valid_until: datetime


class TimeStampAuthority:
    """Implements :class:`pki.ports.TimeStamper`.

    `chain` is the issuers below the root, nearest first; tokens carry it beside the TSA certificate where certificates are asked for.
    `serials` must never repeat a value. `accuracy` is what the clock is known to keep. Construction raises
    :class:`pki.errors.PkiError` unless the certificate's one critical extended key usage is timeStamping (RFC 3161 section 2.3) and the
    key is its key.
    """

    def __init__(
        self,
        *,
        certificate_der: bytes,
        chain: Sequence[bytes],
        key: SigningKey,
        policy_oid: str,
        serials: Callable[[], int] = random_serial,
        clock: Clock,
        accuracy: timedelta = timedelta(seconds=1),
    ) -> None:
        self._credential = _credential(certificate_der, chain, key)
        self._policy = OID(policy_oid)
        self._serials = serials
        self._clock = clock
        self._accuracy = _accuracy(accuracy)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return self._credential.certificates

    @property
    def key(self) -> SigningKey:
        return self._credential.key

    def adopt(self, certificate_der: bytes, key: SigningKey, *, chain: Sequence[bytes]) -> None:
        """From here on stamps with another certificate and its key. Raises :class:`pki.errors.PkiError` as construction does."""
        self._credential = _credential(certificate_der, chain, key)

    def trouble(self) -> str | None:
        """Why nothing can be stamped at this moment, for whoever watches over the service; None where the time is known."""
        try:
            self._now(self._credential)
        except TimeStampRefusedError as refused:
            return str(refused)
        return None

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        """A DER TimeStampToken with certificates; raises :class:`TimeStampRefusedError`."""
        try:
            kind = Digest(algorithm)
        except ValueError:
            raise TimeStampRefusedError(
                FailureInfo.BAD_ALG, f"time stamp: imprint digest {algorithm!r} is not SHA-256, SHA-384, SHA-512"
            ) from None
        imprint = MessageImprint(hash_algorithm=tlv(kind.identifier_der), hashed_message=digest)
        return self._token(TimeStampReq(version=1, message_imprint=imprint, req_policy=None, nonce=None, cert_req=True, extensions=None))

    def respond(self, request_der: bytes) -> bytes:
        """A DER TimeStampResp, granted or rejected. Raises nothing on account of the request; errors of the key propagate."""
        try:
            token = self._token(_read(request_der))
        except TimeStampRefusedError as refused:
            return rejection(refused.failure, str(refused))
        status = PKIStatusInfo(status=_GRANTED, status_string=None, fail_info=None)
        return asn1.encode_der(GrantedTimeStampResp(status=status, time_stamp_token=tlv(token)))

    def _token(self, request: TimeStampReq) -> bytes:
        self._check(request)
        credential = self._credential
        info = TSTInfo(
            version=1,
            policy=self._policy,
            message_imprint=request.message_imprint,
            serial_number=self._serials(),
            gen_time=GeneralizedTime(self._now(credential)),
            accuracy=self._accuracy,
            ordering=False,
            nonce=request.nonce,
            tsa=None,
            extensions=None,
        )
        content = asn1.encode_der(info)
        signed = build_signed_data(
            content_type=TST_INFO,
            content_digest=credential.key.algorithm.digest.of(content),
            encapsulated=content,
            certificate_der=credential.certificates[0],
            key=credential.key,
            certificates=credential.certificates if request.cert_req else (),
        )
        return content_info_der(signed)

    def _check(self, request: TimeStampReq) -> None:
        """Refuses what this authority does not stamp."""
        try:
            digest = digest_from_der(asn1.encode_der(request.message_imprint.hash_algorithm))
        except UnsupportedAlgorithmError as exc:
            raise TimeStampRefusedError(FailureInfo.BAD_ALG, f"time stamp: {exc}") from exc
        size = len(request.message_imprint.hashed_message)
        if size != digest.size:
            raise TimeStampRefusedError(
                FailureInfo.BAD_DATA_FORMAT, f"time stamp: imprint of {size} octets, expected {digest.size} for {digest.value}"
            )
        if request.req_policy is not None and request.req_policy != self._policy:
            raise TimeStampRefusedError(
                FailureInfo.UNACCEPTED_POLICY,
                f"time stamp: policy {request.req_policy.dotted_string} is not offered, only {self._policy.dotted_string}",
            )
        if request.extensions:
            # RFC 3161 section 2.4.1: an extension that is not recognised, critical or not, is refused
            raise TimeStampRefusedError(FailureInfo.UNACCEPTED_EXTENSION, "time stamp: no request extensions are accepted")

    def _now(self, credential: _Credential) -> datetime:
        try:
            now = self._clock().replace(microsecond=0)
        except TimeNotAvailableError as exc:
            raise TimeStampRefusedError(FailureInfo.TIME_NOT_AVAILABLE, f"time stamp: {exc}") from exc
        if not credential.valid_from <= now <= credential.valid_until:
            raise TimeStampRefusedError(
                FailureInfo.TIME_NOT_AVAILABLE, f"time stamp: {now.isoformat()} is outside the validity of the authority's certificate"
            )
        return now


def rejection(failure: FailureInfo, message: str) -> bytes:
    """A DER TimeStampResp that rejects: one failure bit and one line of text."""
    status = PKIStatusInfo(status=_REJECTION, status_string=[message], fail_info=_bit(failure))
    return asn1.encode_der(TimeStampResp(status=status))


def _read(request_der: bytes) -> TimeStampReq:
    if len(request_der) > MAX_REQUEST_OCTETS:
        raise TimeStampRefusedError(
            FailureInfo.BAD_REQUEST, f"time stamp: request of {len(request_der)} octets, more than the {MAX_REQUEST_OCTETS} that are read"
        )
    try:
        request = asn1.decode_der(TimeStampReq, request_der)
    except ValueError as exc:
        raise TimeStampRefusedError(FailureInfo.BAD_DATA_FORMAT, "time stamp: the request is not a DER TimeStampReq") from exc
    if request.version != 1:
        raise TimeStampRefusedError(FailureInfo.BAD_REQUEST, f"time stamp: request version {request.version}, expected 1")
    if request.nonce is not None and request.nonce.bit_length() > MAX_NONCE_BITS:
        raise TimeStampRefusedError(
            FailureInfo.BAD_REQUEST, f"time stamp: nonce of {request.nonce.bit_length()} bits, at most {MAX_NONCE_BITS} are echoed"
        )
    return request


def _bit(number: int) -> BitString:
    """The named-bit BIT STRING with one bit set, trailing zero bits left out (X.690 clause 11.2.2)."""
    octet, bit = divmod(number, 8)
    return BitString(bytes(octet) + bytes((0x80 >> bit,)), 7 - bit)


def _accuracy(value: timedelta) -> Accuracy:
    seconds, micros = divmod(value // timedelta(microseconds=1), 1_000_000)
    millis, micros = divmod(micros, 1000)
    return Accuracy(seconds=seconds or None, millis=millis or None, micros=micros or None)


def _credential(certificate_der: bytes, chain: Sequence[bytes], key: SigningKey) -> _Credential:
    certificate = x509.load_der_x509_certificate(certificate_der)
    _check_certificate(certificate, key)
    return _Credential((certificate_der, *chain), key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _check_certificate(certificate: x509.Certificate, key: SigningKey) -> None:
    check_key(certificate, key, "time-stamp authority")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise PkiError("time-stamp authority: the certificate has no extended key usage, expected timeStamping") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise PkiError("time-stamp authority: the certificate's extended key usage is not timeStamping alone and critical")
