"""What people's keys ask of the outside: stores of wrapped keys, and of how often their PINs were tried.

`db.holder_keys` and `db.pin_attempts` implement them; each method is one transaction, durable when it returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class HolderKey:
    """A person's certificate with their private key, wrapped under a PIN or activation code and under the key-encryption key."""

    holder: str
    """Roster id."""
    issuer: str
    serial: int
    certificate_der: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    """As `pki.keys.holderkey` writes it: opaque here."""
    activated: bool
    """False while the key is under its one-time activation code."""
    created_at: datetime
    commitment: bytes | None = None
    """Pseudonymous certificates: the commitment of :mod:`pki.identity.commitment`, 32 octets, as the certificate carries it."""
    wrapped_opening: bytes | None = field(default=None, repr=False)
    """The opening under the key-encryption key; given to the holder alone."""


class HolderKeyStore(Protocol):
    def put(self, key: HolderKey) -> None:
        """Adds, or replaces the entry of the same holder, issuer and serial (activation, change of PIN)."""
        ...

    def get(self, holder: str) -> HolderKey:
        """The holder's key in use: the newest that is activated and whose certificate was not revoked, else the newest of all.

        So a person signs with the old key until they have activated the one that replaces it. Raises NotFoundError where there is none.
        """
        ...

    def of_holder(self, holder: str) -> tuple[HolderKey, ...]:
        """Oldest first."""
        ...


class PinAttemptStore(Protocol):
    """How often a key's PIN was tried. One count for each holder, issuer and serial: a new key starts with none."""

    def begin(self, key: HolderKey, *, most: int, at: datetime) -> bool:
        """Counts an attempt BEFORE the PIN is tried, so that no crash gives one for free; False where `most` are counted already."""
        ...

    def begin_unlocking(self, key: HolderKey, *, code_sha256: bytes, at: datetime) -> bool:
        """Takes one of the tries that :meth:`grant_unlock` gave; False where code or time is wrong, or none is left."""
        ...

    def right(self, key: HolderKey, *, most: int, at: datetime) -> None:
        """Clears the count and any unlock; `pin.unlocked` goes to the log where `most` were counted before this attempt."""
        ...

    def wrong(self, key: HolderKey, *, most: int, at: datetime) -> None:
        """Writes `pin.wrong` to the log, with `locked` true where `most` are counted now."""
        ...

    def take_back(self, key: HolderKey) -> None:
        """Uncounts an attempt whose PIN was not tried after all, for another fault."""
        ...

    def wrong_so_far(self, key: HolderKey) -> int:
        """Attempts counted since the last right one."""
        ...

    def grant_unlock(self, key: HolderKey, *, by: str, code_sha256: bytes, tries: int, until: datetime, at: datetime) -> None:
        """Replaces any earlier unlock and writes `pin.unlock_granted` to the log. The count stays."""
        ...

    def reset(self, key: HolderKey, *, by: str, at: datetime) -> None:
        """Writes `pin.reset` to the log: `key` is the new one that replaces a key whose PIN was forgotten."""
        ...
