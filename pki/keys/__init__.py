"""Where private keys live, who can open them, and which keys are refused.

    key_stores, key_store_uri                the store that a URI names
    keystore, pkcs11/                        an encrypted folder; a hardware token
    softkey, own_key                         a key in memory; a key that its holder brings
    holderkey, pin                           a person's key under their PIN; PINs and activation codes
    passphrase, kdf, wrap                    what a store is opened with, and how secrets are sealed
    weak_keys                                keys that others can work out

`keystore` and `pkcs11.store` implement :class:`pki.ports.KeyStore`.
"""

__all__ = [
    "holderkey",
    "kdf",
    "key_store_uri",
    "key_stores",
    "keystore",
    "own_key",
    "passphrase",
    "pin",
    "softkey",
    "weak_keys",
    "wrap",
]
