"""The gate before every use of a PIN: wrong ones are counted, five lock the key, and two people together open the lock.

An attempt is counted, durably, BEFORE the PIN is tried, and uncounted when it was right: a crash or a killed process gives no free try,
and many attempts at once do not slip past. An administrator's part of an unlock is a one-time code, handed over in person; the signer's
part is that code with the right PIN, within minutes. Neither part does anything alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pki.errors import WrongSecretError
from pki.keys.pin import ActivationCode, new_activation_code
from pki.ports import Clock
from records.errors import NotEntitledError, PinLockedError
from records.key_ports import HolderKey, PinAttemptStore
from records.person import Role
from records.state import Actor

MAX_WRONG = 5  # wrong PINs in a row lock a key; docs/cps.md 6.2
UNLOCK_TRIES = 3  # PINs that one unlock code lets its holder try
UNLOCK_LIFETIME = timedelta(minutes=15)


class PinGate:
    """Share one object among all threads: attempts with one person's PIN wait for each other, so that right ones at once lock nothing."""

    def __init__(self, store: PinAttemptStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._guard = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    @contextmanager
    def attempt(self, key: HolderKey) -> Iterator[None]:
        """Around the trying of a PIN. Raises :class:`records.errors.PinLockedError` before it, where the key is locked."""
        with self._turn(key.holder):
            if not self._store.begin(key, most=MAX_WRONG, at=self._clock()):
                raise _locked(key.holder)
            with self._outcome(key):
                yield

    @contextmanager
    def unlocking(self, key: HolderKey, code: ActivationCode) -> Iterator[None]:
        """Around the trying of a PIN that ends a lock; raises WrongSecretError before it, where the code opens nothing (any more)."""
        with self._turn(key.holder):
            if not self._store.begin_unlocking(key, code_sha256=_digest(code), at=self._clock()):
                raise WrongSecretError(
                    f"the unlock code does not unlock the key of {key.holder}, or ran out; an administrator gives another: "
                    f"`eduseal unlock-pin {key.holder} --by ADMINISTRATOR`"
                )
            with self._outcome(key):
                yield

    def grant_unlock(self, key: HolderKey, *, school: str, by: Actor) -> ActivationCode:
        """An administrator's part: a code, to be told to the holder alone. `school` is the holder's, by organizationIdentifier.

        Raises :class:`records.errors.NotEntitledError`, also for one's own key, and PinLockedError where the key is not locked.
        """
        if by.role is not Role.ADMINISTRATOR or by.school != school or by.id == key.holder:
            raise NotEntitledError(
                f"{by.role} {by.id} may not unlock the key of {key.holder}; expected another person, administrator of {school}"
            )
        if self._store.wrong_so_far(key) < MAX_WRONG:
            raise PinLockedError(f"the key of {key.holder} is not locked; its PIN opens it")
        code, now = new_activation_code(), self._clock()
        self._store.grant_unlock(key, by=by.id, code_sha256=_digest(code), tries=UNLOCK_TRIES, until=now + UNLOCK_LIFETIME, at=now)
        return code

    def _turn(self, holder: str) -> threading.Lock:
        with self._guard:
            return self._turns.setdefault(holder, threading.Lock())

    @contextmanager
    def _outcome(self, key: HolderKey) -> Iterator[None]:
        try:
            yield
        except WrongSecretError as exc:
            self._store.wrong(key, most=MAX_WRONG, at=self._clock())
            left = MAX_WRONG - self._store.wrong_so_far(key)
            if left <= 0:
                raise _locked(key.holder) from None
            raise WrongSecretError(f"{exc}; {left} of {MAX_WRONG} tries left") from None
        except Exception:
            self._store.take_back(key)  # the token was gone, the memory short: that says nothing about the PIN
            raise
        self._store.right(key, most=MAX_WRONG, at=self._clock())


def _digest(code: ActivationCode) -> bytes:
    return hashlib.sha256(code.text.encode()).digest()


def _locked(holder: str) -> PinLockedError:
    return PinLockedError(
        f"the key of {holder} is locked after {MAX_WRONG} wrong PINs; an administrator and its holder unlock it together: "
        f"`eduseal unlock-pin {holder}`. Where the PIN is forgotten: `eduseal reset-pin {holder}`"
    )
