"""What a key is in a token: the attributes that it is made with, found by class and label, and never used where it could leave."""

from __future__ import annotations

from typing import Any

import pkcs11
from pkcs11 import Attribute, ObjectClass

from pki.errors import KeyNotFoundError, KeyStoreError
from pki.keys.pkcs11.module import Login

_KINDS = {ObjectClass.PRIVATE_KEY: "key", ObjectClass.PUBLIC_KEY: "public half of key", ObjectClass.SECRET_KEY: "secret key"}

# nothing of this is left to a token's defaults: made there, never to leave, and good for one purpose
_STAYS = {Attribute.TOKEN: True, Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
PRIVATE = _STAYS | {Attribute.SIGN: True, Attribute.DECRYPT: False, Attribute.UNWRAP: False, Attribute.DERIVE: False}
PUBLIC = {Attribute.TOKEN: True, Attribute.VERIFY: True, Attribute.ENCRYPT: False, Attribute.WRAP: False}
SECRET = _STAYS | {
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.SIGN: False,
    Attribute.VERIFY: False,
    Attribute.DERIVE: False,
}
_STAYED = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.ALWAYS_SENSITIVE: True, Attribute.NEVER_EXTRACTABLE: True}


def objects_labelled(login: Login, kind: ObjectClass, label: str) -> list[Any]:
    return list(login.session.get_objects({Attribute.CLASS: kind, Attribute.TOKEN: True, Attribute.LABEL: label}))


def key_labelled(login: Login, kind: ObjectClass, label: str) -> Any:
    """The one object of that class and label; python-pkcs11 types what it finds as bare objects."""
    found = login.handles.get((kind, label))
    if found is None:
        every = objects_labelled(login, kind, label)
        if not every:
            raise KeyNotFoundError(f"key store: the token holds no {_KINDS[kind]} {label!r}")
        if len(every) > 1:
            raise KeyStoreError(f"key store: the token holds {len(every)} objects {label!r}, expected one; remove what is not ours")
        if kind is not ObjectClass.PUBLIC_KEY:
            demand_that_it_stays(every[0], label)
        found = login.handles[kind, label] = every[0]
    return found


def demand_that_it_stays(key: pkcs11.Object, label: str) -> None:
    for attribute, expected in _STAYED.items():
        if key[attribute] is not expected:
            raise KeyStoreError(
                f"key store: key {label!r} has {attribute.name} {not expected}: it was not made to stay in the token, and is not used"
            )
