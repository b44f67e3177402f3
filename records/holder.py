"""What people do with their own keys: activate one, change its PIN, open it to sign, see the opening of their commitment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pki.errors import WrongSecretError
from pki.holderkey import BorrowedKey, Secret, open_holder_key, rewrap
from pki.kdf import KeyDerivation
from pki.pin import ActivationCode, Pin
from pki.ports import KeyStore
from records.codes import unwrap_opening
from records.errors import NotFoundError
from records.pin_gate import PinGate
from records.ports import HolderKey, HolderKeyStore
from records.state import Actor


@dataclass(frozen=True)
class Holders:
    """`kdf` is the one shared object that keeps derivations to two at once, `gate` the one that counts wrong PINs."""

    holder_keys: HolderKeyStore
    keys: KeyStore
    kdf: KeyDerivation
    gate: PinGate

    def activate(self, holder: str, code: ActivationCode, pin: Pin) -> None:
        """Puts the key under the PIN that its holder chose; the code opens nothing afterwards.

        Raises :class:`pki.errors.WrongSecretError`, or :class:`records.errors.NotFoundError` for a holder without a key. Wrong codes are
        not counted: at 95 random bits nobody guesses one.
        """
        self._rewrap(self._key(holder, activated=False), code, pin)

    def change_pin(self, holder: str, old: Pin, new: Pin) -> None:
        """Raises as :meth:`opened`."""
        found = self._key(holder, activated=True)
        with self.gate.attempt(found):
            self._rewrap(found, old, new)

    def grant_unlock(self, holder: str, *, school: str, by: Actor) -> ActivationCode:
        """An administrator's part of an unlock: a one-time code. Raises as :meth:`records.pin_gate.PinGate.grant_unlock`."""
        return self.gate.grant_unlock(self._key(holder, activated=True), school=school, by=by)

    def unlock(self, holder: str, code: ActivationCode, pin: Pin) -> None:
        """The holder's part: the code with the right PIN clears the count of wrong ones. Raises as :meth:`opened`."""
        found = self._key(holder, activated=True)
        with self.gate.unlocking(found, code), open_holder_key(found.wrapped_key, pin, keys=self.keys, holder=holder, kdf=self.kdf):
            pass

    @contextmanager
    def opened(self, holder: str, pin: Pin) -> Iterator[tuple[HolderKey, BorrowedKey]]:
        """The certificate and the key, for the length of the `with` block; the key is let go at its end.

        Raises as :meth:`activate`, and :class:`records.errors.PinLockedError` after too many wrong PINs.
        """
        found = self._key(holder, activated=True)
        with ExitStack() as stack:
            with self.gate.attempt(found):
                key = stack.enter_context(open_holder_key(found.wrapped_key, pin, keys=self.keys, holder=holder, kdf=self.kdf))
            yield found, key

    def opening(self, holder: str, pin: Pin) -> bytes:
        """What opens the commitment in the holder's certificate; their PIN proves that it is they who ask. Raises as :meth:`opened`."""
        with self.opened(holder, pin) as (found, _):
            if found.wrapped_opening is None:
                raise NotFoundError(f"{holder} has a certificate that names its holder plainly; there is nothing to open")
            return unwrap_opening(found.wrapped_opening, holder=holder, keys=self.keys)

    def _key(self, holder: str, *, activated: bool) -> HolderKey:
        found = self.holder_keys.get(holder)
        if found.activated != activated:
            asked = "PIN" if found.activated else "activation code"
            raise WrongSecretError(f"the key of {holder} opens with its {asked}")
        return found

    def _rewrap(self, found: HolderKey, old: Secret, new: Pin) -> None:
        wrapped = rewrap(found.wrapped_key, old, new, keys=self.keys, holder=found.holder, kdf=self.kdf)
        self.holder_keys.put(replace(found, wrapped_key=wrapped, activated=True))
