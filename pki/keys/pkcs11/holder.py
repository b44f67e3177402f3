"""A token that somebody else set up: whatever private keys and certificates it holds, used as they are.

The house holds its own keys (:mod:`pki.keys.pkcs11.token`) to stricter rules.
"""

from __future__ import annotations

from typing import Any

from pkcs11 import Attribute, Mechanism, ObjectClass

from pki.errors import KeyNotFoundError
from pki.keys.key_store_uri import TokenPlace
from pki.keys.pkcs11.connection import Connection
from pki.keys.pkcs11.module import Login


class HolderToken:
    """Every method raises :class:`pki.keys.pkcs11.module.TokenLostError`, WrongSecretError (the PIN) or KeyStoreError."""

    def __init__(self, place: TokenPlace, pin: str) -> None:
        """Nothing is opened yet."""
        self._place, self._connection = place, Connection(place, pin)

    def private_keys(self) -> list[tuple[bytes, str]]:
        """CKA_ID and CKA_LABEL of every private key, whoever made it."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True}
        return self._connection.run(
            lambda login: [(bytes(each[Attribute.ID]), str(each[Attribute.LABEL])) for each in list(login.session.get_objects(wanted))]
        )

    def certificates(self) -> list[tuple[bytes, bytes]]:
        """CKA_ID and DER of every certificate."""
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.TOKEN: True}
        return self._connection.run(
            lambda login: [(bytes(each[Attribute.ID]), bytes(each[Attribute.VALUE])) for each in list(login.session.get_objects(wanted))]
        )

    def sign(self, key_id: bytes, data: bytes, *, rsa: bool) -> bytes:
        """With a key that its holder brought: ECDSA over a digest, or RSA PKCS#1 v1.5 over a DigestInfo. How it was made is theirs."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True, Attribute.ID: key_id}

        def sign(login: Login) -> bytes:
            found: list[Any] = list(login.session.get_objects(wanted))
            if len(found) != 1:
                raise KeyNotFoundError(f"{self._place.title} holds {len(found)} private keys of that id, expected one")
            return bytes(found[0].sign(data, mechanism=Mechanism.RSA_PKCS if rsa else Mechanism.ECDSA))

        return self._connection.run(sign)
