"""A token as one caller reaches it: logged in when first asked, and found again after it was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pkcs11 import PKCS11Error, exceptions

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.key_store_uri import TokenPlace
from pki.keys.pkcs11.module import Login, Module, PinBlockedError, PinUnsetError, TokenLostError, module_at

Result = TypeVar("Result")

# Seconds before each attempt. Tokens that came since show only when the module starts anew; and SoftHSM writes a token's file at every
# login, so that another process that starts in that moment does not see the token, or none of its PIN.
PAUSES = (None, 0.0, 0.02, 0.1, 0.3)
_LOST = (
    exceptions.DeviceError,
    exceptions.DeviceMemory,
    exceptions.DeviceRemoved,
    exceptions.FunctionFailed,
    exceptions.GeneralError,
    exceptions.KeyHandleInvalid,
    exceptions.ObjectHandleInvalid,
    exceptions.OperationActive,
    exceptions.SessionClosed,
    exceptions.SessionHandleInvalid,
    exceptions.SlotIDInvalid,
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.UserNotLoggedIn,
)


class Connection:
    """Safe to share between threads, and in children made by fork."""

    def __init__(self, place: TokenPlace, pin: str) -> None:
        """Nothing is opened yet; :meth:`run` raises :class:`TokenLostError`, WrongSecretError (the PIN) or KeyStoreError."""
        self._place, self._pin = place, pin
        self._held: tuple[Module, Login] | None = None
        self._refused: KeyStoreError | None = None

    def run(self, work: Callable[[Login], Result]) -> Result:
        """Does `work` with the module to itself; again, on a module started anew, where the token does not answer."""
        module, lost = module_at(self._place.module), PKCS11Error()
        with module.lock:
            for pause in PAUSES:
                try:
                    if pause is not None:
                        time.sleep(pause)
                        module.restart()
                    return work(self._login(module))
                except (TokenLostError, PinUnsetError):
                    if pause == PAUSES[-1]:
                        raise
                except _LOST as exc:
                    lost = exc
                except PKCS11Error as exc:
                    raise KeyStoreError(f"{self._place.title} refuses ({type(exc).__name__}); docs/hsm.md says what it must do") from exc
        raise TokenLostError(f"{self._place.title} does not answer ({type(lost).__name__}); check the device and its connection") from lost

    def _login(self, module: Module) -> Login:
        if self._refused is not None:
            raise type(self._refused)(*self._refused.args)
        if self._held is None or self._held[0] is not module or not self._held[1].alive:
            try:
                self._held = (module, module.login(self._place, self._pin))
            except PinUnsetError:
                raise  # no PIN was tried
            except (WrongSecretError, PinBlockedError) as exc:
                self._refused = exc  # tokens lock after a few wrong PINs: this one is never tried again
                raise
        return self._held[1]
