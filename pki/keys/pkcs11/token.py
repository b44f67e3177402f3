"""The house's keys in one PKCS#11 token: made there, asked for by label, never to leave.

    token = Token(place, pin)
    token.generate_pair("eduseal/issuing", ec_params)
    rs = token.sign("eduseal/issuing", digest)

What they may do is left to no token's defaults (:mod:`pki.keys.pkcs11.objects`).
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, exceptions

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.key_store_uri import TokenPlace
from pki.keys.pkcs11.connection import Connection
from pki.keys.pkcs11.module import Login, turn
from pki.keys.pkcs11.objects import PRIVATE, PUBLIC, SECRET, demand_that_it_stays, key_labelled, objects_labelled

GCM_TAG_OCTETS = 16

# what tokens say of a GCM tag that does not hold: the standard's answers, and SoftHSM's general error
_NOT_AUTHENTIC = (exceptions.EncryptedDataInvalid, exceptions.EncryptedDataLenRange, exceptions.FunctionFailed, exceptions.GeneralError)


class LabelTakenError(KeyStoreError):
    """The token holds a key of that label; it was not touched."""


class Token:
    """Signs and encrypts with keys that stay in the token. Safe to share between threads, and in children made by fork."""

    def __init__(self, place: TokenPlace, pin: str) -> None:
        """Nothing is opened yet; every method raises TokenLostError (:mod:`pki.keys.pkcs11.module`), WrongSecretError or KeyStoreError."""
        self._place, self._connection = place, Connection(place, pin)

    def labels(self) -> list[str]:
        """Of private keys."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True}
        return self._connection.run(lambda login: [str(each[Attribute.LABEL]) for each in list(login.session.get_objects(wanted))])

    def public_point(self, label: str) -> tuple[bytes, bytes]:
        """CKA_EC_PARAMS and CKA_EC_POINT; raises KeyNotFoundError, or KeyStoreError where the private key could leave the token."""

        def read(login: Login) -> tuple[bytes, bytes]:
            key_labelled(login, ObjectClass.PRIVATE_KEY, label)
            public = key_labelled(login, ObjectClass.PUBLIC_KEY, label)
            return bytes(public[Attribute.EC_PARAMS]), bytes(public[Attribute.EC_POINT])

        return self._connection.run(read)

    def has_secret(self, label: str) -> bool:
        return self._connection.run(lambda login: bool(objects_labelled(login, ObjectClass.SECRET_KEY, label)))

    def generate_pair(self, label: str, ec_params: bytes) -> None:
        """`ec_params`: the DER of a named curve. Raises :class:`LabelTakenError`."""

        def make(login: Login) -> tuple[pkcs11.Object, ...]:
            curve = login.session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: ec_params}, local=True)
            private = PRIVATE | {Attribute.ID: (key_id := os.urandom(16))}
            pair = curve.generate_keypair(id=key_id, label=label, store=True, public_template=PUBLIC, private_template=private)
            return tuple(reversed(pair))

        self._generate(ObjectClass.PRIVATE_KEY, label, make)

    def generate_secret(self, label: str) -> None:
        """An AES-256 key that encrypts and decrypts and does nothing else; raises :class:`LabelTakenError`."""

        def make(login: Login) -> tuple[pkcs11.Object, ...]:
            return (login.session.generate_key(KeyType.AES, 256, id=os.urandom(16), label=label, store=True, template=SECRET),)

        self._generate(ObjectClass.SECRET_KEY, label, make)

    def sign(self, label: str, digest: bytes) -> bytes:
        """ECDSA over a digest: r and s, each as long as the curve's order."""

        def work(login: Login) -> bytes:
            return bytes(key_labelled(login, ObjectClass.PRIVATE_KEY, label).sign(digest, mechanism=Mechanism.ECDSA))

        return self._connection.run(work)

    def encrypt(self, label: str, data: bytes, *, nonce: bytes, context: bytes) -> bytes:
        """AES-256-GCM: ciphertext and tag. `context` is authenticated."""
        return self._connection.run(lambda login: _encrypted(login, label, data, nonce, context))

    def decrypt(self, label: str, ciphertext: bytes, *, nonce: bytes, context: bytes) -> bytes:
        """Raises :class:`pki.errors.WrongSecretError` where key, nonce or context is another, or the octets were altered."""

        def open_(login: Login) -> bytes:
            parameters = pkcs11.GCMParams(nonce, aad=context, tag_bits=8 * GCM_TAG_OCTETS)
            try:
                return bytes(
                    key_labelled(login, ObjectClass.SECRET_KEY, label).decrypt(
                        ciphertext, mechanism=Mechanism.AES_GCM, mechanism_param=parameters
                    )
                )
            except _NOT_AUTHENTIC:
                _encrypted(login, label, b"", os.urandom(len(nonce)), context)  # raises if it is the token that is at fault
                raise WrongSecretError("wrapped secret: the key or context is another, or the octets were altered") from None

        return self._connection.run(open_)

    def _generate(self, kind: ObjectClass, label: str, make: Callable[[Login], tuple[pkcs11.Object, ...]]) -> None:
        def work(login: Login) -> None:
            with turn(self._place.module):
                alone(login)

        def alone(login: Login) -> None:
            if objects_labelled(login, kind, label):
                raise LabelTakenError(f"{self._place.title}: a key {label!r} stands already; it was not touched")
            made = make(login)
            try:
                demand_that_it_stays(made[0], label)
                if len(objects_labelled(login, kind, label)) > 1:  # tokens take a label twice; another machine was as quick
                    raise LabelTakenError(f"{self._place.title}: a key {label!r} was made elsewhere meanwhile; try again")
            except BaseException:
                for each in made:
                    each.destroy()
                raise

        self._connection.run(work)


def _encrypted(login: Login, label: str, data: bytes, nonce: bytes, context: bytes) -> bytes:
    parameters = pkcs11.GCMParams(nonce, aad=context, tag_bits=8 * GCM_TAG_OCTETS)
    return bytes(key_labelled(login, ObjectClass.SECRET_KEY, label).encrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))
