"""What an authority has at hand, asked by generation: the certificates in its books, the keys in its store, and the two together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography import x509

from pki.authority.established import CROSS, ISSUING, AnyAuthority, NotEstablishedError, Service, holder_of
from pki.authority.offline import OfflineAuthority
from pki.authority.service_keys import service_key
from pki.errors import KeyNotFoundError
from pki.issuing.generations import generation, names_of, series_of
from pki.issuing.issue import Authority
from pki.issuing.profile import CertificateProfile
from pki.issuing.urls import AuthorityUrls
from pki.keys.weak_keys import KeyCheck, refuse_weak_key
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock, KeyStore
from pki.structures.algorithms import SigningKey
from pki.structures.relations import spki_der

ImportedLists = Mapping[str, Callable[[], bytes]]
"""By the name of an authority whose key is elsewhere: what reads the newest of its lists that was brought here."""


@dataclass(frozen=True)
class House:
    """`crl_shards` are of the issuing authority; a root has one."""

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
