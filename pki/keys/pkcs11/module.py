"""PKCS#11 modules of this process, and who is logged in to the tokens behind them.

What belongs to the process rather than to a caller is kept here by process id, because Cryptoki keeps it so: whether a module is
initialized, and who is logged in. A child made by fork must start both anew (PKCS#11 2.40 section 5.4).

python-pkcs11 initializes modules without CKF_OS_LOCKING_OK: a module may then assume that one thread calls it at a time, and SoftHSM does.
So every call into a module holds its lock; more at once takes more processes.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import Mechanism, ObjectClass, PKCS11Error, exceptions

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.key_store_uri import TOKEN_ATTRIBUTES, TokenPlace
from pki.keys.passphrase import VARIABLE

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 (the class is named so)

_NEEDED = {Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA, Mechanism.AES_KEY_GEN, Mechanism.AES_GCM}
_WRONG_PIN = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange)
_NO_PIN = (exceptions.PinLocked, exceptions.PinExpired)


class TokenLostError(KeyStoreError):
    """The token is not there, or went away while it was needed."""


class PinBlockedError(KeyStoreError):
    """The token takes no PIN: locked after wrong ones, expired, or never set."""


class PinUnsetError(PinBlockedError):
    """The token says that it has no PIN. SoftHSM says so too of a token whose file another process is writing at this moment."""


@dataclass(eq=False)
class Login:
    """A session, with the handles found in it by class and label. Not alive once its module was initialized again."""

    session: pkcs11.Session
    pin: str = field(repr=False)
    handles: dict[tuple[ObjectClass, str], pkcs11.Object] = field(default_factory=dict)
    alive: bool = True


class Module:
    """A PKCS#11 module in this process, with its logins by slot: Cryptoki logs a whole process in, not a session."""

    def __init__(self, path: Path, *, inherited: bool) -> None:
        self.lock = RLock()
        self._path, self._inherited = path, inherited
        self._library: Library | None = None
        self._logins: dict[int, Login] = {}

    def login(self, place: TokenPlace, pin: str) -> Login:
        """Hold the lock. Raises TokenLostError, WrongSecretError or KeyStoreError."""
        token = self._find(place)
        if token is None:
            seen = ", ".join(sorted(repr(each.label) for each in self._library_now().get_tokens() if each.label)) or "none"
            raise TokenLostError(f"key store: {place.title} is not there; plug it in or correct the key store URI (tokens seen: {seen})")
        standing = self._logins.get(token.slot.slot_id)
        if standing is None:
            standing = Login(_opened(token, pin, place), pin)
            self._logins[token.slot.slot_id] = standing
        elif not hmac.compare_digest(standing.pin.encode(), pin.encode()):  # Cryptoki would let anybody in by now
            raise _wrong_pin(place)
        return standing

    def restart(self) -> None:
        """Ends every login of the process with this module. Hold the lock."""
        library = self._library_now()
        for login in self._logins.values():
            login.alive = False
        self._logins.clear()
        try:
            with suppress(PKCS11Error):  # after fork, or where the device has gone, there is nothing left to finalize
                library.finalize()
            library.initialize()
        except PKCS11Error as exc:
            raise TokenLostError(f"PKCS#11 module {self._path} does not start ({type(exc).__name__}); check the device") from exc

    def _find(self, place: TokenPlace) -> pkcs11.Token | None:
        wanted = {name: getattr(place, name) for name in TOKEN_ATTRIBUTES}
        found = [token for token in self._library_now().get_tokens() if all(v in (None, _shown(token)[n]) for n, v in wanted.items())]
        if len(found) > 1:
            raise KeyStoreError(f"key store: {len(found)} tokens are {place.title}; add serial= to the key store URI")
        return found[0] if found else None

    def _library_now(self) -> Library:
        if self._library is None:
            try:
                self._library = pkcs11.lib(str(self._path))
            except PKCS11Error as exc:
                raise KeyStoreError(f"PKCS#11 module {self._path} cannot be loaded ({type(exc).__name__}); check module-path") from exc
            if self._inherited:
                self.restart()
        return self._library


MODULES: dict[tuple[int, Path], Module] = {}


def module_at(path: Path) -> Module:
    """The module of this process at `path`; made, but not loaded, when first asked for."""
    here = (os.getpid(), path)
    if here not in MODULES:
        inherited = any(known == path for _, known in tuple(MODULES))
        MODULES.setdefault(here, Module(path, inherited=inherited))  # the first of two threads wins
    return MODULES[here]


@contextmanager
def turn(module: Path) -> Iterator[None]:
    """Processes of one machine make keys one after the other: a token takes a label twice, and SoftHSM shows others' objects late.

    The lock is on the module's own file, which every one of them can open and none needs to write.
    """
    with module.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(token: pkcs11.Token, pin: str, place: TokenPlace) -> pkcs11.Session:
    missing = _NEEDED - set(token.slot.get_mechanisms())
    if missing:
        names = ", ".join(sorted(f"CKM_{each.name}" for each in missing))
        raise KeyStoreError(f"key store: {place.title} lacks {names}; docs/hsm.md says what it must do")
    try:
        return token.open(rw=True, user_pin=pin)
    except _WRONG_PIN:
        raise _wrong_pin(place) from None
    except (*_NO_PIN, exceptions.UserPinNotInitialized) as exc:
        refusal = PinUnsetError if isinstance(exc, exceptions.UserPinNotInitialized) else PinBlockedError
        text = f"key store: {place.title} takes no PIN now ({type(exc).__name__}); its security officer must set a new one"
        raise refusal(text) from None
    except PKCS11Error as exc:
        raise TokenLostError(
            f"key store: {place.title} cannot be opened ({type(exc).__name__}); check the device and its connection"
        ) from exc


def _wrong_pin(place: TokenPlace) -> WrongSecretError:
    return WrongSecretError(
        f"the PIN does not open the key store ({place.title}); check {VARIABLE}, the passphrase file or pin-source before trying again: "
        "tokens lock after a few wrong PINs"
    )


def _shown(token: pkcs11.Token) -> dict[str, str]:
    serial = token.serial.decode("utf-8", errors="replace").strip()
    return {"token": token.label, "serial": serial, "manufacturer": token.manufacturer_id.strip(), "model": token.model.strip()}
