"""Guessing a PIN offline, with all that lies on the disk: the database, the key store's files and their passphrase. Only the PIN lacks.

The thief opens the outer layer once, then every guess costs one Argon2id and one AES-GCM, on as many cores as they rent. The figure is
guesses per second of one core's time, so that it does not depend on what else the machine does. docs/sole-control.md prints what follows.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.errors import WrongSecretError
from pki.keys.holderkey import _INNER, MAGIC, _context, wrap_holder_key
from pki.keys.kdf import KeyDerivation
from pki.keys.keystore import FileKeyStore
from pki.keys.pin import Pin
from pki.keys.wrap import KEY_OCTETS, Sealer
from pki.ports import KeyStore

HOLDER, RIGHT = "SM-GV04", Pin("k7x2m9qa")
GUESSES = 60

Row = dict[str, Any]


@dataclass(frozen=True)
class Loot:
    """What the outer layer gives up to whoever holds the key store: everything but the PIN."""

    time_cost: int
    memory_kib: int
    lanes: int
    salt: bytes
    sealed: bytes
    context: bytes

    def opens(self, guess: str) -> bool:
        # one lane's work after the other: the fewest thread switches for each guess, and so the thief's best rate
        key = hash_secret_raw(guess.encode(), self.salt, self.time_cost, self.memory_kib, self.lanes, hash_len=KEY_OCTETS, type=Type.ID)
        try:
            Sealer(key).open(self.sealed, context=self.context)
        except WrongSecretError:
            return False
        return True


def loot(wrapped: bytes, keys: KeyStore, holder: str) -> Loot:
    """Opens the outer layer with the key store's key, as anybody can who has its files and passphrase."""
    kind = wrapped[len(MAGIC) : len(MAGIC) + 1]
    context = _context(kind, holder)
    inner = keys.unwrap(wrapped[len(MAGIC) + 1 :], context=context)
    time_cost, memory_kib, lanes, salt = _INNER.unpack_from(inner)
    return Loot(time_cost, memory_kib, lanes, salt, inner[_INNER.size :], context)


def stolen(folder: Path) -> Loot:
    """A teacher's key as the house wraps it, taken with everything around it."""
    keys = FileKeyStore.create(folder / "keys", passphrase="known to the thief")
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return loot(wrap_holder_key(key, RIGHT, keys=keys, holder=HOLDER, kdf=KeyDerivation()), keys, HOLDER)


def rate(taken: Loot, guesses: int) -> float:
    """Guesses per second of one core's time, all cores guessing."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        before = time.process_time()
        found = sum(pool.map(taken.opens, (f"guess {number}" for number in range(guesses))))
        spent = time.process_time() - before
    assert not found
    return guesses / spent


def pin_guess() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        found = rate(stolen(Path(folder)), GUESSES)
    yield {"name": "pin-guess", "ours": found, "peer": None, "ratio": None, "unit": "1/s a core", "target": None, "holds": None}


BENCHES = {"pin-guess": pin_guess}
