"""Generations of an authority: `root` and `issuing` come first, `root-2` and `issuing-2` after a rollover, and so on.

A name of this form is at once the label of the key, the issuer's name in the books and the last part of its published addresses. All roots
bear one subject name and differ in their keys: certificates between them are then self-issued, which no path length constraint counts
(RFC 5280 section 4.2.1.9; RFC 4210 section 4.4). Names of issuing authorities differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from pki.ports import RevocationBooks

MAX_GENERATIONS = 99

_NUMBERED = re.compile(r"(.+)-([2-9]|[1-9][0-9])")


def series_of(name: str) -> str:
    """`issuing` of `issuing`, `issuing-2`, `issuing-3`."""
    numbered = _NUMBERED.fullmatch(name)
    return numbered.group(1) if numbered else name


def number_of(name: str) -> int:
    """1 of `issuing`, 2 of `issuing-2`."""
    numbered = _NUMBERED.fullmatch(name)
    return int(numbered.group(2)) if numbered else 1


def generation(series: str, number: int) -> str:
    """The name of the `number`-th generation, from 1."""
    return series if number == 1 else f"{series}-{number}"


def names_of(series: str) -> Iterator[str]:
    """`issuing`, `issuing-2`, … up to :data:`MAX_GENERATIONS`."""
    for number in count(1):
        if number > MAX_GENERATIONS:
            return
        yield generation(series, number)


@dataclass(frozen=True)
class _OnEveryList:
    """A :class:`pki.ports.RevokedEntry` under the name of another generation."""

    issuer: str
    serial: int
    revoked_at: datetime | None
    revocation_reason: str | None


class SharedNameBooks:
    """The books as one generation of roots sees them for its CRL: what *any* generation revoked counts.

    They share a name, so a verifier takes the CRL of each for all of them (RFC 5280 section 6.3.3 f): none may be silent about another's.
    """

    def __init__(self, store: RevocationBooks, names: Iterable[str]) -> None:
        self._store, self._names = store, tuple(names)

    def revoked(self, issuer: str, *, shard: int, shards: int) -> list[_OnEveryList]:
        found = (entry for name in self._names for entry in self._store.revoked(name, shard=shard, shards=shards))
        return [_OnEveryList(issuer, entry.serial, entry.revoked_at, entry.revocation_reason) for entry in found]

    def next_crl_number(self, issuer: str, *, shard: int) -> int:
        return self._store.next_crl_number(issuer, shard=shard)
