from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    TreeRangeError,
    consistency_proof,
    inclusion_proof,
    kept_in,
    leaf_hash,
    node_hash,
    root_of,
    subtree_hash,
    verify_consistency,
    verify_inclusion,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "merkle_vectors.json").read_text())
LEAVES = [leaf_hash(bytes([n >> 8, n & 0xFF])) for n in range(300)]
NODE = kept_in(LEAVES)
SIZES = st.integers(1, len(LEAVES))


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in VECTORS[kind]]


def octets(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


@pytest.mark.parametrize("case", cases("inclusion"))
def test_public_inclusion_vectors(case: dict[str, Any]) -> None:
    proof = [octets(each) for each in case["proof"] or []]

    def verify() -> None:
        verify_inclusion(case["leafIdx"], case["treeSize"], leaf=octets(case["leafHash"]), proof=proof, root=octets(case["root"]))

    if case["wantErr"]:
        with pytest.raises(ProofError, match="inclusion"):
            verify()
    else:
        verify()


@pytest.mark.parametrize("case", cases("consistency"))
def test_public_consistency_vectors(case: dict[str, Any]) -> None:
    proof = [octets(each) for each in case["proof"] or []]

    def verify() -> None:
        old_root, new_root = octets(case["root1"]), octets(case["root2"])
        verify_consistency(case["size1"], case["size2"], old_root=old_root, new_root=new_root, proof=proof)

    if case["wantErr"]:
        with pytest.raises(ProofError, match="consistency"):
            verify()
    else:
        verify()


def test_the_vectors_are_all_there() -> None:
    assert {kind: len(VECTORS[kind]) for kind in ("inclusion", "consistency")} == {"inclusion": 98, "consistency": 98}


def test_leaves_and_nodes_hash_apart() -> None:
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert node_hash(b"a" * 32, b"b" * 32) == hashlib.sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_roots_of_all_small_sizes_are_those_of_the_definition() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES[:130]):
        assert frontier.root() == naive_root(LEAVES[:size]) == subtree_hash(0, size, NODE)
        frontier.append(leaf)


@settings(derandomize=True, deadline=None)
@given(size=SIZES, data=st.data())
def test_every_leaf_proves_its_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, NODE), naive_root(LEAVES[:size])
    verify_inclusion(index, size, leaf=LEAVES[index], proof=proof, root=root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else index + 1
    with pytest.raises(ProofError):
        verify_inclusion(other, size, leaf=LEAVES[index], proof=proof, root=root)


@settings(derandomize=True, deadline=None)
@given(sizes=st.tuples(SIZES, SIZES).map(sorted), data=st.data())
def test_every_size_proves_to_be_the_beginning_of_a_later_one(sizes: list[int], data: st.DataObject) -> None:
    old, new = sizes
    proof, roots = list(consistency_proof(old, new, NODE)), (naive_root(LEAVES[:old]), naive_root(LEAVES[:new]))
    verify_consistency(old, new, old_root=roots[0], new_root=roots[1], proof=proof)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        proof[place] = bytes([proof[place][0] ^ bit]) + proof[place][1:]
        with pytest.raises(ProofError):
            verify_consistency(old, new, old_root=roots[0], new_root=roots[1], proof=proof)


@settings(derandomize=True, deadline=None)
@given(st.integers(-1, 2**70), st.integers(-1, 2**70), st.lists(st.binary(min_size=32, max_size=32), max_size=80), st.binary(max_size=40))
def test_made_up_proofs_are_refused_in_the_same_way(a: int, b: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(a, b, leaf=b"leaf", proof=proof, root=root)
    with pytest.raises(ProofError):
        verify_consistency(a, b, old_root=b"old", new_root=root, proof=proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_an_index_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(TreeRangeError, match=f"index {index} is not in a tree of {size} leaves"):
        inclusion_proof(index, size, NODE)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (0, 3), (4, 3)])
def test_sizes_in_the_wrong_order_have_no_proof(old: int, new: int) -> None:
    with pytest.raises(TreeRangeError, match=f"sizes {old} and {new}"):
        consistency_proof(old, new, NODE)
