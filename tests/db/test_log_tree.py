"""The log sealed: leaves, proofs, checkpoints; writers and sealers at the same time."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import log
from db.engine import Database, open_database
from db.log_seal import LogSealer
from db.log_tree import MAX_LEAVES, TILE, LogTree
from db.tables_log import log_entries, log_head, log_nodes, log_seal
from pki.log.checkpoint import Checkpoint
from pki.log.merkle import EMPTY_ROOT, TreeRangeError, leaf_hash, root_of, verify_consistency, verify_inclusion
from tests.support.log_cases import AT, SIGNER, SIZE, append, check, head, tamper


def test_a_leaf_is_the_hash_of_salt_and_canonical_entry(database: Database) -> None:
    append(database, 1)
    shown = log.Log(database).disclosure(0)
    assert shown is not None
    assert shown.leaf == hashlib.sha256(shown.salt + shown.entry).digest()
    assert shown.entry.decode() == (
        '{"at":"2026-06-01T08:00:00.123456Z","details":{"n":0,"name":"Nguyễn"},"index":0,"kind":"test.happened","subject":"s0"}'
    )


def test_what_is_not_there_is_not_disclosed(database: Database) -> None:
    assert log.Log(database).disclosure(0) is None


def test_two_like_entries_have_leaves_that_are_not_alike(database: Database) -> None:
    append(database, 1)
    append(database, 1)
    with database.reading() as connection:
        rows = connection.execute(sa.select(log_entries.c.salt, log_entries.c.leaf)).all()
    assert len({row.salt for row in rows}) == len({row.leaf for row in rows}) == 2


def test_an_empty_log_has_a_checkpoint(sealer: LogSealer, copy: Path) -> None:
    note = sealer.seal()
    assert head(note) == Checkpoint("log.example/log", 0, EMPTY_ROOT)
    assert copy.read_text() == note


def test_sealing_covers_everything_and_is_kept_twice(full: Database, sealer: LogSealer, copy: Path) -> None:
    note = sealer.seal()
    assert head(note).size == SIZE
    assert LogTree(full).sealed().note == note == copy.read_text()


def test_sealing_again_signs_nothing_new(full: Database, sealer: LogSealer) -> None:
    assert sealer.seal() == sealer.seal()


@pytest.mark.parametrize("sizes", [(1, 255, 256, 257), (300, 512, 513), (TILE * 3,)])
def test_the_root_does_not_depend_on_how_often_was_sealed(database: Database, sealer: LogSealer, sizes: tuple[int, ...]) -> None:
    tree = LogTree(database)
    for size in sizes:
        append(database, size - tree.sealed().size)
        found = head(sealer.seal())
        leaves = [leaf for start in range(0, size, MAX_LEAVES) for leaf in tree.leaves(start, size)]
        assert (found.size, found.root) == (size, root_of([leaf_hash(leaf) for leaf in leaves]))


def test_a_log_of_more_than_two_levels(database: Database, sealer: LogSealer, copy: Path) -> None:
    for _ in range(66):
        append(database, 1000)  # 66,000 > 256²
    root = head(sealer.seal()).root
    tree = LogTree(database)
    with database.reading() as connection:
        levels = connection.execute(sa.select(log_nodes.c.level, sa.func.count()).group_by(log_nodes.c.level)).all()
    assert sorted(map(tuple, levels)) == [(1, 257), (2, 1)]
    for index in (0, 65_535, 65_536, 65_999):
        (leaf,) = tree.leaves(index, index + 1)
        verify_inclusion(index, 66_000, leaf=leaf_hash(leaf), proof=tree.inclusion(index, 66_000), root=root)
    assert check(database, copy).root == root


def test_proofs_of_older_sizes(full: Database, sealer: LogSealer) -> None:
    tree = LogTree(full)
    new = head(sealer.seal())
    for size in (1, 2, 255, 256, 257, 512, 599, 600):
        root = tree.root(size)
        verify_consistency(size, SIZE, old_root=root, new_root=new.root, proof=tree.consistency(size, SIZE))
        (leaf,) = tree.leaves(size - 1, size)
        verify_inclusion(size - 1, size, leaf=leaf_hash(leaf), proof=tree.inclusion(size - 1, size), root=root)


def test_what_is_not_sealed_is_not_public(full: Database) -> None:
    append(full, 1)
    tree = LogTree(full)
    for ask in (lambda: tree.leaves(600, 601), lambda: tree.inclusion(600, 601), lambda: tree.consistency(1, 601), lambda: tree.root(601)):
        with pytest.raises(TreeRangeError, match="size 601: the newest checkpoint covers 600 leaves"):
            ask()


def test_leaves_are_handed_out_so_many_at_a_time(database: Database, sealer: LogSealer) -> None:
    append(database, MAX_LEAVES + 1)
    sealer.seal()
    assert len(LogTree(database).leaves(0, MAX_LEAVES + 1)) == MAX_LEAVES


def test_a_crash_after_the_file_and_before_the_row_is_mended(full: Database, sealer: LogSealer, copy: Path) -> None:
    old = LogTree(full).sealed().note
    append(full, 300)
    ahead = sealer.seal()
    tamper(full, sa.update(log_seal).values(size=SIZE, note=old), sa.delete(log_nodes).where(log_nodes.c.number >= 2))
    assert sealer.seal() == ahead
    assert check(full, copy).sealed == 900


def test_two_writers_of_a_thousand_make_one_log(database_url: str, database: Database, copy: Path) -> None:
    sealer = LogSealer(database, signer=SIGNER, copy=copy)
    sealer.seal()
    done = threading.Event()

    def write(name: str) -> None:
        own = open_database(database_url)
        for n in range(1000):
            with own.writing() as connection:
                log.append(connection, kind="test.happened", subject=f"{name}{n}", at=AT, details={})
        own.close()

    def seal() -> list[Checkpoint]:
        heads = []
        while not done.is_set():
            heads.append(head(sealer.seal()))
            done.wait(0.05)
        return heads

    with ThreadPoolExecutor(3) as pool:
        heads = pool.submit(seal)
        for writer in [pool.submit(write, name) for name in "ab"]:
            writer.result()
        done.set()
    last = head(sealer.seal())
    assert last.size == 2000
    report = check(database, copy)
    assert (report.size, report.root) == (2000, last.root)
    for name in "ab":
        own = [entry.subject for entry in log.Log(database).entries() if entry.subject.startswith(name)]
        assert own == [f"{name}{n}" for n in range(1000)]
    tree = LogTree(database)
    for old in {found.size: found for found in heads.result() if found.size}.values():
        proof = tree.consistency(old.size, last.size)
        verify_consistency(old.size, last.size, old_root=old.root, new_root=last.root, proof=proof)


def test_two_sealers_at_once_never_disagree(database: Database, copy: Path) -> None:
    def seal(_: int) -> Checkpoint:
        append(database, 3)
        return head(LogSealer(database, signer=SIGNER, copy=copy).seal())

    with ThreadPoolExecutor(4) as pool:
        heads = list(pool.map(seal, range(40)))
    by_size = {found.size: found.root for found in heads}
    assert all(by_size[found.size] == found.root for found in heads)
    assert check(database, copy).size == 120


def test_entries_from_before_the_tree_get_leaves(empty_database: Database, copy: Path) -> None:
    from alembic import command

    from db.schema import _config, upgrade

    with empty_database.writing() as connection:
        command.upgrade(_config(connection), "0001")
        old = sa.Table(
            "log_entries", sa.MetaData(), *(log_entries.c[name]._copy() for name in ("position", "kind", "subject", "at", "details"))
        )
        rows = [{"position": n, "kind": "old", "subject": "s", "at": AT, "details": {"n": n}} for n in range(1001)]
        connection.execute(sa.insert(old), rows)
        connection.execute(sa.update(log_head).values(size=1001))
    upgrade(empty_database)
    LogSealer(empty_database, signer=SIGNER, copy=copy).seal()
    assert check(empty_database, copy).size == 1001
