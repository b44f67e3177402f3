"""The Merkle tree over the log's leaves, as far as it is sealed: what proofs are made of.

Kept are the leaves (in `log_entries`) and the roots over complete runs of 256, 256², … of them (in `log_nodes`), written when the log is
sealed. Any other hash is made from at most 256 of those; a proof in a log of a million entries reads about six such runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.errors import LogTamperedError
from db.tables_log import log_entries, log_nodes, log_seal
from pki.log.merkle import HASH_OCTETS, TreeRangeError, consistency_proof, inclusion_proof, leaf_hash, root_of, subtree_hash

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS  # hashes
MAX_LEAVES = 1000  # handed out at a time


@dataclass(frozen=True)
class Sealed:
    """The newest checkpoint, a signed note; and how many leaves it covers. No note yet: an authority that was never opened since."""

    size: int
    note: str | None


class LogTree:
    """Leaves and proofs, of sealed sizes only: what lies beyond the newest checkpoint is not public yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sealed(self) -> Sealed:
        with self._database.reading() as connection:
            return sealed(connection)

    def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Leaf data from `start` to `end` (excluded), at most :data:`MAX_LEAVES`; raises :class:`pki.log.merkle.TreeRangeError`."""
        with self._database.reading() as connection:
            self._check(connection, end)
            if not 0 <= start < end:
                raise TreeRangeError(f"leaves {start} to {end}: expected a start from 0 to below the end")
            end = min(end, start + MAX_LEAVES)
            found = _leaves(connection, start, end)
        if len(found) != end - start:
            raise LogTamperedError(f"the log has lost entry {start + len(found)}; run `eduseal log verify`")
        return tuple(found)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Raises :class:`pki.log.merkle.TreeRangeError`."""
        with self._database.reading() as connection:
            self._check(connection, size)
            return inclusion_proof(index, size, StoredNodes(connection))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Raises :class:`pki.log.merkle.TreeRangeError`."""
        with self._database.reading() as connection:
            self._check(connection, new)
            return consistency_proof(old, new, StoredNodes(connection))

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves; raises :class:`pki.log.merkle.TreeRangeError`."""
        with self._database.reading() as connection:
            self._check(connection, size)
            return subtree_hash(0, size, StoredNodes(connection))

    def _check(self, connection: sa.Connection, size: int) -> None:
        known = sealed(connection).size
        if not 0 <= size <= known:
            raise TreeRangeError(f"size {size}: the newest checkpoint covers {known} leaves")


class StoredNodes:
    """A :data:`pki.log.merkle.Node` over the tables; reads each run of 256 hashes once. For one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, number: int) -> bytes:
        kept, within = divmod(level, TILE_LEVELS)
        first = number << within
        tile = (kept, first >> TILE_LEVELS)
        if tile not in self._tiles:
            self._tiles[tile] = tile_hashes(self._connection, *tile)
        offset = first % TILE
        found = self._tiles[tile][offset : offset + (1 << within)]
        if len(found) != 1 << within:
            raise LogTamperedError(f"the log's tree has lost hash {first + len(found)} of level {kept}; run `eduseal log verify`")
        return root_of(found)


def sealed(connection: sa.Connection, *, lock: bool = False) -> Sealed:
    """`lock` keeps other sealers waiting until the transaction ends."""
    chosen = sa.select(log_seal.c.size, log_seal.c.note)
    row = connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()
    if row is None:
        raise LogTamperedError("the log has lost its seal; restore the database from a backup")
    return Sealed(row.size, row.note)


def grow(connection: sa.Connection, *, old: int, new: int) -> None:
    """Keeps the roots that became complete between two sizes."""
    level = 1
    while numbers := range(old >> TILE_LEVELS * level, new >> TILE_LEVELS * level):
        rows = [{"level": level, "number": number, "hash": _tile_root(connection, level - 1, number)} for number in numbers]
        connection.execute(sa.insert(log_nodes), rows)
        level += 1


def tile_hashes(connection: sa.Connection, level: int, number: int) -> list[bytes]:
    """Up to 256 kept hashes of `level`, without a gap; fewer at the edge of what is sealed."""
    start = number * TILE
    if level == 0:
        return [leaf_hash(leaf) for leaf in _leaves(connection, start, start + TILE)]
    chosen = sa.select(log_nodes.c.number, log_nodes.c.hash).where(
        log_nodes.c.level == level, log_nodes.c.number >= start, log_nodes.c.number < start + TILE
    )
    return _unbroken(start, connection.execute(chosen.order_by(log_nodes.c.number)).all())


def _tile_root(connection: sa.Connection, level: int, number: int) -> bytes:
    found = tile_hashes(connection, level, number)
    if len(found) != TILE:
        raise LogTamperedError(f"the log has lost hash {number * TILE + len(found)} of level {level}; run `eduseal log verify`")
    return root_of(found)


def _leaves(connection: sa.Connection, start: int, end: int) -> list[bytes]:
    chosen = sa.select(log_entries.c.position, log_entries.c.leaf).where(log_entries.c.position >= start, log_entries.c.position < end)
    return _unbroken(start, connection.execute(chosen.order_by(log_entries.c.position)).all())


def _unbroken(start: int, rows: Iterable[Sequence[Any]]) -> list[bytes]:
    """The second column, up to the first gap in the first."""
    found: list[bytes] = []
    for place, row in enumerate(rows, start):
        position, value = row
        if position != place:
            break
        if not isinstance(value, bytes) or len(value) != HASH_OCTETS:  # SQLite keeps whatever it is given
            raise LogTamperedError(f"the log's hash {place} is not one of {HASH_OCTETS} octets; run `eduseal log verify`")
        found.append(value)
    return found
