"""What people do with their own keys: activate one, change its PIN, open it to sign, see the opening of their commitment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pki.errors import WrongSecretError
from pki.holderkey import BorrowedKey, Secret, open_holder_key, rewrap
from pki.kdf import KeyDerivation
from pki.pin import ActivationCode, Pin
from pki.ports import KeyStore
from records.codes import unwrap_opening
from records.errors import NotFoundError
from records.ports import HolderKey, HolderKeyStore


@dataclass(frozen=True)
class Holders:
    """`kdf` is the one shared object that keeps derivations to two at once. Not limited here: the number of attempts."""

    holder_keys: HolderKeyStore
    keys: KeyStore
    kdf: KeyDerivation

    def activate(self, holder: str, code: ActivationCode, pin: Pin) -> None:
        """Puts the key under the PIN that its holder chose; the code opens nothing afterwards.

        Raises :class:`pki.errors.WrongSecretError`, or :class:`records.errors.NotFoundError` for a holder without a key.
        """
        self._rewrap(holder, code, pin)

    def change_pin(self, holder: str, old: Pin, new: Pin) -> None:
        """Raises as :meth:`activate`."""
        self._rewrap(holder, old, new)

    @contextmanager
    def opened(self, holder: str, pin: Pin) -> Iterator[tuple[HolderKey, BorrowedKey]]:
        """The certificate and the key, for the length of the `with` block. Raises as :meth:`activate`."""
        found = self.holder_keys.get(holder)
        with open_holder_key(found.wrapped_key, pin, keys=self.keys, holder=holder, kdf=self.kdf) as key:
            yield found, key

    def opening(self, holder: str, pin: Pin) -> bytes:
        """What opens the commitment in the holder's certificate; their PIN proves that it is they who ask. Raises as :meth:`activate`."""
        with self.opened(holder, pin) as (found, _):
            if found.wrapped_opening is None:
                raise NotFoundError(f"{holder} has a certificate that names its holder plainly; there is nothing to open")
            return unwrap_opening(found.wrapped_opening, holder=holder, keys=self.keys)

    def _rewrap(self, holder: str, old: Secret, new: Pin) -> None:
        found = self.holder_keys.get(holder)
        if found.activated == isinstance(old, ActivationCode):
            asked = "PIN" if found.activated else "activation code"
            raise WrongSecretError(f"the key of {holder} opens with its {asked}")
        wrapped = rewrap(found.wrapped_key, old, new, keys=self.keys, holder=holder, kdf=self.kdf)
        self.holder_keys.put(replace(found, wrapped_key=wrapped, activated=True))
