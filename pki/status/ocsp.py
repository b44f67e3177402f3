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
from typing import Literal

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import BitString, GeneralizedTime, Null, Variant
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import PkiError
from pki.issuing.certificate_life import REVOKED_OR_HELD
from pki.issuing.structural import MAX_SERIAL
from pki.ports import CertificateState, Clock
from pki.status.crl import reason_number
from pki.status.ocsp_answer import OcspAnswer, ResponseStatus, refusal
from pki.status.ocsp_credential import ResponderCredential, ResponderNotValidError, responder_credential
from pki.status.ocsp_request import MalformedRequestError, read_request
from pki.status.ocsp_status import CertificateName, CertificateStatus, StatusBook
from pki.structures.algorithms import SigningKey
from pki.structures.cert_id import cert_id, hashes_in, issuer_hashes
from pki.structures.cms import tlv
from pki.structures.ocsp_asn1 import (
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
from pki.structures.relations import is_issued_by
from pki.structures.tsp import Extension

DEFAULT_VALIDITY = timedelta(hours=12)  # docs/cps.md 2.3

_Status = Variant[Null, Literal["good"]] | Variant[RevokedInfo, Literal["revoked"]] | Variant[Null, Literal["unknown"]]


@dataclass(frozen=True)
class _Asked:
    """A question whose certificates are, at least one of them, ours; `names` has None for those that are not."""

    certificates: Sequence[CertID]
    issuers: Sequence[str | None]
    names: Sequence[CertificateName | None]
    nonce: Extension | None


class OcspResponder:
    """Answers for the certificates of `issuers`, a mapping of authority name (as in the store) to CA certificate DER.

    The responder certificate is the issuer's own, or one that every issuer of the mapping signed with id-kp-OCSPSigning (RFC 6960 section
    4.2.2.2); anything else raises :class:`pki.errors.PkiError` on construction. Answers are valid for `validity` from `clock`, and not
    beyond the responder certificate, outside whose validity nothing is signed: requests are then answered with tryLater.
    `archive_cutoff` says that status is kept from the CA certificate's notBefore on, after expiry too (RFC 6960 section 4.4.4).
    """

    def __init__(
        self,
        *,
        issuers: Mapping[str, bytes],
        certificate_der: bytes,
        key: SigningKey,
        store: StatusBook,
        clock: Clock,
        validity: timedelta = DEFAULT_VALIDITY,
        archive_cutoff: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._validity = validity
        self._issuers = {name: x509.load_der_x509_certificate(der) for name, der in issuers.items()}
        self._credential = responder_credential(certificate_der, key=key, issuers=self._issuers)
        self._names = {issuer_hashes(issuer, algorithm): name for name, issuer in self._issuers.items() for algorithm in ("sha1", "sha256")}
        self._extensions = {
            name: [_archive_cutoff(issuer.not_valid_before_utc)] if archive_cutoff else None for name, issuer in self._issuers.items()
        }

    @property
    def certificate_der(self) -> bytes:
        """The responder certificate, which every successful answer carries."""
        return self._credential.certificate_der

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The responder certificates in use: here one."""
        return (self._credential.certificate_der,)

    @property
    def key(self) -> SigningKey:
        return self._credential.key

    def adopt(self, certificate_der: bytes, key: SigningKey) -> None:
        """From here on answers carry this certificate and are signed with its key. Raises PkiError as construction does.

        Answers that are being made end with the credential that they began with.
        """
        self._credential = responder_credential(certificate_der, key=key, issuers=self._issuers)

    def respond(self, request_der: bytes) -> OcspAnswer:
        """The answer to a DER OCSPRequest. Raises nothing on account of the request; errors of store and key propagate."""
        return self.respond_all((request_der,))[0]

    def respond_all(self, requests: Sequence[bytes]) -> list[OcspAnswer]:
        """The answers to several requests, in order: the books are asked once for all of them."""
        questions = [self._question(request) for request in requests]
        known = self._statuses(questions)
        try:
            return [each if isinstance(each, OcspAnswer) else self._answer(each, known) for each in questions]
        except ResponderNotValidError:
            return [each if isinstance(each, OcspAnswer) else refusal(ResponseStatus.TRY_LATER) for each in questions]

    def issuer_of(self, certificate: x509.Certificate) -> bytes | None:
        """DER of the issuer among those this responder answers for; None where none of them signed the certificate."""
        name = self._signer_name(certificate)
        return self._issuers[name].public_bytes(Encoding.DER) if name else None

    def answer_about(self, certificate_der: bytes) -> OcspAnswer:
        """The answer about one certificate, made now and in process: evidence for a B-LT signature.

        Raises :class:`pki.errors.PkiError` where none of this responder's issuers signed the certificate, or its own is not valid now.
        """
        certificate = x509.load_der_x509_certificate(certificate_der)
        name = self._signer_name(certificate)
        if name is None:
            raise PkiError(f"OCSP responder: certificate {certificate.serial_number:x} was not issued by {' or '.join(self._issuers)}")
        asked = _asked((cert_id(certificate, self._issuers[name]),), (name,), None)
        return self._answer(asked, self._statuses([asked]))

    def status_response(self, certificate_der: bytes) -> bytes:
        """The DER OCSPResponse of :meth:`answer_about`."""
        return self.answer_about(certificate_der).der

    def _signer_name(self, certificate: x509.Certificate) -> str | None:
        return next((name for name, issuer in self._issuers.items() if is_issued_by(certificate, issuer)), None)

    def _question(self, request_der: bytes) -> _Asked | OcspAnswer:
        try:
            question = read_request(request_der)
        except MalformedRequestError:
            return refusal(ResponseStatus.MALFORMED_REQUEST)
        hashes = [hashes_in(cert_id) for cert_id in question.certificates]
        issuers = [self._names.get(named) if named else None for named in hashes]
        if None in hashes or not any(issuers):
            return refusal(ResponseStatus.UNAUTHORIZED)  # RFC 5019 section 2.2.3: it cannot answer this, or not with authority
        return _asked(question.certificates, issuers, question.nonce)

    def _statuses(self, questions: Sequence[_Asked | OcspAnswer]) -> Mapping[CertificateName, CertificateStatus]:
        names = {name for each in questions if isinstance(each, _Asked) for name in each.names if name}
        return self._store.statuses(names) if names else {}

    def trouble(self) -> str | None:
        """Why nothing can be answered at this moment, for whoever watches over the service; None where all is well.

        An authority that has ended itself is no trouble: nobody can ask about its certificates with any use.
        """
        now = self._clock()
        if all(now >= issuer.not_valid_after_utc for issuer in self._issuers.values()):
            return None
        try:
            self._credential.until(now, self._validity)
        except ResponderNotValidError as exc:
            return str(exc)
        return None

    def _answer(self, asked: _Asked, known: Mapping[CertificateName, CertificateStatus]) -> OcspAnswer:
        credential, now = self._credential, self._clock().replace(microsecond=0)
        until = credential.until(now, self._validity)
        this_update, next_update = GeneralizedTime(now), GeneralizedTime(until)
        singles = [
            SingleResponse(
                cert_id=cert_id,
                cert_status=_status(known.get(name) if name else None),
                this_update=this_update,
                next_update=next_update,
                single_extensions=self._extensions[issuer] if issuer else None,
            )
            for cert_id, issuer, name in zip(asked.certificates, asked.issuers, asked.names, strict=True)
        ]
        states = tuple(single.cert_status.tag for single in singles)
        return OcspAnswer(
            der=_signed(credential, singles, this_update, asked.nonce),
            status=ResponseStatus.SUCCESSFUL,
            states=states,
            cacheable=asked.nonce is None and len(states) == 1 and states[0] != "unknown",
            this_update=now,
            next_update=until,
        )


def _signed(credential: ResponderCredential, singles: list[SingleResponse], produced_at: GeneralizedTime, nonce: Extension | None) -> bytes:
    tbs = asn1.encode_der(
        ResponseData(
            responder_id=credential.responder_id,
            produced_at=produced_at,
            responses=singles,
            response_extensions=[nonce] if nonce else None,
        )
    )
    basic = BasicOCSPResponse(
        tbs_response_data=tlv(tbs),
        signature_algorithm=credential.algorithm,
        signature=BitString(credential.key.sign(tbs), 0),
        certs=[credential.certificate],
    )
    body = ResponseBytes(response_type=OCSP_BASIC, response=asn1.encode_der(basic))
    return asn1.encode_der(OCSPResponse(response_status=enumerated(ResponseStatus.SUCCESSFUL), response_bytes=body))


def _asked(certificates: Sequence[CertID], issuers: Sequence[str | None], nonce: Extension | None) -> _Asked:
    names = [
        (issuer, each.serial_number) if issuer and 0 < each.serial_number <= MAX_SERIAL else None  # a larger one is nobody's
        for issuer, each in zip(issuers, certificates, strict=True)
    ]
    return _Asked(certificates, issuers, names, nonce)


def _status(found: CertificateStatus | None) -> _Status:
    """`good` only for ISSUED; an entry that is only recorded, or none at all, is unknown."""
    if found is not None and found.state is CertificateState.ISSUED:
        return Variant(Null(), "good")
    if found is not None and found.state in REVOKED_OR_HELD and found.revoked_at is not None:
        moment = GeneralizedTime(found.revoked_at.replace(microsecond=0))
        return Variant(RevokedInfo.at(moment, reason_number(found.reason)), "revoked")
    return Variant(Null(), "unknown")


def _archive_cutoff(since: datetime) -> Extension:
    return Extension(extn_id=ARCHIVE_CUTOFF, critical=False, extn_value=asn1.encode_der(GeneralizedTime(since)))
