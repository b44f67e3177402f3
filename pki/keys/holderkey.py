"""People's private keys, wrapped twice: inside under the holder's PIN, outside under the key store's key-encryption key.

Neither the server's keys without the PIN, nor the PIN without the server's keys, opens a key. A key starts under a one-time activation
code, which opens it for nothing but choosing a PIN (:func:`rewrap`).

    wrapped = wrap_holder_key(pkcs8, code, keys=keys, holder="teacher/17", kdf=kdf)
    wrapped = rewrap(wrapped, code, pin, keys=keys, holder="teacher/17", kdf=kdf)
    with open_holder_key(wrapped, pin, keys=keys, holder="teacher/17", kdf=kdf) as key:
        key.sign(data)

A wrapped key is "EDUSEAL-HOLDER-1", one octet for the kind of secret (P or A), and the key store's wrapping of: Argon2id time cost
(1 octet), memory in KiB (4), lanes (1), salt (16), and the sealed PKCS#8. Both layers are bound to kind and holder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.kdf import KdfParameters, KeyDerivation, new_salt
from pki.keys.keystore import load_pkcs8
from pki.keys.pin import ActivationCode, Pin
from pki.keys.wrap import Sealer, wipe
from pki.ports import KeyStore
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, SigningKey

MAGIC = b"EDUSEAL-HOLDER-1"
MAX_WRAPPED = 64 * 1024  # octets

Secret = Pin | ActivationCode

_INNER = struct.Struct(">BIB16s")
_KINDS: dict[type[Secret], bytes] = {Pin: b"P", ActivationCode: b"A"}
# one text for every failure: it tells neither the layer nor which of secret and octets is wrong
_REFUSED = "the PIN or activation code does not open this key"


class KeyClosedError(KeyStoreError):
    """A person's key was used after its holder's session with it ended."""


class BorrowedKey:
    """A :class:`pki.structures.algorithms.SigningKey` that works until it is let go."""

    def __init__(self, key: SigningKey) -> None:
        self._key: SigningKey | None = key

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._held().algorithm

    def public_key(self) -> PublicKey:
        return self._held().public_key()

    def sign(self, data: bytes) -> bytes:
        return self._held().sign(data)

    def let_go(self) -> None:
        """Drops the only reference; OpenSSL overwrites the key's memory when it frees it."""
        self._key = None

    def _held(self) -> SigningKey:
        if self._key is None:
            raise KeyClosedError("the key was closed; enter the PIN again")
        return self._key


def wrap_holder_key(private_key_pkcs8: bytes | bytearray, secret: Secret, *, keys: KeyStore, holder: str, kdf: KeyDerivation) -> bytes:
    """Wraps an unencrypted DER PKCS#8 key for `holder`, an opaque roster id, at the cost of `kdf.parameters`.

    Raises :class:`pki.errors.KeyStoreError` where the octets are no EC or RSA key. The caller wipes its own copy.
    """
    load_pkcs8(private_key_pkcs8)
    return close_holder_key(seal_holder_key(private_key_pkcs8, secret, holder=holder, kdf=kdf), keys=keys, holder=holder)


@dataclass(frozen=True)
class SealedHolderKey:
    """The inner layer alone: what may leave the process that made the key, on its way to the key store."""

    kind: bytes
    inner: bytes


def seal_holder_key(private_key_pkcs8: bytes | bytearray, secret: Secret, *, holder: str, kdf: KeyDerivation) -> SealedHolderKey:
    """The first half of :func:`wrap_holder_key`, for a key that was made here and now: no key store is needed."""
    kind, salt, cost = _KINDS[type(secret)], new_salt(), kdf.parameters
    sealed = Sealer(kdf.derive(secret.text, salt=salt)).seal(private_key_pkcs8, context=_context(kind, holder))
    return SealedHolderKey(kind, _INNER.pack(cost.time_cost, cost.memory_kib, cost.lanes, salt) + sealed)


def close_holder_key(sealed: SealedHolderKey, *, keys: KeyStore, holder: str) -> bytes:
    """The second half: under the key-encryption key. Nothing may be stored before."""
    return MAGIC + sealed.kind + keys.wrap(sealed.inner, context=_context(sealed.kind, holder))


@contextmanager
def open_holder_key(wrapped: bytes, pin: Pin, *, keys: KeyStore, holder: str, kdf: KeyDerivation) -> Iterator[BorrowedKey]:
    """The holder's key for the length of the `with` block.

    Raises :class:`pki.errors.WrongSecretError` where the PIN, the holder or the octets are wrong, or the key is still under its activation
    code. Not limited here: the number of attempts.
    """
    pkcs8 = _unwrap(wrapped, pin, keys=keys, holder=holder, kdf=kdf)
    try:
        borrowed = BorrowedKey(load_pkcs8(pkcs8))
    finally:
        wipe(pkcs8)
    try:
        yield borrowed
    finally:
        borrowed.let_go()


def rewrap(wrapped: bytes, old: Secret, new: Pin, *, keys: KeyStore, holder: str, kdf: KeyDerivation) -> bytes:
    """The same key under a new PIN: activation, and change of PIN. Raises as :func:`open_holder_key`.

    The caller replaces the stored octets; from then on `old` opens nothing.
    """
    pkcs8 = _unwrap(wrapped, old, keys=keys, holder=holder, kdf=kdf)
    try:
        return wrap_holder_key(pkcs8, new, keys=keys, holder=holder, kdf=kdf)
    finally:
        wipe(pkcs8)


def is_activated(wrapped: bytes) -> bool:
    """Whether a wrapped key is under a PIN; raises :class:`pki.errors.KeyStoreError` where it is no wrapped key."""
    return _parse(wrapped).kind == _KINDS[Pin]


@dataclass(frozen=True)
class _Wrapped:
    kind: bytes
    outer: bytes


def _parse(wrapped: bytes) -> _Wrapped:
    kind, outer = wrapped[len(MAGIC) : len(MAGIC) + 1], wrapped[len(MAGIC) + 1 :]
    if not wrapped.startswith(MAGIC) or kind not in _KINDS.values() or len(wrapped) > MAX_WRAPPED:
        raise KeyStoreError(f"wrapped key: {len(wrapped)} octets that are not of the form {MAGIC.decode()}")
    return _Wrapped(kind, outer)


def _unwrap(wrapped: bytes, secret: Secret, *, keys: KeyStore, holder: str, kdf: KeyDerivation) -> bytearray:
    parsed = _parse(wrapped)
    if _KINDS[type(secret)] != parsed.kind:
        raise WrongSecretError(_REFUSED)
    context = _context(parsed.kind, holder)
    try:
        inner = keys.unwrap(parsed.outer, context=context)
        time_cost, memory_kib, lanes, salt = _INNER.unpack_from(inner)
        parameters = KdfParameters(time_cost=time_cost, memory_kib=memory_kib, lanes=lanes)
        return Sealer(kdf.derive(secret.text, salt=salt, parameters=parameters)).open(inner[_INNER.size :], context=context)
    except (WrongSecretError, struct.error):
        raise WrongSecretError(_REFUSED) from None


def _context(kind: bytes, holder: str) -> bytes:
    return MAGIC + kind + holder.encode("utf-8")
