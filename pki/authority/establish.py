"""Sets up an authority: root, issuing authority, time-stamping authority and OCSP responder; `load` finds them again later.

`establish` may be called again after a crash: it goes on where it stopped, with the keys and certificates that already stand.
"""

from __future__ import annotations

from collections.abc import Mapping

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
from pki.authority.house import House, ImportedLists
from pki.authority.opening import CRL_SHARDS, found_again, issuing_authorities, load
from pki.authority.self_sign import self_sign
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.profile import CertificateProfile
from pki.issuing.urls import AuthorityUrls
from pki.ports import CertificateStore, Clock, KeyStore
from pki.structures.algorithms import SigningKey

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

CURVES = {ROOT: "P-384", ISSUING: "P-256", TSA: "P-256", OCSP: "P-256"}


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
    house = House(keys, store, profiles, clock, urls, crl_shards, lint_rate)
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
    return found_again(house, {})


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
    house = House(keys, store, profiles, clock, urls, crl_shards, lint_rate)
    for label in (TSA, OCSP):
        if label not in keys.labels():
            keys.generate(label, curve=CURVES[label])
    for name, certificate_der in house.authorities(ISSUING):
        _serve(house, house.authority(name, certificate_der), organization)
    return found_again(house, lists)


def _serve(house: House, issuing: Authority, organization: Organization) -> None:
    """Certificates of the services under one issuing authority, where they are missing."""
    for label in (TSA, OCSP):
        if house.current(label, issuer=issuing.name) is None:
            _certify(issuing, label, organization, house.serving_key(label))


def _certify(authority: Authority, label: str, organization: Organization, key: SigningKey) -> bytes:
    request = CertificateRequest(profile=label, subject=organization.subject(label), public_key=key.public_key(), holder=holder_of(label))
    return authority.certify(request).certificate_der


def _self_sign(house: House, organization: Organization) -> bytes:
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
