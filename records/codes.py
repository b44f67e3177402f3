"""Personal codes at rest: encrypted under the key-encryption key, bound to the person they belong to."""

from __future__ import annotations

from pki.ports import KeyStore
from records.person import PersonalCode

_CONTEXT = b"eduseal roster code 1\x00"
_OPENING_CONTEXT = b"eduseal commitment opening 1\x00"


def wrap_code(code: PersonalCode, *, person_id: str, keys: KeyStore) -> bytes:
    return keys.wrap(f"{code.scheme}\x00{code.value}".encode(), context=_CONTEXT + person_id.encode())


def unwrap_code(wrapped: bytes, *, person_id: str, keys: KeyStore) -> PersonalCode:
    """Raises :class:`pki.errors.WrongSecretError` where the octets were altered or are another person's."""
    scheme, _, value = keys.unwrap(wrapped, context=_CONTEXT + person_id.encode()).decode().partition("\x00")
    return PersonalCode(scheme, value)


def wrap_opening(opening: bytes, *, holder: str, keys: KeyStore) -> bytes:
    """The opening of a pupil's commitment (:mod:`pki.identity.commitment`)."""
    return keys.wrap(opening, context=_OPENING_CONTEXT + holder.encode())


def unwrap_opening(wrapped: bytes, *, holder: str, keys: KeyStore) -> bytes:
    """Raises :class:`pki.errors.WrongSecretError`. For the holder's eyes only: see :meth:`records.holder.Holders.opening`."""
    return keys.unwrap(wrapped, context=_OPENING_CONTEXT + holder.encode())
