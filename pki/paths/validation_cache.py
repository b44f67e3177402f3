"""A bounded memory for what does not change: signatures once checked, paths once validated, evidence once read.

Thousands of documents share a few issuers and their revocation data. Keys hold the octets (or their SHA-256) of everything that an answer
rests on, the trust anchors included, so an answer never serves another trust set. Times are left out of keys: callers recheck them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

MAX_ENTRIES = 20_000
MAX_OCTETS = 64 * 1024 * 1024


class Key:
    """What many answers rest on, as a part of their keys: its hash is worked out once."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, *parts: Hashable) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._parts == other._parts


class ValidationCache:
    """Least recently used first out, by number of entries and by the octets that they are said to hold. Safe for threads."""

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_octets: int = MAX_OCTETS) -> None:
        self._max_entries = max_entries
        self._max_octets = max_octets
        self._octets = 0
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> Any | None:
        with self._lock:
            found = self._items.get(key)
            if found is None:
                return None
            self._items.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, *, octets: int = 256) -> None:
        """Keeps `value`, which is taken to hold `octets`; nothing is kept that is larger than the whole memory."""
        if octets > self._max_octets:
            return
        with self._lock:
            old = self._items.pop(key, None)
            self._octets += octets - (old[1] if old else 0)
            self._items[key] = (value, octets)
            while len(self._items) > self._max_entries or self._octets > self._max_octets:
                _, (_, freed) = self._items.popitem(last=False)
                self._octets -= freed

    def remember(self, key: Hashable, make: Callable[[], T], *, octets: int = 256) -> T:
        """The value under `key`, made where it is not there; what `make` raises is not remembered."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found, octets=octets)
        return found
