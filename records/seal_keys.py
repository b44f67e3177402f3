"""A seal's keys in the key store: one label each, `seal-sm-0c2f81d4`, then `…-2`, `…-3` where another was asked for or had to be made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from pki.errors import KeyStoreError
from pki.issuing.tbs import public_key_sha256
from pki.ports import CertificateEntry, CertificateStore, KeyStore
from pki.structures.algorithms import SigningKey
from records.errors import NotFoundError


def key_to_certify(label: str, *, holder: str, keys: KeyStore, certificates: CertificateStore) -> SigningKey:
    """The newest key, made where there is none or the newest was blocked; also where several ask at once."""
    last: SigningKey | None = None
    for name, key in _kept(label, keys):
        if key is None:
            return last if last is not None and _is_fit(last, holder, certificates) else _made(name, keys)
        last = key
    raise AssertionError("unreachable: labels have no end")


def uncertified_key(label: str, *, holder: str, keys: KeyStore, certificates: CertificateStore) -> SigningKey:
    """A key that the holder never had a certificate over: what a crash left, else a new one; also where several ask at once."""
    certified = {entry.public_key_sha256 for entry in certificates.of_holder(holder)}
    for name, key in _kept(label, keys):
        if key is None:
            return _made(name, keys)
        if public_key_sha256(key.public_key()) not in certified and _is_fit(key, holder, certificates):
            return key
    raise AssertionError("unreachable: labels have no end")


def key_of(entry: CertificateEntry, label: str, *, keys: KeyStore) -> SigningKey:
    """The key that a seal's certificate names; raises :class:`records.errors.NotFoundError`."""
    for _, key in _kept(label, keys):
        if key is None:
            break
        if public_key_sha256(key.public_key()) == entry.public_key_sha256:
            return key
    raise NotFoundError(f"the key store has no key of certificate {entry.serial:x} under {label}; restore the key store")


def _kept(label: str, keys: KeyStore) -> Iterator[tuple[str, SigningKey | None]]:
    """Every label with its key, oldest first, and at last the next free one with None."""
    labels = frozenset(keys.labels())
    for number in count(1):
        name = label if number == 1 else f"{label}-{number}"
        yield name, keys.open(name) if name in labels else None


def _made(label: str, keys: KeyStore) -> SigningKey:
    try:
        return keys.generate(label)
    except KeyStoreError:
        if label not in keys.labels():
            raise
        return keys.open(label)  # somebody else made it, since the look


def _is_fit(key: SigningKey, holder: str, certificates: CertificateStore) -> bool:
    return not certificates.refused_keys({public_key_sha256(key.public_key()): holder})
