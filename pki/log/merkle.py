"""Merkle tree hashing, inclusion and consistency proofs (RFC 9162 section 2.1) with SHA-256. Pure: hashes in, hashes out.

A tree over `size` leaves is cut into *perfect* subtrees, each named (level, number): the root over the 2^level leaves that start at
number * 2^level. Whoever keeps hashes hands over a function `node(level, number)`; proofs ask it for a few dozen of them.

>>> hashes = [leaf_hash(data) for data in (b"a", b"b", b"c")]
>>> node = kept_in(hashes)
>>> path = inclusion_proof(1, 3, node)
>>> verify_inclusion(1, 3, leaf=hashes[1], proof=path, root=subtree_hash(0, 3, node))
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from pki.errors import PkiError

HASH_OCTETS = 32
EMPTY_ROOT = hashlib.sha256().digest()  # RFC 9162 section 2.1.1: the hash of an empty list is the hash of an empty string

_LEAF, _NODE = b"\x00", b"\x01"  # different first octets: no leaf can be passed off as a node

Node = Callable[[int, int], bytes]
"""The hash of the perfect subtree (level, number)."""


class TreeRangeError(PkiError):
    """An index or size outside the tree was asked for."""


class ProofError(PkiError):
    """A proof does not show what it should show."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of the perfect subtrees that make it up, biggest first. At most 63 hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Adds a leaf by its hash."""
        done = self.size
        while done & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            done >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        return _folded(self._peaks)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def kept_in(leaves: Sequence[bytes]) -> Node:
    """A `node` function over leaf hashes held in memory."""
    return lambda level, number: root_of(leaves[number << level : (number + 1) << level])


def subtree_hash(start: int, end: int, node: Node) -> bytes:
    """The root over leaves `start` to `end` (excluded); `start` is a multiple of the smallest power of two that spans the range."""
    return _folded([node(level, number) for level, number in _perfect(start, end)])


def inclusion_proof(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """RFC 9162 section 2.1.3.1: the siblings from leaf `index` up to the root of a tree of `size`. Raises :class:`TreeRangeError`."""
    if not 0 <= index < size:
        raise TreeRangeError(f"index {index} is not in a tree of {size} leaves")
    return tuple(subtree_hash(start, end, node) for start, end in reversed(list(_siblings(index, size))))


def consistency_proof(old: int, new: int, node: Node) -> tuple[bytes, ...]:
    """RFC 9162 section 2.1.4.1: that the tree of `new` leaves begins with that of `old`. Empty for equal sizes.

    Raises :class:`TreeRangeError`, also for an empty tree, with which everything is consistent.
    """
    if not 0 < old <= new:
        raise TreeRangeError(f"sizes {old} and {new}: expected the first to be from 1 to the second")
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:  # the verifier knows the old root, but not this part of it
        ranges.append((start, end))
    return tuple(subtree_hash(start, end, node) for start, end in reversed(ranges))


def verify_inclusion(index: int, size: int, *, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2, for a leaf *hash*. Raises :class:`ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"inclusion: index {index} is not in a tree of {size} leaves")
    _check_octets("inclusion", leaf, root, *proof)
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError(f"inclusion of {index} in {size}: the proof is too long")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError(f"inclusion of {index} in {size}: the proof is too short")
    if found != root:
        raise ProofError(f"inclusion of {index} in {size}: the proof leads to another root")


def verify_consistency(old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 section 2.1.4.2. Raises :class:`ProofError`, also for an empty tree: nothing can be shown of that."""
    name = f"consistency of {old} and {new}"
    if not 0 < old <= new:
        raise ProofError(f"{name}: expected the first size to be from 1 to the second")
    if old == new:
        if proof or old_root != new_root:
            raise ProofError(f"{name}: expected one root and an empty proof")
        return
    _check_octets(name, old_root, new_root, *proof)
    path = list(proof)
    if old & (old - 1) == 0:  # a power of two: the old root is itself the first node
        path.insert(0, old_root)
    if not path:
        raise ProofError(f"{name}: the proof is too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(f"{name}: the proof is too long")
        if place & 1 or place == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError(f"{name}: the proof is too short")
    if (found_old, found_new) != (old_root, new_root):
        raise ProofError(f"{name}: the proof leads to other roots")


def _check_octets(name: str, *hashes: bytes) -> None:
    if any(len(found) != HASH_OCTETS for found in hashes):
        raise ProofError(f"{name}: expected hashes of {HASH_OCTETS} octets")


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _siblings(index: int, size: int) -> Iterator[tuple[int, int]]:
    """The ranges beside the path from the root down to a leaf."""
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield start, middle
            start = middle


def _perfect(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees of a range, from the left."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _folded(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of shrinking size."""
    if not peaks:
        return EMPTY_ROOT
    *rest, found = peaks
    for peak in reversed(rest):
        found = node_hash(peak, found)
    return found
