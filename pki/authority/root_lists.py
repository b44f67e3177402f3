"""Revocation lists of roots, made where their keys are."""

from __future__ import annotations

from datetime import timedelta

from pki.authority.establish import CROSS, ROOT, holder_of
from pki.issuing.generations import SharedNameBooks, names_of
from pki.ports import CertificateState, CertificateStore, Clock, KeyStore
from pki.status.crl import CrlSigner


def certificate_in_force(store: CertificateStore, label: str, *, cross_by: str | None = None) -> bytes | None:
    """The newest certificate of a key; `cross_by` names the root that gave it, where it is one between roots."""
    entries = [entry for entry in store.of_holder(holder_of(label)) if entry.state is CertificateState.ISSUED]
    if cross_by is None:
        chosen = [entry for entry in entries if entry.profile != CROSS]
    else:
        chosen = [entry for entry in entries if entry.profile == CROSS and entry.issuer == cross_by]
    return chosen[-1].certificate_der if chosen else None


def root_lists(keys: KeyStore, store: CertificateStore, *, clock: Clock, base_url: str, validity: timedelta) -> dict[str, bytes]:
    """A new list (DER) of every root whose key is here: each tells what any of them revoked, for they share a name."""
    here = keys.labels()
    roots = {name: der for name in names_of(ROOT) if name in here and (der := certificate_in_force(store, name)) is not None}
    made: dict[str, bytes] = {}
    for name, der in roots.items():
        signer = CrlSigner(
            issuer=name,
            issuer_certificate_der=der,
            key=keys.open(name),
            store=SharedNameBooks(store, roots),
            clock=clock,
            shards=1,
            base_url=base_url,
            validity=validity,
        )
        made[name] = signer.crl(0)
    return made
