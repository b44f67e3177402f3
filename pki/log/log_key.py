"""The log's own key: Ed25519, kept in a file under the key store's key-encryption key (docs/adr says why not in the HSM)."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.durable import FileTakenError, read_private, write_new
from pki.errors import KeyStoreError, WrongSecretError
from pki.log.note import NoteSigner
from pki.ports import KeyStore

MAX_FILE = 4096  # octets; a wrapped key has about 60

_MAGIC = b"EDUSEAL-LOG-KEY-1\n"


def log_signer(path: Path, origin: str, keys: KeyStore) -> NoteSigner:
    """The signer of the log `origin`; its key is made where there is none. Raises :class:`pki.errors.KeyStoreError`."""
    try:
        content = read_private(path, MAX_FILE)
    except FileNotFoundError:
        return _new(path, origin, keys)
    try:
        raw = keys.unwrap(content.removeprefix(_MAGIC), context=_context(origin))
        if content.startswith(_MAGIC):
            return NoteSigner(origin, Ed25519PrivateKey.from_private_bytes(raw))
    except (WrongSecretError, ValueError):
        pass
    raise KeyStoreError(f"{path} is not the key of the log {origin} under this key store; restore it from a backup")


def _new(path: Path, origin: str, keys: KeyStore) -> NoteSigner:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    try:
        write_new(path, _MAGIC + keys.wrap(raw, context=_context(origin)))
    except FileTakenError:
        return log_signer(path, origin, keys)  # another process made it meanwhile
    return NoteSigner(origin, private)


def _context(origin: str) -> bytes:
    return b"eduseal log key\n" + origin.encode()
