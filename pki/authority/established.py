"""An authority that stands: its roots, issuing authorities and services, of every generation."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509

from pki.authority.offline import OfflineAuthority
from pki.errors import PkiError
from pki.identity.subject import Subject, legal_person
from pki.issuing.issue import Authority
from pki.structures.algorithms import SigningKey
from pki.structures.relations import is_issued_by

AnyAuthority = Authority | OfflineAuthority

ROOT, ISSUING, TSA, OCSP, REPORT = "root", "issuing", "tsa", "ocsp", "report"
CROSS = "cross"  # profile of a certificate that one root gives another, whose holder it shares
TITLES = {ROOT: "Root CA", ISSUING: "Issuing CA", TSA: "Time Stamping", OCSP: "OCSP Responder", REPORT: "Verification Service"}


class NotEstablishedError(PkiError):
    """The store or key store lacks a certificate or key of the authority."""


@dataclass(frozen=True)
class Organization:
    """Who runs the authority. `identifier` as in EN 319 412-1 clause 5.1.4, such as NTRVN-0100109106."""

    country: str
    name: str
    identifier: str

    def subject(self, label: str) -> Subject:
        return legal_person(country=self.country, name=self.name, identifier=self.identifier, common_name=f"{self.name} {TITLES[label]}")


@dataclass(frozen=True)
class Service:
    """A certificate of the house with its key: the TSA's or the OCSP responder's."""

    label: str
    certificate_der: bytes
    key: SigningKey


@dataclass(frozen=True)
class EarlierIssuer:
    """An issuing authority that a rollover followed: it certifies nobody any more, but revokes and answers for what it issued."""

    authority: Authority
    ocsp: Service


@dataclass(frozen=True)
class EstablishedAuthority:
    """`root` and `issuing` are of the newest generation; the earlier ones follow, newest first.

    `crosses` are the certificates between roots (RFC 4210 section 4.4): they let a verifier that knows one root follow another's.
    """

    root: AnyAuthority
    issuing: Authority
    tsa: Service
    ocsp: Service
    earlier_roots: tuple[AnyAuthority, ...] = ()
    earlier_issuers: tuple[EarlierIssuer, ...] = ()
    crosses: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def root_der(self) -> bytes:
        return self.root.certificate_der

    @property
    def issuing_der(self) -> bytes:
        return self.issuing.certificate_der

    @property
    def roots(self) -> tuple[AnyAuthority, ...]:
        """Newest first: all of them are trusted until they expire."""
        return (self.root, *self.earlier_roots)

    @property
    def issuers(self) -> tuple[Authority, ...]:
        """Every issuing authority, newest first."""
        return (self.issuing, *(each.authority for each in self.earlier_issuers))

    def published(self) -> dict[str, bytes]:
        """Every CA certificate by the name of its address: authorities, and what roots certified of each other (`root-2-by-root`)."""
        known = {_subject_key(root.certificate_der): root.name for root in self.roots}
        crosses = {f"{known[_subject_key(der)]}-by-{known[_authority_key(der)]}": der for der in self.crosses}
        return {each.name: each.certificate_der for each in (*self.roots, *self.issuers)} | crosses

    def named(self, name: str) -> AnyAuthority:
        """By its name in the books; raises :class:`NotEstablishedError`."""
        found = {each.name: each for each in (*self.roots, *self.issuers)}
        if name not in found:
            raise NotEstablishedError(f"authority: got {name!r}, expected one of {', '.join(found)}")
        return found[name]

    def issuer_of(self, certificate_der: bytes) -> Authority | None:
        """The issuing authority that signed a certificate; None where it is none of ours."""
        certificate = x509.load_der_x509_certificate(certificate_der)
        return next((each for each in self.issuers if is_issued_by(certificate, _certificate(each.certificate_der))), None)

    def chain_of(self, certificate_der: bytes) -> tuple[bytes, ...]:
        """The issuers below the roots that belong beside a certificate of ours, nearest first: its own, then what crosses to another root.

        Where none of ours signed it, the newest issuing authority's.
        """
        issuer = self.issuer_of(certificate_der) or self.issuing
        above = _certificate(issuer.certificate_der)
        crossing = (der for der in self.crosses if is_issued_by(above, _certificate(der)))
        return (issuer.certificate_der, *crossing)


def holder_of(label: str) -> str:
    """The holder under which the books keep a certificate of the house."""
    return f"authority/{label}"


def _subject_key(der: bytes) -> bytes:
    return _certificate(der).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _authority_key(der: bytes) -> bytes:
    return _certificate(der).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""


def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
