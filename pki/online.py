"""Asks the network for what a verifier lacks: a missing issuer, and whether a certificate is revoked (RFC 5280 section 4.2.2.1).

Addresses come from certificates: an issuer's from the certificate that lacks it, status from certificates whose chain to an anchor has
been validated already. Only who runs the program can ask for that; the service never does, on behalf of nobody.

    online = Online(Network())
    more = online.fetch([Lack(teacher, issuing), Lack(stranger, None)])     # Evidence: to be proven like any other
    online.failures                                                         # what could not be had, and why

What comes back is proven by its signatures alone, so plain http is good enough, and a lying network can withhold but not invent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.certificate import Certificate
from pki.http_request import HttpAnswer, RemoteError, get, post
from pki.lack import Lack
from pki.network import Network
from pki.revocation_inquiry import Evidence

MAX_REQUESTS = 24  # for one document; bounds what a hostile one can set off
MAX_ADDRESSES = 3  # tried of one kind in one certificate
MAX_ANSWER = 64 * 1024  # octets of an OCSP answer or a certificate
MAX_CRL = 16 * 1024 * 1024  # octets; 300,000 entries
MAX_REMEMBERED = 2_000  # answers kept, failures too; a bounded run of thousands of documents asks about a few dozen certificates
MAX_REMEMBERED_OCTETS = 64 * 1024 * 1024


class Transport(Protocol):
    """One request, whole within `seconds`; raises :class:`pki.http_request.RemoteError`. `body` None asks with GET."""

    def __call__(self, url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer: ...


def over_http(url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer:
    """The transport that reaches the network. OCSP is the only thing asked with a body."""
    if body is None:
        return get(url, seconds=seconds, limit=limit)
    return post(url, body, headers={"Content-Type": "application/ocsp-request"}, seconds=seconds, limit=limit)


@dataclass
class _Memory:
    """Answers by address and question, for one run: a class of records shares its signers. The oldest go first."""

    known: dict[tuple[str, bytes | None], bytes | None] = field(default_factory=dict)
    octets: int = 0

    def put(self, key: tuple[str, bytes | None], answer: bytes | None) -> None:
        self.known[key] = answer
        self.octets += len(answer or b"")
        while len(self.known) > MAX_REMEMBERED or self.octets > MAX_REMEMBERED_OCTETS:
            self.octets -= len(self.known.pop(next(iter(self.known))) or b"")


class Online:
    """One for a run of documents. Call :meth:`begin` for each document, then :meth:`fetch` as often as something is lacking."""

    def __init__(self, network: Network, *, transport: Transport = over_http, clock: Callable[[], float] = time.monotonic) -> None:
        self._network = network
        self._transport = transport
        self._clock = clock
        self._memory = _Memory()
        self.failures: list[str] = []
        self._asked: set[tuple[str, bytes | None]] = set()
        self._ends = 0.0
        self.begin()

    def begin(self) -> None:
        """A new document: its own time and number of requests."""
        self.failures = []
        self._asked = set()
        self._ends = self._clock() + self._network.document_seconds

    def fetch(self, lacks: Sequence[Lack]) -> Evidence:
        """What could be had of what is lacking and was not asked for before; nothing is raised, see :attr:`failures`."""
        found = [self._issuers(lack.certificate) if lack.issuer is None else self._status(lack.certificate, lack.issuer) for lack in lacks]
        return Evidence(
            certificates=tuple(der for one in found for der in one.certificates),
            crls=tuple(der for one in found for der in one.crls),
            ocsps=tuple(der for one in found for der in one.ocsps),
        )

    def _issuers(self, certificate: Certificate) -> Evidence:
        for url in _addresses(certificate, AuthorityInformationAccessOID.CA_ISSUERS):
            answer = self._ask(url, None, MAX_ANSWER)
            found = _certificates(answer) if answer else ()
            if found:
                return Evidence(certificates=found)
            if answer:
                self._note(f"{url} answers with something that is no certificate")
        return Evidence()

    def _status(self, certificate: Certificate, issuer: Certificate) -> Evidence:
        """By OCSP, which is fresher; by CRL where there is none."""
        request = _ocsp_request(certificate, issuer)
        for url in _addresses(certificate, AuthorityInformationAccessOID.OCSP) if request else ():
            answer = self._ask(url, request, MAX_ANSWER)
            if answer and _answers(answer):
                return Evidence(ocsps=(answer,))
            if answer:
                self._note(f"{url} gives no OCSP answer about the certificate")
        for url in _lists(certificate):
            answer = self._ask(url, None, MAX_CRL)
            crl = _crl(answer) if answer else None
            if crl:
                return Evidence(crls=(crl,))
            if answer:
                self._note(f"{url} answers with something that is no CRL")
        return Evidence()

    def _ask(self, url: str, body: bytes | None, limit: int) -> bytes | None:
        """The answer's octets; None where there is none, or where this document has asked already."""
        key = (url, body)
        if key in self._asked:
            return None
        self._asked.add(key)
        if key in self._memory.known:
            return self._memory.known[key]
        left = self._ends - self._clock()
        if left <= 0 or len(self._asked) > MAX_REQUESTS:
            self._note("more would have to be fetched for this document than is granted")
            return None
        try:
            answer = self._transport(url, body, seconds=min(left, self._network.request_seconds), limit=limit).body
        except RemoteError as exc:
            self._note(str(exc))
            answer = None
        self._memory.put(key, answer)
        return answer

    def _note(self, text: str) -> None:
        if text not in self.failures:
            self.failures.append(text)


def _addresses(certificate: Certificate, method: x509.ObjectIdentifier) -> tuple[str, ...]:
    """The http addresses of one access method, in the certificate's order."""
    try:
        access = x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.InvalidVersion, x509.DuplicateExtension):
        return ()
    places = (
        one.access_location.value
        for one in access
        if one.access_method == method and isinstance(one.access_location, x509.UniformResourceIdentifier)
    )
    return tuple(dict.fromkeys(place for place in places if _is_http(place)))[:MAX_ADDRESSES]


def _lists(certificate: Certificate) -> tuple[str, ...]:
    """The http addresses of the certificate's CRL distribution points."""
    try:
        points = x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.InvalidVersion, x509.DuplicateExtension):
        return ()
    names = (name for point in points for name in point.full_name or ())
    places = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return tuple(dict.fromkeys(place for place in places if _is_http(place)))[:MAX_ADDRESSES]


def _is_http(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def _ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes | None:
    """A DER OCSPRequest about one certificate, with SHA-1 names, which every responder knows (RFC 5019 section 2.1.1), and no nonce.

    None where the certificate is too odd to be asked about.
    """
    try:
        subject, above = x509.load_der_x509_certificate(certificate.der), x509.load_der_x509_certificate(issuer.der)
        request = ocsp.OCSPRequestBuilder().add_certificate(subject, above, hashes.SHA1()).build()  # noqa: S303 (a name, not a signature)
        return request.public_bytes(Encoding.DER)
    except (ValueError, TypeError, x509.InvalidVersion):
        return None


def _answers(answer: bytes) -> bool:
    try:
        return ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    except ValueError:
        return False


def _certificates(answer: bytes) -> tuple[bytes, ...]:
    """One certificate in DER or PEM, or a certs-only CMS message (RFC 5280 section 4.2.2.1); empty where it is neither."""
    for read in (_one_certificate, pkcs7.load_der_pkcs7_certificates, x509.load_pem_x509_certificates):
        try:
            return tuple(one.public_bytes(Encoding.DER) for one in read(answer))
        except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
            continue
    return ()


def _one_certificate(answer: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(answer)]


def _crl(answer: bytes) -> bytes | None:
    try:
        read = x509.load_pem_x509_crl(answer) if answer.startswith(b"-----BEGIN") else x509.load_der_x509_crl(answer)
    except ValueError:
        return None
    return read.public_bytes(Encoding.DER)
