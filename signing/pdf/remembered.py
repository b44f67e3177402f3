"""What was worked out from octets alone, remembered from one document to the next within a bound on octets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """`found(octets)`, from memory where the same octets were asked about not long ago.

    Two generations: once the younger weighs `most` octets it becomes the elder, and what nobody asked for since is forgotten.
    """

    def __init__(self, find: Callable[[bytes], T], *, weigh: Callable[[T], int], most: int) -> None:
        """`weigh` says how many octets a finding takes, about; what is remembered takes twice `most` at most."""
        self._find, self._weigh, self._most = find, weigh, most
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}
        self._weight = 0

    def __call__(self, octets: bytes) -> T:
        found = self._young.get(octets)
        if found is None:
            found = self._old.get(octets)
            self._keep(octets, found := self._find(octets) if found is None else found)
        return found

    def cache_clear(self) -> None:
        """Forgets everything."""
        self._young, self._old, self._weight = {}, {}, 0

    def _keep(self, octets: bytes, found: T) -> None:
        self._weight += len(octets) + self._weigh(found)
        if self._weight > self._most:
            self._old, self._young = self._young, {}
            self._weight = len(octets) + self._weigh(found)
        self._young[octets] = found
