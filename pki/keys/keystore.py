"""The file key store: keys of the authority and of seals, encrypted under a passphrase. `pki.keys.pkcs11.store` is its like in an HSM.

    keys = FileKeyStore.open_or_create(home / "keys", passphrase=passphrase)
    key = keys.generate("issuing")

A folder of mode 0700 with files of mode 0600:

    store.json    Argon2id parameters and salt, and the key-encryption key sealed under what they derive from the passphrase
    LABEL.key     "EDUSEAL-KEY-1" and a PKCS#8 private key sealed under a key derived from the key-encryption key, bound to the label
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from pki.durable import FileTakenError, read_private, replace, write_new
from pki.errors import KeyNotFoundError, KeyStoreError, WrongSecretError
from pki.keys.kdf import SALT_OCTETS, KdfParameters, KeyDerivation, new_salt
from pki.keys.passphrase import VARIABLE, check_passphrase
from pki.keys.softkey import SoftwareKey
from pki.keys.wrap import KEY_OCTETS, Sealer, subkey, wipe

FORMAT = "eduseal-keystore/1"
STORE_FILE = "store.json"
KEY_MAGIC = b"EDUSEAL-KEY-1\n"
MAX_FILE = 64 * 1024  # octets; the longest key file, RSA-8192, is under 5 kB

_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_KEK_CONTEXT = FORMAT.encode() + b" key-encryption key"


class FileKeyStore:
    """Implements :class:`pki.ports.KeyStore`. Derived keys live in this object alone."""

    def __init__(self, folder: Path, kek: bytes | bytearray, kdf: KeyDerivation) -> None:
        """Use :meth:`create`, :meth:`open_existing` or :meth:`open_or_create`."""
        self._folder = folder
        self._kdf = kdf
        self._keys = Sealer(subkey(kek, f"{FORMAT} private keys"))
        self._secrets = Sealer(subkey(kek, f"{FORMAT} wrapped secrets"))

    @classmethod
    def create(cls, folder: Path, *, passphrase: str, kdf: KeyDerivation | None = None) -> FileKeyStore:
        """A new store in `folder`; raises :class:`pki.errors.KeyStoreError` where one stands, or the passphrase is too short."""
        kdf = kdf or KeyDerivation()
        check_passphrase(passphrase)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise KeyStoreError(f"key store {folder} cannot be made: {exc.strerror or type(exc).__name__}") from exc
        kek = bytearray(os.urandom(KEY_OCTETS))
        write_new(folder / STORE_FILE, _sealed_kek(kek, passphrase, kdf))
        return _opened(cls, folder, kek, kdf)

    @classmethod
    def open_existing(cls, folder: Path, *, passphrase: str, kdf: KeyDerivation | None = None) -> FileKeyStore:
        """Raises :class:`pki.errors.WrongSecretError`, or KeyStoreError where there is no store or it cannot be read."""
        kdf = kdf or KeyDerivation()
        return _opened(cls, folder, _kek(folder, passphrase, kdf), kdf)

    @classmethod
    def open_or_create(cls, folder: Path, *, passphrase: str, kdf: KeyDerivation | None = None) -> FileKeyStore:
        if not (folder / STORE_FILE).exists():
            try:
                return cls.create(folder, passphrase=passphrase, kdf=kdf)
            except FileTakenError:
                pass  # another process made it meanwhile
        return cls.open_existing(folder, passphrase=passphrase, kdf=kdf)

    def change_passphrase(self, old: str, new: str) -> None:
        """Seals the key-encryption key anew; keys and wrapped secrets stay as they are. Raises as opening does."""
        check_passphrase(new)
        kek = _kek(self._folder, old, self._kdf)
        replace(self._folder / STORE_FILE, _sealed_kek(kek, new, self._kdf))
        wipe(kek)

    def generate(self, label: str, *, curve: str = "P-256") -> SoftwareKey:
        """Raises :class:`pki.errors.KeyStoreError` where the label is taken, is no label, or the file cannot be written."""
        path = self._path(label)
        key = SoftwareKey.generate(curve)
        pkcs8 = bytearray(key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        try:
            write_new(path, KEY_MAGIC + self._keys.seal(pkcs8, context=label.encode()))
        except FileTakenError:
            raise KeyStoreError(f"key store {self._folder}: a key {label!r} stands already; it was not touched") from None
        finally:
            wipe(pkcs8)
        return key

    def open(self, label: str) -> SoftwareKey:
        """Raises :class:`pki.errors.KeyNotFoundError`, or KeyStoreError where the file was altered."""
        path = self._path(label)
        try:
            content = read_private(path, MAX_FILE)
        except FileNotFoundError:
            raise KeyNotFoundError(f"key store {self._folder} holds no key {label!r}") from None
        if not content.startswith(KEY_MAGIC):
            raise KeyStoreError(f"{path} is not a key file of this store; restore it from a backup")
        try:
            pkcs8 = self._keys.open(content[len(KEY_MAGIC) :], context=label.encode())
        except WrongSecretError:
            raise KeyStoreError(f"{path} was altered, or belongs to another key store; restore it from a backup") from None
        try:
            return load_pkcs8(pkcs8)
        finally:
            wipe(pkcs8)

    def labels(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.key") if is_label(path.stem)))

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        return self._secrets.seal(secret, context=context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        return bytes(self._secrets.open(wrapped, context=context))

    def _path(self, label: str) -> Path:
        require_label(label)
        return self._folder / f"{label}.key"


def is_label(text: str) -> bool:
    return _LABEL.fullmatch(text) is not None


def require_label(label: str) -> None:
    """Raises :class:`pki.errors.KeyStoreError`."""
    if not is_label(label):
        raise KeyStoreError(f"key label {label!r}: expected 1 to 100 lower-case letters, digits, dots, hyphens, underscores")


def load_pkcs8(pkcs8: bytes | bytearray) -> SoftwareKey:
    """A key from unencrypted DER PKCS#8; raises :class:`pki.errors.KeyStoreError` where it holds no EC or RSA key."""
    try:
        key = load_der_private_key(pkcs8, None)
    except (ValueError, TypeError) as exc:
        raise KeyStoreError("private key: not an unencrypted DER PKCS#8 structure") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyStoreError(f"private key: {type(key).__name__} is neither EC nor RSA")
    return SoftwareKey(key)


def _opened(cls: type[FileKeyStore], folder: Path, kek: bytearray, kdf: KeyDerivation) -> FileKeyStore:
    store = cls(folder, kek, kdf)
    wipe(kek)
    return store


def _sealed_kek(kek: bytearray, passphrase: str, kdf: KeyDerivation) -> bytes:
    """The content of store.json."""
    salt, cost = new_salt(), kdf.parameters
    sealed = Sealer(kdf.derive(passphrase, salt=salt)).seal(kek, context=_KEK_CONTEXT)
    argon2id = {"time_cost": cost.time_cost, "memory_kib": cost.memory_kib, "lanes": cost.lanes, "salt": salt.hex()}
    return json.dumps({"format": FORMAT, "argon2id": argon2id, "key_encryption_key": sealed.hex()}, indent=1).encode() + b"\n"


def _kek(folder: Path, passphrase: str, kdf: KeyDerivation) -> bytearray:
    path = folder / STORE_FILE
    try:
        content = read_private(path, MAX_FILE)
    except FileNotFoundError:
        raise KeyStoreError(f"{folder} holds no key store (no {STORE_FILE}); name the right home folder, or run: eduseal init") from None
    try:
        stored = json.loads(content)
        if stored["format"] != FORMAT:
            raise KeyStoreError(f"{path}: format {stored['format']!r:.40}, expected {FORMAT!r}")
        argon2id = stored["argon2id"]
        parameters = KdfParameters(*(int(argon2id[name]) for name in ("time_cost", "memory_kib", "lanes")))
        salt, sealed = bytes.fromhex(argon2id["salt"]), bytes.fromhex(stored["key_encryption_key"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
        raise KeyStoreError(f"{path} is damaged ({type(exc).__name__}); restore it from a backup") from exc
    if len(salt) != SALT_OCTETS:
        raise KeyStoreError(f"{path} is damaged (salt of {len(salt)} octets); restore it from a backup")
    try:
        return Sealer(kdf.derive(passphrase, salt=salt, parameters=parameters)).open(sealed, context=_KEK_CONTEXT)
    except WrongSecretError:
        raise WrongSecretError(
            f"the passphrase does not open the key store {folder} (or {STORE_FILE} was altered); check {VARIABLE} or the passphrase file"
        ) from None
