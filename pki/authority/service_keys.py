"""The keys of a service of the house in the key store: `tsa` at first, then `tsa-2`, `tsa-3` where another took its place.

Which one is in use is said by the service's newest certificate; the label says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pki.errors import KeyNotFoundError, KeyStoreError
from pki.issuing.generations import names_of
from pki.issuing.tbs import public_key_sha256
from pki.ports import KeyStore
from pki.structures.algorithms import SigningKey


def service_key(label: str, certified: bytes, keys: KeyStore) -> SigningKey:
    """The key whose SubjectPublicKeyInfo has the SHA-256 `certified`; raises :class:`pki.errors.KeyNotFoundError`."""
    for name in _kept(label, keys):
        key = keys.open(name)
        if public_key_sha256(key.public_key()) == certified:
            return key
    raise KeyNotFoundError(f"the key {label} is not the one that its certificate names; restore the key store")


def uncertified_key(label: str, certified: Collection[bytes], keys: KeyStore, *, curve: str) -> SigningKey:
    """A key that no certificate was ever issued over: what a crash left, else a new one. `certified`: SHA-256 of keys that have one."""
    for name in _kept(label, keys):
        key = keys.open(name)
        if public_key_sha256(key.public_key()) not in certified:
            return key
    taken = frozenset(keys.labels())
    for name in names_of(label):
        if name not in taken:
            return keys.generate(name, curve=curve)
    raise KeyStoreError(f"the key store holds every key that {label} may have; remove those of certificates that ended long ago")


def _kept(label: str, keys: KeyStore) -> Iterator[str]:
    """Newest first."""
    taken = frozenset(keys.labels())
    yield from reversed([name for name in names_of(label) if name in taken])
