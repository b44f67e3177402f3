"""Keys from passphrases and PINs: Argon2id (RFC 9106)."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw

from pki.errors import KeyStoreError
from pki.keys.wrap import KEY_OCTETS

SALT_OCTETS = 16  # RFC 9106 section 3.1
MAX_TIME_COST = 16
MAX_MEMORY_KIB = 1024 * 1024  # 1 GiB; with the other two, bounds what an altered file can ask for
MAX_LANES = 16
AT_ONCE = 2  # derivations running together: 128 MiB of memory at most


@dataclass(frozen=True)
class KdfParameters:
    """The cost of one derivation. Raises :class:`pki.errors.KeyStoreError` outside the limits above."""

    time_cost: int
    memory_kib: int
    lanes: int

    def __post_init__(self) -> None:
        few = 1 <= self.time_cost <= MAX_TIME_COST and 1 <= self.lanes <= MAX_LANES
        if not (few and 8 * self.lanes <= self.memory_kib <= MAX_MEMORY_KIB):
            raise KeyStoreError(f"Argon2id parameters t={self.time_cost}, m={self.memory_kib} KiB, p={self.lanes} are not accepted")


RFC9106_64MIB = KdfParameters(time_cost=3, memory_kib=64 * 1024, lanes=4)
"""The second recommended option of RFC 9106 section 4, for machines with little memory."""


class KeyDerivation:
    """Derives keys, at most `at_once` at the same time; share one object among all who derive.

    `parameters` are for new secrets. `argon2id` is called as argon2-cffi's `hash_secret_raw`.
    """

    def __init__(
        self,
        parameters: KdfParameters = RFC9106_64MIB,
        *,
        at_once: int = AT_ONCE,
        argon2id: Callable[..., bytes] = hash_secret_raw,
    ) -> None:
        self.parameters = parameters
        self._turns = threading.BoundedSemaphore(at_once)
        self._argon2id = argon2id

    def derive(self, secret: str, *, salt: bytes, parameters: KdfParameters | None = None) -> bytes:
        """32 octets. `parameters` are those stored with an old secret, this object's own by default.

        Text is normalised to NFC, as keyboards differ in how they write "ễ".
        """
        cost = parameters or self.parameters
        with self._turns:
            return self._argon2id(
                unicodedata.normalize("NFC", secret).encode("utf-8", "surrogatepass"),
                salt,
                time_cost=cost.time_cost,
                memory_cost=cost.memory_kib,
                parallelism=cost.lanes,
                hash_len=KEY_OCTETS,
                type=Type.ID,
            )


def new_salt() -> bytes:
    return os.urandom(SALT_OCTETS)
