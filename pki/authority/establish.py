"""Sets up an authority: root, issuing authority, time-stamping authority and OCSP responder, and finds them again later.

`establish` may be called again after a crash: it goes on where it stopped, with the keys and certificates that already stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509

from pki.authority.established import (
    CROSS,
    ISSUING,
    OCSP,
    REPORT,
    ROOT,
    TITLES,
    TSA,
    AnyAuthority,
    EarlierIssuer,
    EstablishedAuthority,
    NotEstablishedError,
    Organization,
    Service,
    holder_of,
)
from pki.authority.offline import OfflineAuthority
from pki.authority.self_sign import self_sign
from pki.authority.service_keys import service_key
from pki.errors import KeyNotFoundError
from pki.issuing.generations import generation, names_of, series_of
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.profile import CertificateProfile
from pki.issuing.urls import AuthorityUrls
from pki.keys.weak_keys import KeyCheck, refuse_weak_key
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock, KeyStore
from pki.structures.algorithms import SigningKey
from pki.structures.relations import spki_der

__all__ = [
    "CRL_SHARDS",
    "CROSS",
    "CURVES",
    "ISSUING",
    "OCSP",
    "REPORT",
    "ROOT",
    "TITLES",
    "TSA",
    "AnyAuthority",
    "EarlierIssuer",
    "EstablishedAuthority",
    "ImportedLists",
    "NotEstablishedError",
    "Organization",
    "Service",
    "complete",
    "establish",
    "holder_of",
    "issuing_authorities",
    "load",
]

ImportedLists = Mapping[str, Callable[[], bytes]]
"""By the name of an authority whose key is elsewhere: what reads the newest of its lists that was brought here."""

CURVES = {ROOT: "P-384", ISSUING: "P-256", TSA: "P-256", OCSP: "P-256"}
CRL_SHARDS = 8  # of the issuing authority; the root has one


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
    key_check: KeyCheck = refuse_weak_key

    def current(self, label: str, *, issuer: str | None = None) -> bytes | None:
        """The newest issued certificate of a service or authority; `issuer` names whose it must be."""
        entries = [e for e in self.store.of_holder(holder_of(label)) if e.state is CertificateState.ISSUED and e.profile != CROSS]
        chosen = [e for e in entries if issuer is None or e.issuer == issuer]
        return chosen[-1].certificate_der if chosen else None

    def generations(self, series: str) -> list[CertificateEntry]:
        """The certificate of each generation, oldest first; a revoked one too, whose lists are still asked for."""
        found: list[CertificateEntry] = []
        for name in names_of(series):
            certified = [e for e in self.store.of_holder(holder_of(name)) if e.certificate_der is not None and e.profile != CROSS]
            if not certified:
                break
            found.append(certified[-1])
        return found

    def authorities(self, series: str) -> list[tuple[str, bytes]]:
        """(name, certificate) of each generation, newest first; raises :class:`NotEstablishedError` where the newest is not in force."""
        found = self.generations(series)
        if not found:
            raise NotEstablishedError(f"authority: no issued certificate for {series}; establish it first")
        if found[-1].state is not CertificateState.ISSUED:
            raise NotEstablishedError(f"authority: the newest certificate of {series} is {found[-1].state}; a rollover is due")
        return [(generation(series, number), entry.certificate_der or b"") for number, entry in reversed([*enumerate(found, start=1)])]

    def key(self, label: str) -> SigningKey:
        return self.keys.open(label)

    def service(self, label: str, certificate_der: bytes) -> Service:
        """Raises :class:`NotEstablishedError` where the key that the certificate names is not here."""
        certified = hashlib.sha256(spki_der(x509.load_der_x509_certificate(certificate_der))).digest()
        try:
            return Service(label, certificate_der, service_key(label, certified, self.keys))
        except KeyNotFoundError as exc:
            raise NotEstablishedError(f"authority: {exc}") from exc

    def serving_key(self, label: str) -> SigningKey:
        """The key that a service uses now; its first one where it has none in use."""
        der = self.current(label)
        return self.key(label) if der is None else self.service(label, der).key

    def authority(self, label: str, certificate_der: bytes) -> Authority:
        return Authority(
            name=label,
            certificate_der=certificate_der,
            key=self.key(label),
            profiles=self.profiles,
            store=self.store,
            clock=self.clock,
            urls=self.urls,
            crl_shards=self.crl_shards if series_of(label) == ISSUING else 1,
            lint_rate=self.lint_rate,
            key_check=self.key_check,
        )

    def any_authority(self, label: str, certificate_der: bytes, lists: ImportedLists) -> AnyAuthority:
        """With its key where that is here, else with the list that was brought; raises KeyNotFoundError where neither is."""
        if label in lists and label not in self.keys.labels():
            return OfflineAuthority(label, certificate_der, lists[label])
        return self.authority(label, certificate_der)


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
    _serve(house, house.authority(ISSUING, issuing_der), organization)
    return _load(house, {})


def complete(
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    *,
    clock: Clock,
    urls: AuthorityUrls,
    organization: Organization,
    lists: ImportedLists,
    crl_shards: int = CRL_SHARDS,
    lint_rate: float = SAMPLE_RATE,
) -> EstablishedAuthority:
    """After the issuing authority's certificate has been brought here: makes keys and certificates of the services under it."""
    house = _House(keys, store, profiles, clock, urls, crl_shards, lint_rate)
    for label in (TSA, OCSP):
        if label not in keys.labels():
            keys.generate(label, curve=CURVES[label])
    for name, certificate_der in house.authorities(ISSUING):
        _serve(house, house.authority(name, certificate_der), organization)
    return _load(house, lists)


def _serve(house: _House, issuing: Authority, organization: Organization) -> None:
    """Certificates of the services under one issuing authority, where they are missing."""
    for label in (TSA, OCSP):
        if house.current(label, issuer=issuing.name) is None:
            _certify(issuing, label, organization, house.serving_key(label))


def load(
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    *,
    clock: Clock,
    urls: AuthorityUrls,
    crl_shards: int = CRL_SHARDS,
    lint_rate: float = SAMPLE_RATE,
    key_check: KeyCheck = refuse_weak_key,
    lists: ImportedLists | None = None,
) -> EstablishedAuthority:
    """Finds an established authority again; raises :class:`NotEstablishedError`. `crl_shards` must be what it was established with.

    `lists` are of roots whose keys are elsewhere; a root that has neither key nor list is refused.
    """
    return _load(_House(keys, store, profiles, clock, urls, crl_shards, lint_rate, key_check), lists or {})


def issuing_authorities(
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    *,
    clock: Clock,
    urls: AuthorityUrls,
    crl_shards: int = CRL_SHARDS,
) -> tuple[Authority, ...]:
    """Newest first, of an authority whose services may lack certificates in force; raises :class:`NotEstablishedError`."""
    house = _House(keys, store, profiles, clock, urls, crl_shards, SAMPLE_RATE)
    try:
        return tuple(house.authority(name, der) for name, der in house.authorities(ISSUING))
    except KeyNotFoundError as exc:
        raise NotEstablishedError(f"authority: a certificate stands without its key ({exc})") from exc


def _load(house: _House, lists: ImportedLists) -> EstablishedAuthority:
    try:
        roots = [house.any_authority(name, der, lists) for name, der in house.authorities(ROOT)]
        issuers = [house.authority(name, der) for name, der in house.authorities(ISSUING)]
        issuing, *earlier = issuers
        return EstablishedAuthority(
            root=roots[0],
            issuing=issuing,
            tsa=house.service(TSA, _service_der(house, TSA, issuing)),
            ocsp=house.service(OCSP, _service_der(house, OCSP, issuing)),
            earlier_roots=tuple(roots[1:]),
            earlier_issuers=tuple(EarlierIssuer(each, house.service(OCSP, _service_der(house, OCSP, each))) for each in earlier),
            crosses=tuple(_crosses(house, [root.name for root in roots])),
        )
    except KeyNotFoundError as exc:
        raise NotEstablishedError(f"authority: a certificate stands without its key ({exc})") from exc


def _service_der(house: _House, label: str, issuing: Authority) -> bytes:
    found = house.current(label, issuer=issuing.name)
    if found is None:
        raise NotEstablishedError(
            f"authority: no certificate of {label} under {issuing.name} is in force; `eduseal certificates rekey-service {label}` makes one"
        )
    return found


def _crosses(house: _House, roots: list[str]) -> Iterator[bytes]:
    for name in roots:
        for entry in house.store.of_holder(holder_of(name)):
            if entry.profile == CROSS and entry.state is CertificateState.ISSUED and entry.certificate_der is not None:
                yield entry.certificate_der


def _certify(authority: Authority, label: str, organization: Organization, key: SigningKey) -> bytes:
    request = CertificateRequest(profile=label, subject=organization.subject(label), public_key=key.public_key(), holder=holder_of(label))
    return authority.certify(request).certificate_der


def _self_sign(house: _House, organization: Organization) -> bytes:
    return self_sign(
        ROOT,
        holder=holder_of(ROOT),
        subject=organization.subject(ROOT),
        profile=house.profiles[ROOT],
        key=house.key(ROOT),
        store=house.store,
        urls=house.urls,
        now=house.clock(),
        lint_rate=house.lint_rate,
    )
