"""Revocation data made in process for B-LT signatures: what a school's own signing service needs of its own authority.

It answers `gather`, the port of the signing room. Every answer is made at the moment of the call, so that its thisUpdate is not earlier
than any time stamp made before: gather after the last signature time stamp of a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from pki.errors import PkiError
from pki.issuing.urls import shard_of
from pki.ports import Clock, CrlSource
from pki.status.ocsp import OcspResponder
from pki.status.ocsp_credential import ResponderNotValidError
from pki.structures.relations import is_issued_by


class NoRevocationDataError(PkiError):
    """A certificate is not good now, or nobody here can say so: a B-LT signature with it is not to be made."""


@dataclass(frozen=True)
class _Proof:
    """What proves one certificate unrevoked, and the certificates that whoever checks the proof needs."""

    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()


class InProcessValidationData:
    """Asks our own responders about end entities and our own CRL signers about CA certificates.

    Times in CRLs, OCSP responses and our time stamps count whole seconds. Within one second of `clock` an answer about a certificate is
    made once and used again, so a class signed in one run needs one or two answers for each distinct certificate.
    """

    def __init__(self, *, responders: Sequence[OcspResponder], crl_signers: Sequence[CrlSource], clock: Clock) -> None:
        self._responders = tuple(responders)
        self._crl_signers = tuple(crl_signers)
        self._clock = clock
        self._proofs: tuple[datetime | None, dict[bytes, _Proof]] = (None, {})

    def gather(self, certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
        """(certificates, CRLs, OCSP responses), DER, each without repeats, that prove `certificates` unrevoked now.

        An end entity gets an OCSP response, a CA certificate its issuer's CRL shard; a self-signed root and a certificate with ocsp-nocheck
        get nothing. The certificates are those given, plus OCSP responders' and issuers' (the root's too). Raises
        :class:`NoRevocationDataError` where one is revoked, not issued, or from an issuer that is not ours.
        """
        known = self._proofs_of_this_second()
        queue = list(dict.fromkeys(certificates))
        gathered: dict[bytes, _Proof] = {}
        while queue:
            der = queue.pop(0)
            if der in gathered:
                continue
            if der not in known:
                known[der] = self._prove(der)
            gathered[der] = known[der]
            queue += known[der].certificates
        proofs = gathered.values()
        return tuple(gathered), _distinct(proof.crls for proof in proofs), _distinct(proof.ocsps for proof in proofs)

    def _proofs_of_this_second(self) -> dict[bytes, _Proof]:
        second = self._clock().replace(microsecond=0)
        if self._proofs[0] != second:
            self._proofs = (second, {})
        return self._proofs[1]

    def _prove(self, der: bytes) -> _Proof:
        certificate = x509.load_der_x509_certificate(der)
        if _is_self_signed(certificate) or _has_nocheck(certificate):
            return _Proof()
        return self._crl_proof(certificate) if _is_ca(certificate) else self._ocsp_proof(certificate, der)

    def _ocsp_proof(self, certificate: x509.Certificate, der: bytes) -> _Proof:
        for responder in self._responders:
            issuer_der = responder.issuer_of(certificate)
            if issuer_der is None:
                continue
            try:
                answer = responder.answer_about(der)
            except ResponderNotValidError as exc:
                raise NoRevocationDataError(f"certificate {certificate.serial_number:x}: {exc}") from exc
            if answer.states != ("good",):
                raise NoRevocationDataError(f"certificate {certificate.serial_number:x} is {answer.states[0]}, expected good")
            issuers = () if is_root(issuer_der) else (issuer_der,)
            return _Proof(ocsps=(answer.der,), certificates=(responder.certificate_der, *issuers))
        raise NoRevocationDataError(f"certificate {certificate.serial_number:x}: none of our OCSP responders answers for its issuer")

    def _crl_proof(self, certificate: x509.Certificate) -> _Proof:
        for signer in self._crl_signers:
            if not is_issued_by(certificate, x509.load_der_x509_certificate(signer.issuer_certificate_der)):
                continue
            crl = signer.crl(shard_of(certificate.serial_number, signer.shards))
            until = x509.load_der_x509_crl(crl).next_update_utc
            if until is None or until < self._clock():
                raise NoRevocationDataError(f"CRL of {signer.issuer}: out of date; make one in its own home, and bring it here")
            if x509.load_der_x509_crl(crl).get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise NoRevocationDataError(f"CA certificate {certificate.serial_number:x} is revoked")
            # the root too: EN 319 142-1 table 1 wants the whole path in the DSS, and pyHanko finds a CRL's issuer only there
            return _Proof(crls=(crl,), certificates=(signer.issuer_certificate_der,))
        raise NoRevocationDataError(f"CA certificate {certificate.serial_number:x}: none of our CRLs is its issuer's")


def is_root(certificate_der: bytes) -> bool:
    """Whether a certificate is its own issuer's, by name and key."""
    return _is_self_signed(x509.load_der_x509_certificate(certificate_der))


def _is_self_signed(certificate: x509.Certificate) -> bool:
    """By key as well as by name: a certificate between two roots of one name has an issuer that can revoke it."""
    return is_issued_by(certificate, certificate)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _has_nocheck(certificate: x509.Certificate) -> bool:
    """RFC 6960 section 4.2.2.2.1: a responder's certificate that is not to be asked about; it lives briefly instead."""
    return any(extension.oid == x509.OCSPNoCheck.oid for extension in certificate.extensions)


def _distinct(groups: Iterable[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))
