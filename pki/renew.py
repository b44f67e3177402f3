"""Renews the certificates of the house's own services before they expire. CA certificates are never renewed by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from pki.establish import EstablishedAuthority, Service, holder_of
from pki.issue import Authority, CertificateRequest
from pki.subject import Subject

RENEWAL_WINDOW = timedelta(days=30)  # renewed this long before it expires


def renew(established: EstablishedAuthority) -> EstablishedAuthority:
    """New certificates, for the same keys, for services that expire within :data:`RENEWAL_WINDOW`; CA certificates are left alone."""
    return replace(
        established,
        tsa=_renewed(established.issuing, established.tsa),
        ocsp=_renewed(established.issuing, established.ocsp),
        earlier_issuers=tuple(replace(each, ocsp=_renewed(each.authority, each.ocsp)) for each in established.earlier_issuers),
    )


def _renewed(issuing: Authority, service: Service) -> Service:
    certificate = x509.load_der_x509_certificate(service.certificate_der)
    if certificate.not_valid_after_utc - issuing.clock() > RENEWAL_WINDOW or certificate.not_valid_after_utc >= _end(issuing):
        return service  # a new one would last no longer: it is the issuing authority's own renewal that is due
    request = CertificateRequest(
        profile=service.label,
        subject=Subject.from_x509(certificate.subject),
        public_key=service.key.public_key(),
        holder=holder_of(service.label),
    )
    return replace(service, certificate_der=issuing.certify(request).certificate_der)


def _end(issuing: Authority) -> datetime:
    return x509.load_der_x509_certificate(issuing.certificate_der).not_valid_after_utc
