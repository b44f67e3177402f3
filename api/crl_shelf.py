"""Published lists as a process hands them out: read from the books once for each number, not once for each request."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from pki.errors import PkiError
from pki.ports import Clock
from pki.status.publication import CrlState, Publisher, Shard


class NoCurrentListError(PkiError):
    """A list has run out and no other can be made."""


@dataclass(frozen=True)
class ShelvedCrl:
    der: bytes
    state: CrlState
    etag: str


class CrlShelf:
    """The published list of every shard of every issuer. Safe to share between threads.

    One that is missing or has run out is made on the spot, as in the first second of a service; else publishing is the background's. While
    the books do not answer, the list that was handed out last is, until it runs out.
    """

    def __init__(self, publisher: Publisher, *, clock: Clock) -> None:
        self._publisher = publisher
        self._store = publisher.store
        self._clock = clock
        self._lock = threading.Lock()
        self._lists: dict[Shard, ShelvedCrl] = {}

    def get(self, issuer: str, shard: int) -> ShelvedCrl | None:
        """None where there is no such issuer or shard, or no list was imported. Raises NoCurrentListError, and what store and key raise."""
        if not self._publisher.expects(issuer, shard):
            return None
        try:
            state = self._store.state(issuer, shard)
            if state is None or self._clock() >= state.next_update:
                with self._lock:
                    state = self._made(issuer, shard)
            return self._shelved(state) if state is not None else None
        except NoCurrentListError:
            raise
        except Exception:
            known = self._lists.get((issuer, shard))
            if known is None or self._clock() >= known.state.next_update:
                raise
            return known  # books that do not answer: it holds for whoever got it a moment ago, too

    def _made(self, issuer: str, shard: int) -> CrlState | None:
        state = self._store.state(issuer, shard)  # others who waited for the lock find what the first one made
        if state is not None and self._clock() < state.next_update:
            return state
        if not self._publisher.makes(issuer, shard):
            if state is None:
                return None
            raise NoCurrentListError(f"the list of {issuer}, shard {shard}, ran out at {state.next_update:%Y-%m-%d %H:%M} UTC")
        return self._publisher.publish(issuer, shard) or self._store.state(issuer, shard)

    def _shelved(self, state: CrlState) -> ShelvedCrl | None:
        key = (state.issuer, state.shard)
        shelved = self._lists.get(key)
        if shelved is None or shelved.state.number < state.number:
            found = self._store.load(*key)
            if found is None:
                return None
            shelved = self._lists[key] = ShelvedCrl(found.der, found.state, hashlib.sha256(found.der).hexdigest())
        return shelved
