"""Registration officers: the people who approve requests, each with their own PIN.

An approval is by a person, not by a name typed in: every act of an officer shows their PIN. Attempts are counted, durably, BEFORE the
PIN is tried, and five wrong ones lock the officer. What a PIN is held against lies under the key-encryption key and is bound to the
officer's id: the database alone gives nothing to guess at, and a row written into it from outside opens nothing.

The first two officers are added by whoever runs the authority, with a reason that goes into the log. From then on two officers vouch for
each new one, so that nobody makes a second person of themselves.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from pki.errors import WrongSecretError
from pki.keys.kdf import SALT_OCTETS, KdfParameters, KeyDerivation, new_salt
from pki.keys.pin import Pin
from pki.ports import Clock, KeyStore
from records.errors import OfficerError, OfficerLockedError
from records.registration_ports import MAX_WRONG, Officer, OfficerStore

VOUCHERS = 2  # officers who vouch for a new one; docs/cps.md 3.3
MAX_ID = 64  # characters
MAX_NAME = 200  # characters
_CONTEXT = b"eduseal officer 1\x00"
_COST = struct.Struct(">III")  # Argon2id: time, memory in KiB, lanes


class _Turns:
    """Attempts with one officer's PIN wait for each other, so that right ones at once lock nobody."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def of(self, officer_id: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(officer_id, threading.Lock())


@dataclass(frozen=True)
class Officers:
    """Share one object among all threads of a process."""

    store: OfficerStore
    keys: KeyStore
    kdf: KeyDerivation
    clock: Clock
    _turns: _Turns = field(default_factory=_Turns)

    def add(self, officer_id: str, *, name: str, pin: Pin, vouchers: Mapping[str, str], reason: str = "") -> Officer:
        """A new officer, or one who was removed, with a PIN that :func:`pki.keys.pin.new_pin` passed.

        `vouchers`: officers' ids to their PINs.

        A reason, which goes into the log, stands in their place only where there are not two who could: the first two officers have nobody
        to vouch for them, and where fewer than two are left (locked ones do not count) the authority must go on.
        Raises :class:`records.errors.OfficerError`, or what :meth:`prove` raises.
        """
        if not 0 < len(officer_id) <= MAX_ID or not officer_id.isprintable() or any(sign in officer_id for sign in "/ "):
            raise OfficerError(f"officer's id: expected 1 to {MAX_ID} printable characters without a space or slash")
        if not 0 < len(name.strip()) <= MAX_NAME:
            raise OfficerError(f"officer's name: expected 1 to {MAX_NAME} characters")
        if len(vouchers) < VOUCHERS and not reason.strip():
            raise OfficerError(
                f"{len(vouchers)} officers vouch for {officer_id}, expected {VOUCHERS}; where there are not so many, give the reason"
            )
        able = [each.id for each in self.store.all() if each.able and each.id != officer_id]
        if len(vouchers) < VOUCHERS <= len(able):
            raise OfficerError(
                f"{len(vouchers)} officers vouch for {officer_id}, expected {VOUCHERS} of the {len(able)} in office; "
                "a reason stands in their place only where there are not so many"
            )
        if officer_id in vouchers:
            raise OfficerError(f"{officer_id} cannot vouch for themselves")
        for voucher, secret in vouchers.items():
            self.prove(voucher, secret)
        officer = Officer(officer_id, name.strip(), self._verifier(officer_id, pin.text), self.clock())
        self.store.add(officer, vouched_by=tuple(vouchers), reason=reason.strip())
        return officer

    def remove(self, officer_id: str, *, by: str, secret: str) -> None:
        """Another officer, or the officer, ends their office; approvals given stand. Raises UnknownOfficerError or as :meth:`prove`."""
        self.prove(by, secret)
        self.store.remove(officer_id, by=by, at=self.clock())

    def prove(self, officer_id: str, secret: str) -> Officer:
        """The officer whose PIN this is.

        Raises :class:`pki.registration.approval.UnknownOfficerError`, :class:`records.errors.OfficerLockedError`, WrongSecretError.
        """
        officer = self.store.get(officer_id)
        with self._turns.of(officer_id):
            if not self.store.begin(officer_id, most=MAX_WRONG):
                raise _locked(officer_id)
            try:
                good = self._fits(officer, secret)
            except Exception:
                self.store.take_back(officer_id)  # the token was gone, the memory short: that says nothing about the PIN
                raise
            if good:
                self.store.right(officer_id)
                return officer
            left = MAX_WRONG - self.store.wrong(officer_id, most=MAX_WRONG, at=self.clock())
        if left <= 0:
            raise _locked(officer_id)
        raise WrongSecretError(f"the PIN is not that of officer {officer_id}; {left} of {MAX_WRONG} tries left")

    def _verifier(self, officer_id: str, secret: str) -> bytes:
        cost, salt = self.kdf.parameters, new_salt()
        head = _COST.pack(cost.time_cost, cost.memory_kib, cost.lanes) + salt
        return self.keys.wrap(head + _digest(self.kdf.derive(secret, salt=salt)), context=_CONTEXT + officer_id.encode())

    def _fits(self, officer: Officer, secret: str) -> bool:
        """Raises :class:`pki.errors.WrongSecretError` where the verifier was altered or is another officer's."""
        opened = self.keys.unwrap(officer.verifier, context=_CONTEXT + officer.id.encode())
        cost = KdfParameters(*_COST.unpack_from(opened))
        salt, expected = opened[_COST.size : _COST.size + SALT_OCTETS], opened[_COST.size + SALT_OCTETS :]
        return hmac.compare_digest(_digest(self.kdf.derive(secret, salt=salt, parameters=cost)), expected)


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _locked(officer_id: str) -> OfficerLockedError:
    return OfficerLockedError(
        f"officer {officer_id} is locked after {MAX_WRONG} wrong PINs; another officer removes them and they are added anew: "
        f"`eduseal officer remove {officer_id} --by OTHER`"
    )
