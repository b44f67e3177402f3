"""What the authority asks of the outside: clock, keys, stores. Implemented elsewhere (`pki.keystore`, `db`), passed in as arguments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from pki.algorithms import SigningKey

Clock = Callable[[], datetime]
"""Returns the present as an aware UTC datetime."""


class TimeStamper(Protocol):
    """A source of RFC 3161 time stamps: our own TSA in process, or a remote one."""

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        """A DER TimeStampToken (a CMS ContentInfo) over `digest`, an imprint made with hashlib's `algorithm`."""
        ...

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The TSA's certificate and its issuers below the root, DER, leaf first: whose revocation data a B-LT file needs."""
        ...


class KeyStore(Protocol):
    """Where CA, OCSP, TSA and seal keys live: a file (`file:`) or an HSM (`pkcs11:`). People's keys are wrapped under its KEK."""

    def generate(self, label: str, *, curve: str = "P-256") -> SigningKey:
        """Makes and keeps a key; raises :class:`pki.errors.KeyStoreError` where the label is taken."""
        ...

    def open(self, label: str) -> SigningKey:
        """Raises :class:`pki.errors.KeyNotFoundError`."""
        ...

    def labels(self) -> tuple[str, ...]: ...

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        """Encrypts `secret` under the key-encryption key, bound to `context` (authenticated, not stored)."""
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Raises :class:`pki.errors.WrongSecretError` where `wrapped` or `context` was altered."""
        ...
