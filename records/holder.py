"""What people do with their own keys: activate one, change its PIN, open it to sign, see the opening of their commitment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pki.errors import WrongSecretError
from pki.keys.holderkey import BorrowedKey, Secret, open_holder_key, rewrap
from pki.keys.kdf import KeyDerivation
from pki.keys.pin import ActivationCode, Pin
from pki.ports import CertificateState, CertificateStore, Clock, KeyStore
from records.codes import unwrap_opening
from records.errors import NotEntitledError, NotFoundError
from records.key_ports import HolderKey, HolderKeyStore
from records.pin_gate import PinGate
from records.state import Actor
from records.supersession import supersede_before


@dataclass(frozen=True)
class Holders:
    """`kdf` is the one shared object that keeps derivations to two at once, `gate` the one that counts wrong PINs.

    `certificates` are the authority's books: a key whose certificate is suspended or revoked is not opened to sign.
    """

    holder_keys: HolderKeyStore
    keys: KeyStore
    kdf: KeyDerivation
    gate: PinGate
    certificates: CertificateStore
    clock: Clock

    def activate(self, holder: str, code: ActivationCode, pin: Pin) -> None:
        """Puts the key under the PIN that its holder chose; the code opens nothing afterwards. What the key replaces is superseded.

        Raises :class:`pki.errors.WrongSecretError`, or :class:`records.errors.NotFoundError` for a holder without a key. Wrong codes are
        not counted: at 95 random bits nobody guesses one.
        """
        found = self._newest(holder)
        if found.activated:
            raise WrongSecretError(f"the key of {holder} opens with its PIN")
        self._rewrap(found, code, pin)
        supersede_before(found, holder_keys=self.holder_keys, certificates=self.certificates, at=self.clock())

    def change_pin(self, holder: str, old: Pin, new: Pin) -> None:
        """Raises as :meth:`opened`."""
        found = self._key(holder)
        with self.gate.attempt(found):
            self._rewrap(found, old, new)

    def grant_unlock(self, holder: str, *, school: str, by: Actor) -> ActivationCode:
        """An administrator's part of an unlock: a one-time code. Raises as :meth:`records.pin_gate.PinGate.grant_unlock`."""
        return self.gate.grant_unlock(self._key(holder), school=school, by=by)

    def unlock(self, holder: str, code: ActivationCode, pin: Pin) -> None:
        """The holder's part: the code with the right PIN clears the count of wrong ones. Raises as :meth:`opened`."""
        found = self._key(holder)
        with self.gate.unlocking(found, code), open_holder_key(found.wrapped_key, pin, keys=self.keys, holder=holder, kdf=self.kdf):
            pass

    @contextmanager
    def opened(self, holder: str, pin: Pin) -> Iterator[tuple[HolderKey, BorrowedKey]]:
        """The certificate and the key, for the length of the `with` block; the key is let go at its end.

        Raises as :meth:`activate`, :class:`records.errors.PinLockedError` after too many wrong PINs, and NotEntitledError where the
        certificate is suspended or revoked.
        """
        found = self._key(holder)
        self._require_in_force(found)
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

    def _key(self, holder: str) -> HolderKey:
        """The key in use, which is under its holder's PIN."""
        found = self.holder_keys.get(holder)
        if not found.activated:
            raise WrongSecretError(f"the key of {holder} opens with its activation code")
        return found

    def _newest(self, holder: str) -> HolderKey:
        return (self.holder_keys.of_holder(holder) or (self.holder_keys.get(holder),))[-1]

    def _require_in_force(self, key: HolderKey) -> None:
        entry = self.certificates.get(key.issuer, key.serial)
        if entry is None or entry.state is not CertificateState.ISSUED:
            raise NotEntitledError(f"the certificate of {key.holder} is {entry.state if entry else 'not in the books'}; nothing was signed")

    def _rewrap(self, found: HolderKey, old: Secret, new: Pin) -> None:
        wrapped = rewrap(found.wrapped_key, old, new, keys=self.keys, holder=found.holder, kdf=self.kdf)
        self.holder_keys.put(replace(found, wrapped_key=wrapped, activated=True))
