"""An established authority found again: every generation of it, with its keys or with the lists that were brought here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pki.authority.established import CROSS, ISSUING, OCSP, ROOT, TSA, EarlierIssuer, EstablishedAuthority, NotEstablishedError, holder_of
from pki.authority.house import House, ImportedLists
from pki.errors import KeyNotFoundError
from pki.issuing.issue import Authority
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.profile import CertificateProfile
from pki.issuing.urls import AuthorityUrls
from pki.keys.weak_keys import KeyCheck, refuse_weak_key
from pki.ports import CertificateState, CertificateStore, Clock, KeyStore

CRL_SHARDS = 8  # of the issuing authority; the root has one


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
    return found_again(House(keys, store, profiles, clock, urls, crl_shards, lint_rate, key_check), lists or {})


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
    house = House(keys, store, profiles, clock, urls, crl_shards, SAMPLE_RATE)
    try:
        return tuple(house.authority(name, der) for name, der in house.authorities(ISSUING))
    except KeyNotFoundError as exc:
        raise NotEstablishedError(f"authority: a certificate stands without its key ({exc})") from exc


def found_again(house: House, lists: ImportedLists) -> EstablishedAuthority:
    """As :func:`load`, of a house at hand."""
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


def _service_der(house: House, label: str, issuing: Authority) -> bytes:
    found = house.current(label, issuer=issuing.name)
    if found is None:
        raise NotEstablishedError(
            f"authority: no certificate of {label} under {issuing.name} is in force; `eduseal certificates rekey-service {label}` makes one"
        )
    return found


def _crosses(house: House, roots: list[str]) -> Iterator[bytes]:
    for name in roots:
        for entry in house.store.of_holder(holder_of(name)):
            if entry.profile == CROSS and entry.state is CertificateState.ISSUED and entry.certificate_der is not None:
                yield entry.certificate_der
