"""A responder's certificate, and what makes it one: the issuer's own, or delegated by the issuer (RFC 6960 section 4.2.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.asn1 import TLV
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.errors import PkiError
from pki.structures.algorithms import SigningKey
from pki.structures.cert_id import key_hash
from pki.structures.cms import tlv
from pki.structures.relations import check_key, is_issued_by


class ResponderNotValidError(PkiError):
    """The responder's certificate has ended, or does not hold yet: what it signed now would convince nobody."""


@dataclass(frozen=True)
class ResponderCredential:
    """A responder certificate as answers carry it, and the key that signs them. The times are aware UTC."""

    certificate_der: bytes
    certificate: TLV
    responder_id: bytes
    key: SigningKey
    algorithm: TLV
    valid_from: datetime
    valid_until: datetime

    def until(self, now: datetime, validity: timedelta) -> datetime:
        """How long an answer made `now` holds: nobody can check it once this certificate has ended. Raises ResponderNotValidError."""
        if not self.valid_from <= now < self.valid_until:
            raise ResponderNotValidError(
                f"OCSP responder: {now:%Y-%m-%d %H:%M:%S} UTC is outside the validity of its certificate,"
                f" {self.valid_from:%Y-%m-%d %H:%M:%S} to {self.valid_until:%Y-%m-%d %H:%M:%S}"
            )
        return min(now + validity, self.valid_until)


def responder_credential(certificate_der: bytes, *, key: SigningKey, issuers: Mapping[str, x509.Certificate]) -> ResponderCredential:
    """Raises :class:`pki.errors.PkiError` where the key is not the certificate's, or an issuer did not delegate to it."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    check_key(certificate, key, "OCSP responder")
    for name, issuer in issuers.items():
        _check_delegation(name, issuer, certificate)
    return ResponderCredential(
        certificate_der=certificate_der,
        certificate=tlv(certificate_der),
        responder_id=key_hash(certificate, "sha1"),
        key=key,
        algorithm=tlv(key.algorithm.identifier_der),
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )


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
