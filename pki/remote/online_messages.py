"""What is asked of the network about certificates, and what may come back: addresses, requests and answers as octets.

They are sent and fetched by :mod:`pki.remote.online`. Reading decides nothing: what is none of what was asked for is told apart from what
is, and proven elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp

from pki.structures.certificate import Certificate

E = TypeVar("E", bound=x509.ExtensionType)
MAX_ADDRESSES = 3  # tried of one kind in one certificate


def addresses(certificate: Certificate, method: x509.ObjectIdentifier) -> tuple[str, ...]:
    """The http addresses of one access method, in the certificate's order."""
    access = _extension(certificate, x509.AuthorityInformationAccess)
    return _http(one.access_location for one in access or () if one.access_method == method)


def list_addresses(certificate: Certificate) -> tuple[str, ...]:
    """The http addresses of the certificate's CRL distribution points."""
    points = _extension(certificate, x509.CRLDistributionPoints)
    return _http(name for point in points or () for name in point.full_name or ())


def _http(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    places = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return tuple(dict.fromkeys(place for place in places if place.lower().startswith(("http://", "https://"))))[:MAX_ADDRESSES]


def _extension(certificate: Certificate, kind: type[E]) -> E | None:
    """None where the certificate has none, or any of its extensions cannot be read."""
    try:
        return x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(kind).value
    except (
        ValueError,
        TypeError,
        x509.InvalidVersion,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,  # x400Address, ediPartyName
    ):
        return None


def ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes | None:
    """A DER OCSPRequest about one certificate, with SHA-1 names, which every responder knows (RFC 5019 section 2.1.1), and no nonce.

    None where the certificate is too odd to be asked about.
    """
    try:
        subject, above = x509.load_der_x509_certificate(certificate.der), x509.load_der_x509_certificate(issuer.der)
        request = ocsp.OCSPRequestBuilder().add_certificate(subject, above, hashes.SHA1()).build()  # noqa: S303 (a name, not a signature)
        return request.public_bytes(Encoding.DER)
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        return None


def is_ocsp_answer(answer: bytes) -> bool:
    try:
        return ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    except ValueError:
        return False


def certificates_in(answer: bytes) -> tuple[bytes, ...]:
    """One certificate in DER or PEM, or a certs-only CMS message (RFC 5280 section 4.2.2.1); empty where it is neither."""
    for read in (_one_certificate, pkcs7.load_der_pkcs7_certificates, x509.load_pem_x509_certificates):
        try:
            return tuple(one.public_bytes(Encoding.DER) for one in read(answer))
        except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
            continue
    return ()


def _one_certificate(answer: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(answer)]


def crl_in(answer: bytes) -> bytes | None:
    try:
        read = x509.load_pem_x509_crl(answer) if answer.startswith(b"-----BEGIN") else x509.load_der_x509_crl(answer)
    except ValueError:
        return None
    return read.public_bytes(Encoding.DER)
