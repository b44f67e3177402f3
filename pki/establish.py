"""Sets up an authority: root, issuing authority, time-stamping authority and OCSP responder, and finds them again later.

`establish` may be called again after a crash: it goes on where it stopped, with the keys and certificates that already stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from pki.algorithms import SigningKey
from pki.errors import KeyNotFoundError, PkiError
from pki.issue import Authority, CertificateRequest, Press, issue, record
from pki.lint import SAMPLE_RATE
from pki.ports import CertificateState, CertificateStore, Clock, KeyStore
from pki.profile import CertificateProfile
from pki.subject import Subject, legal_person
from pki.tbs import Issuer, key_identifier
from pki.urls import AuthorityUrls

ROOT, ISSUING, TSA, OCSP = "root", "issuing", "tsa", "ocsp"
CURVES = {ROOT: "P-384", ISSUING: "P-256", TSA: "P-256", OCSP: "P-256"}
TITLES = {ROOT: "Root CA", ISSUING: "Issuing CA", TSA: "Time Stamping", OCSP: "OCSP Responder"}
CRL_SHARDS = 8  # of the issuing authority; the root has one


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
class EstablishedAuthority:
    root: Authority
    issuing: Authority
    tsa: Service
    ocsp: Service

    @property
    def root_der(self) -> bytes:
        return self.root.certificate_der

    @property
    def issuing_der(self) -> bytes:
        return self.issuing.certificate_der


@dataclass(frozen=True)
class _House:
    """What both moves need at hand."""

    keys: KeyStore
    store: CertificateStore
    profiles: Mapping[str, CertificateProfile]
    clock: Clock
    urls: AuthorityUrls
    crl_shards: int
    lint_rate: float

    def current(self, label: str) -> bytes | None:
        """The newest issued certificate of a service."""
        entries = [e for e in self.store.of_holder(holder_of(label)) if e.state is CertificateState.ISSUED and e.certificate_der]
        return entries[-1].certificate_der if entries else None

    def key(self, label: str) -> SigningKey:
        return self.keys.open(label)

    def service(self, label: str, certificate_der: bytes) -> Service:
        """Raises :class:`NotEstablishedError` where the key is not the certificate's."""
        key = self.key(label)
        certified = x509.load_der_x509_certificate(certificate_der).public_key()
        if certified != key.public_key():
            raise NotEstablishedError(f"authority: the key {label} is not the one that its certificate names; restore the key store")
        return Service(label, certificate_der, key)

    def authority(self, label: str, certificate_der: bytes) -> Authority:
        return Authority(
            name=label,
            certificate_der=certificate_der,
            key=self.key(label),
            profiles=self.profiles,
            store=self.store,
            clock=self.clock,
            urls=self.urls,
            crl_shards=self.crl_shards if label == ISSUING else 1,
            lint_rate=self.lint_rate,
        )


def holder_of(label: str) -> str:
    """The holder under which the books keep a certificate of the house."""
    return f"authority/{label}"


def establish(
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    *,
    clock: Clock,
    urls: AuthorityUrls,
    organization: Organization,
    crl_shards: int = CRL_SHARDS,
    lint_rate: float = SAMPLE_RATE,
) -> EstablishedAuthority:
    """Makes what is missing of keys and certificates; raises :class:`pki.errors.PkiError`.

    `profiles` must hold root, issuing, tsa and ocsp. What already stands is used as it is, whatever `organization` says.
    """
    house = _House(keys, store, profiles, clock, urls, crl_shards, lint_rate)
    for label in (ROOT, ISSUING, TSA, OCSP):
        if label not in profiles:
            raise NotEstablishedError(f"profile {label} is missing; expected root, issuing, tsa and ocsp")
        if label not in keys.labels():
            if house.current(label) is not None:
                raise NotEstablishedError(f"authority: the certificate of {label} stands without its key; restore the key store")
            keys.generate(label, curve=CURVES[label])
    root_der = house.current(ROOT) or _self_sign(house, organization)
    root = house.authority(ROOT, root_der)
    issuing_der = house.current(ISSUING) or _certify(root, ISSUING, organization, house.key(ISSUING))
    issuing = house.authority(ISSUING, issuing_der)
    for label in (TSA, OCSP):
        if house.current(label) is None:
            _certify(issuing, label, organization, house.key(label))
    return _load(house)


def load(
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    *,
    clock: Clock,
    urls: AuthorityUrls,
    crl_shards: int = CRL_SHARDS,
    lint_rate: float = SAMPLE_RATE,
) -> EstablishedAuthority:
    """Finds an established authority again; raises :class:`NotEstablishedError`. `crl_shards` must be what it was established with."""
    return _load(_House(keys, store, profiles, clock, urls, crl_shards, lint_rate))


def _load(house: _House) -> EstablishedAuthority:
    found: dict[str, bytes] = {}
    for label in (ROOT, ISSUING, TSA, OCSP):
        certificate_der = house.current(label)
        if certificate_der is None:
            raise NotEstablishedError(f"authority: no issued certificate for {label}; establish it first")
        found[label] = certificate_der
    try:
        return EstablishedAuthority(
            root=house.authority(ROOT, found[ROOT]),
            issuing=house.authority(ISSUING, found[ISSUING]),
            tsa=house.service(TSA, found[TSA]),
            ocsp=house.service(OCSP, found[OCSP]),
        )
    except KeyNotFoundError as exc:
        raise NotEstablishedError(f"authority: a certificate stands without its key ({exc})") from exc


def _certify(authority: Authority, label: str, organization: Organization, key: SigningKey) -> bytes:
    request = CertificateRequest(profile=label, subject=organization.subject(label), public_key=key.public_key(), holder=holder_of(label))
    return authority.certify(request).certificate_der


def _self_sign(house: _House, organization: Organization) -> bytes:
    """The root's own certificate, by the same three moves: it is its own issuer."""
    key, profile, now = house.key(ROOT), house.profiles[ROOT], house.clock()
    subject, start = organization.subject(ROOT), now.replace(microsecond=0)
    issuer = Issuer(
        name=ROOT,
        subject=subject.x509_name(),
        public_key=key.public_key(),
        key_identifier=key_identifier(key.public_key()),
        not_before=start,
        not_after=start + profile.validity,
    )
    press = Press(issuer, key, house.urls, crl_shards=1, lint_rate=house.lint_rate)
    request = CertificateRequest(profile=ROOT, subject=subject, public_key=key.public_key(), holder=holder_of(ROOT))
    prepared = press.prepare(profile, request, now=now)
    record(house.store, prepared, at=now)
    return issue(house.store, press, prepared, at=now).certificate_der
