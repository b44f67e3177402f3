"""Authenticated encryption of small secrets: AES-256-GCM with a random nonce and a bound context (NIST SP 800-38D).

A sealed secret is one version octet, 12 octets nonce, ciphertext, 16 octets tag. The context is authenticated and not stored: whoever opens
must know what the secret is for, so a sealed key cannot be passed off as another's.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pki.errors import WrongSecretError

KEY_OCTETS = 32
MAX_SECRET = 1024 * 1024  # octets; keys and openings are far below
OVERHEAD = 1 + 12 + 16  # octets that sealing adds

_VERSION = b"\x01"
_NONCE_OCTETS = 12
_TAG_OCTETS = 16


class Sealer:
    """Seals and opens under one 256-bit key. Random nonces allow 2^32 secrets for each key (SP 800-38D section 8.3)."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_OCTETS:
            raise ValueError(f"sealing key of {len(key)} octets, expected {KEY_OCTETS}")
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes | bytearray, *, context: bytes) -> bytes:
        if len(secret) > MAX_SECRET:
            raise ValueError(f"secret of {len(secret)} octets, at most {MAX_SECRET} are sealed")
        nonce = os.urandom(_NONCE_OCTETS)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _VERSION + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytearray:
        """The secret, in octets that the caller can overwrite when done (:func:`wipe`).

        Raises :class:`pki.errors.WrongSecretError` where key, context or octets are not those of sealing.
        """
        if sealed[:1] != _VERSION or not OVERHEAD <= len(sealed) <= OVERHEAD + MAX_SECRET:
            raise WrongSecretError(f"sealed secret: {len(sealed)} octets that this version did not seal")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        secret = bytearray(len(ciphertext) - _TAG_OCTETS)
        try:
            self._cipher.decrypt_into(nonce, ciphertext, _VERSION + context, secret)
        except InvalidTag:
            raise WrongSecretError("sealed secret: the key or context is another, or the octets were altered") from None
        return secret


def subkey(key: bytes | bytearray, purpose: str) -> bytes:
    """A key for one purpose, derived from another (HKDF-SHA-256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=purpose.encode()).derive(key)


def wipe(secret: bytearray) -> None:
    """Overwrites a secret with zeros. Copies that Python or a library made are beyond reach."""
    secret[:] = bytes(len(secret))
