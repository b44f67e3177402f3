"""Renews the certificates of the house's own services before they expire. CA certificates are never renewed by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from pki.authority.establish import EstablishedAuthority, Service, holder_of
from pki.identity.subject import Subject
from pki.issuing.issue import Authority, CertificateRequest

RENEWAL_WINDOW = timedelta(days=30)  # renewed this long before it expires; docs/cps.md 4.6


def renew(established: EstablishedAuthority) -> EstablishedAuthority:
    """New certificates, for the same keys, for services that expire within :data:`RENEWAL_WINDOW`; CA certificates are left alone."""
    return replace(
        established,
        tsa=renew_service(established.issuing, established.tsa),
        ocsp=renew_service(established.issuing, established.ocsp),
        earlier_issuers=tuple(replace(each, ocsp=renew_service(each.authority, each.ocsp)) for each in established.earlier_issuers),
    )


def renew_service(issuing: Authority, service: Service) -> Service:
    """The service with a new certificate where one is due, else as it is."""
    if not is_due(issuing, service.certificate_der):
        return service
    certificate = x509.load_der_x509_certificate(service.certificate_der)
    request = CertificateRequest(
        profile=service.label,
        subject=Subject.from_x509(certificate.subject),
        public_key=service.key.public_key(),
        holder=holder_of(service.label),
    )
    return replace(service, certificate_der=issuing.certify(request).certificate_der)


def is_due(issuing: Authority, certificate_der: bytes) -> bool:
    """Whether it expires within :data:`RENEWAL_WINDOW`, and a new one would last longer (else its issuer is what is to be renewed)."""
    expires = x509.load_der_x509_certificate(certificate_der).not_valid_after_utc
    return expires - issuing.clock() <= RENEWAL_WINDOW and expires < _end(issuing)


def _end(issuing: Authority) -> datetime:
    return x509.load_der_x509_certificate(issuing.certificate_der).not_valid_after_utc
