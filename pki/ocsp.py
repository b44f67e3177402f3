"""Certificate status, answered from the authority's books: an OCSP responder (RFC 6960, profile RFC 5019, nonce RFC 9654).

The responder fails closed: `good` is said only of a certificate that the store holds as issued. A serial that was never recorded, or
that is recorded but not yet issued, is `unknown`. What a client sends is answered, whatever it is.

    responder = OcspResponder(issuers={"issuing": ca_der}, certificate_der=ocsp_der, key=key, store=store, clock=clock)
    answer = responder.respond(request_der)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import BitString, GeneralizedTime, Null, Variant
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.algorithms import SigningKey
from pki.cert_id import cert_id, hashes_in, issuer_hashes, key_hash
from pki.certificate_life import REVOKED_OR_HELD
from pki.cms import tlv
from pki.crl import reason_number
from pki.errors import PkiError
from pki.ocsp_asn1 import (
    ARCHIVE_CUTOFF,
    OCSP_BASIC,
    BasicOCSPResponse,
    CertID,
    OCSPResponse,
    ResponseBytes,
    ResponseData,
    RevokedInfo,
    SingleResponse,
    enumerated,
)
from pki.ocsp_request import MalformedRequestError, read_request
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock
from pki.relations import check_key, is_issued_by
from pki.structural import MAX_SERIAL
from pki.tsp import Extension

DEFAULT_VALIDITY = timedelta(hours=12)

_Status = Variant[Null, Literal["good"]] | Variant[RevokedInfo, Literal["revoked"]] | Variant[Null, Literal["unknown"]]


class ResponseStatus(IntEnum):
    """OCSPResponseStatus, RFC 6960 section 4.2.1."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True)
class OcspAnswer:
    """An OCSPResponse, and what an HTTP cache may do with it (RFC 5019 section 6).

    `states` says good, revoked or unknown for each certificate, in the order asked. `cacheable` only where one certificate was asked about,
    without nonce, and is good or revoked: `unknown` may change at any moment. `this_update` and `next_update` are aware UTC.
    """

    der: bytes
    status: ResponseStatus
    states: tuple[str, ...] = ()
    cacheable: bool = False
    this_update: datetime | None = None
    next_update: datetime | None = None


class OcspResponder:
    """Answers for the certificates of `issuers`, a mapping of authority name (as in the store) to CA certificate DER.

    The responder certificate is the issuer's own, or one that every issuer of the mapping signed with id-kp-OCSPSigning (RFC 6960 section
    4.2.2.2); anything else raises :class:`pki.errors.PkiError` on construction. Answers are valid for `validity` from `clock`.
    `archive_cutoff` says that status is kept from the CA certificate's notBefore on, after expiry too (RFC 6960 section 4.4.4).
    """

    def __init__(
        self,
        *,
        issuers: Mapping[str, bytes],
        certificate_der: bytes,
        key: SigningKey,
        store: CertificateStore,
        clock: Clock,
        validity: timedelta = DEFAULT_VALIDITY,
        archive_cutoff: bool = True,
    ) -> None:
        certificate = x509.load_der_x509_certificate(certificate_der)
        check_key(certificate, key, "OCSP responder")
        self._certificate_der = certificate_der
        self._responder_id = key_hash(certificate, "sha1")
        self._key = key
        self._store = store
        self._clock = clock
        self._validity = validity
        self._issuers = {name: x509.load_der_x509_certificate(der) for name, der in issuers.items()}
        for name, issuer in self._issuers.items():
            _check_delegation(name, issuer, certificate)
        self._names = {issuer_hashes(issuer, algorithm): name for name, issuer in self._issuers.items() for algorithm in ("sha1", "sha256")}
        self._extensions = {
            name: [_archive_cutoff(issuer.not_valid_before_utc)] if archive_cutoff else None for name, issuer in self._issuers.items()
        }

    @property
    def certificate_der(self) -> bytes:
        """The responder certificate, which every successful answer carries."""
        return self._certificate_der

    def respond(self, request_der: bytes) -> OcspAnswer:
        """The answer to a DER OCSPRequest. Raises nothing on account of the request; errors of store and key propagate."""
        try:
            question = read_request(request_der)
        except MalformedRequestError:
            return refusal(ResponseStatus.MALFORMED_REQUEST)
        hashes = [hashes_in(cert_id) for cert_id in question.certificates]
        issuers = [self._names.get(named) if named else None for named in hashes]
        if None in hashes or not any(issuers):
            return refusal(ResponseStatus.UNAUTHORIZED)  # RFC 5019 section 2.2.3: it cannot answer this, or not with authority
        return self._answer(question.certificates, issuers, question.nonce)

    def issuer_of(self, certificate: x509.Certificate) -> bytes | None:
        """DER of the issuer among those this responder answers for; None where none of them signed the certificate."""
        name = self._signer_name(certificate)
        return self._issuers[name].public_bytes(Encoding.DER) if name else None

    def answer_about(self, certificate_der: bytes) -> OcspAnswer:
        """The answer about one certificate, made now and in process: evidence for a B-LT signature.

        Raises :class:`pki.errors.PkiError` where none of this responder's issuers signed the certificate.
        """
        certificate = x509.load_der_x509_certificate(certificate_der)
        name = self._signer_name(certificate)
        if name is None:
            raise PkiError(f"OCSP responder: certificate {certificate.serial_number:x} was not issued by {' or '.join(self._issuers)}")
        return self._answer((cert_id(certificate, self._issuers[name]),), (name,), None)

    def status_response(self, certificate_der: bytes) -> bytes:
        """The DER OCSPResponse of :meth:`answer_about`."""
        return self.answer_about(certificate_der).der

    def _signer_name(self, certificate: x509.Certificate) -> str | None:
        return next((name for name, issuer in self._issuers.items() if is_issued_by(certificate, issuer)), None)

    def _answer(self, certificates: Sequence[CertID], issuers: Sequence[str | None], nonce: Extension | None) -> OcspAnswer:
        now = self._now()
        singles = [self._single(cert_id, issuer, now) for cert_id, issuer in zip(certificates, issuers, strict=True)]
        states = tuple(single.cert_status.tag for single in singles)
        return OcspAnswer(
            der=self._sign(singles, now, nonce),
            status=ResponseStatus.SUCCESSFUL,
            states=states,
            cacheable=nonce is None and len(states) == 1 and states[0] != "unknown",
            this_update=now,
            next_update=now + self._validity,
        )

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _single(self, cert_id: CertID, issuer: str | None, now: datetime) -> SingleResponse:
        known = issuer is not None and 0 < cert_id.serial_number <= MAX_SERIAL  # a larger one is nobody's
        return SingleResponse(
            cert_id=cert_id,
            cert_status=_status(self._store.get(issuer, cert_id.serial_number) if issuer and known else None),
            this_update=GeneralizedTime(now),
            next_update=GeneralizedTime(now + self._validity),
            single_extensions=self._extensions[issuer] if issuer else None,
        )

    def _sign(self, singles: Sequence[SingleResponse], now: datetime, nonce: Extension | None) -> bytes:
        tbs = asn1.encode_der(
            ResponseData(
                responder_id=self._responder_id,
                produced_at=GeneralizedTime(now),
                responses=list(singles),
                response_extensions=[nonce] if nonce else None,
            )
        )
        basic = BasicOCSPResponse(
            tbs_response_data=tlv(tbs),
            signature_algorithm=tlv(self._key.algorithm.identifier_der),
            signature=BitString(self._key.sign(tbs), 0),
            certs=[tlv(self._certificate_der)],
        )
        body = ResponseBytes(response_type=OCSP_BASIC, response=asn1.encode_der(basic))
        return asn1.encode_der(OCSPResponse(response_status=enumerated(ResponseStatus.SUCCESSFUL), response_bytes=body))


def refusal(status: ResponseStatus) -> OcspAnswer:
    """An unsigned error answer, such as tryLater (RFC 6960 section 2.3)."""
    return OcspAnswer(der=asn1.encode_der(OCSPResponse(response_status=enumerated(status), response_bytes=None)), status=status)


def _status(entry: CertificateEntry | None) -> _Status:
    """`good` only for ISSUED; an entry that is only recorded, or none at all, is unknown."""
    if entry is not None and entry.state is CertificateState.ISSUED:
        return Variant(Null(), "good")
    if entry is not None and entry.state in REVOKED_OR_HELD and entry.revoked_at is not None:
        moment = GeneralizedTime(entry.revoked_at.replace(microsecond=0))
        return Variant(RevokedInfo.at(moment, reason_number(entry.revocation_reason)), "revoked")
    return Variant(Null(), "unknown")


def _archive_cutoff(since: datetime) -> Extension:
    return Extension(extn_id=ARCHIVE_CUTOFF, critical=False, extn_value=asn1.encode_der(GeneralizedTime(since)))


def _check_delegation(name: str, issuer: x509.Certificate, responder: x509.Certificate) -> None:
    if responder == issuer:
        return
    if not is_issued_by(responder, issuer):
        raise PkiError(f"OCSP responder: its certificate was not issued by {name}, whose status it is to give")
    try:
        usages = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        raise PkiError("OCSP responder: its certificate lacks the extended key usage id-kp-OCSPSigning")
