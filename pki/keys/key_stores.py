"""Opens the key store that a URI names.

keys = open_key_store("pkcs11:token=eduseal?module-path=/usr/lib/softhsm/libsofthsm2.so", pin)
"""

from __future__ import annotations

from pki.keys.key_store_uri import FolderPlace, KeyStorePlace, parse_key_store_uri
from pki.keys.keystore import FileKeyStore
from pki.ports import KeyStore


def open_key_store(uri: str | KeyStorePlace, secret: str, *, create: bool = False) -> KeyStore:
    """`secret` is the folder's passphrase or the token's PIN; `create` makes what is missing of a store.

    Raises :class:`pki.errors.WrongSecretError`, :class:`pki.keys.key_store_uri.KeyStoreUriError` or KeyStoreError.
    """
    place = parse_key_store_uri(uri) if isinstance(uri, str) else uri
    if isinstance(place, FolderPlace):
        opened = FileKeyStore.open_or_create if create else FileKeyStore.open_existing
        return opened(place.folder, passphrase=secret)
    from pki.keys.pkcs11.store import Pkcs11KeyStore  # here: who keeps keys in a folder loads nothing of PKCS#11

    return (Pkcs11KeyStore.open_or_create if create else Pkcs11KeyStore.open_existing)(place, pin=secret)
