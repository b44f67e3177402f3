"""Every kind of tampering is found, whatever else was made to fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from db.engine import Database, open_database
from db.errors import LogTamperedError
from db.log_check import check_log
from db.log_seal import LogSealer
from db.log_tree import TILE
from db.tables_log import log_entries, log_head, log_nodes, log_seal
from pki.log.merkle import leaf_hash, node_hash, root_of
from tests.support.log_cases import AT, SIGNER, append, at_position, check, forged, tamper


def test_a_whole_log_is_whole(full: Database, copy: Path) -> None:
    append(full, 2)
    report = check(full, copy)
    assert (report.size, report.sealed, len(report.checkpoints)) == (602, 600, 2)


def test_an_older_checkpoint_still_fits(database: Database, sealer: LogSealer, copy: Path) -> None:
    append(database, 7)
    kept = sealer.seal()
    append(database, 300)
    sealer.seal()
    assert [found.size for found in check(database, copy, kept=kept).checkpoints] == [307, 307, 7]


FLIPS: dict[str, Callable[[], dict[str, Any]]] = {
    "kind": lambda: {"kind": "test.happenee"},
    "subject": lambda: {"subject": "s16"},
    "at": lambda: {"at": AT.replace(microsecond=123457)},
    "details": lambda: {"details": {"name": "Nguyen", "n": 17}},
    "salt": lambda: {"salt": bytes(32)},
    "leaf": lambda: {"leaf": bytes(32)},
}


@pytest.mark.parametrize("column", FLIPS)
@pytest.mark.parametrize("position", [17, 599, 601])
def test_a_changed_value_is_found(full: Database, copy: Path, column: str, position: int) -> None:
    append(full, 2)  # 600 and 601 are not sealed yet
    tamper(full, at_position(position).values(**FLIPS[column]()))
    with pytest.raises(LogTamperedError, match=f"entry {position} was altered"):
        check(full, copy)


def test_white_space_in_stored_details_is_found(full: Database, copy: Path) -> None:
    tamper(full, """UPDATE log_entries SET details = '{"n": 17,"name":"Nguyễn"}' WHERE position = 17""")
    with pytest.raises(LogTamperedError, match="entry 17 was altered"):
        check(full, copy)


@pytest.mark.parametrize("position", [0, 17, 256, 599])
def test_a_deleted_entry_is_found(full: Database, copy: Path, position: int) -> None:
    tamper(full, sa.delete(log_entries).where(log_entries.c.position == position))
    with pytest.raises(LogTamperedError, match="the log has 599 entries, its head counts 600: entries were removed"):
        check(full, copy)


def test_a_deleted_entry_is_found_where_the_head_was_lowered(full: Database, copy: Path) -> None:
    append(full, 1)
    tamper(full, sa.delete(log_entries).where(log_entries.c.position == 17), sa.update(log_head).values(size=600))
    with pytest.raises(LogTamperedError, match="entry 17 is missing"):
        check(full, copy)


def test_a_deleted_entry_is_found_where_the_rest_moved_up(full: Database, copy: Path) -> None:
    moved = sa.update(log_entries).where(log_entries.c.position == 599).values(position=17)
    tamper(full, sa.delete(log_entries).where(log_entries.c.position == 17), moved, sa.update(log_head).values(size=599))
    with pytest.raises(LogTamperedError, match="the log has 599 entries, the checkpoint in the database covers 600"):
        check(full, copy)


def test_swapped_entries_are_found(full: Database, copy: Path) -> None:
    swap = [at_position(a).values(position=b) for a, b in ((3, -1), (4, 3), (-1, 4))]
    tamper(full, *swap)
    with pytest.raises(LogTamperedError, match="entry 3 was altered"):
        check(full, copy)


def test_swapped_entries_are_found_where_their_leaves_were_made_anew(full: Database, copy: Path) -> None:
    tamper(
        full,
        forged(full, 3, subject="s4", details={"name": "Nguyễn", "n": 4}),
        forged(full, 4, subject="s3", details={"name": "Nguyễn", "n": 3}),
    )
    with pytest.raises(LogTamperedError, match="entries 0 to 255 are not those that were sealed"):
        check(full, copy)


def test_a_forged_entry_is_found_in_the_rest_that_no_kept_root_covers(full: Database, copy: Path) -> None:
    tamper(full, forged(full, 599, kind="forged.entry"))
    with pytest.raises(LogTamperedError, match="the first 600 entries are not those of the checkpoint in the database"):
        check(full, copy)


def test_a_forged_entry_is_found_where_the_kept_roots_were_made_anew(full: Database, copy: Path) -> None:
    tamper(full, forged(full, 3, kind="forged.entry"))
    with full.reading() as connection:
        leaves = connection.execute(sa.select(log_entries.c.leaf).order_by(log_entries.c.position).limit(TILE)).scalars().all()
    new = root_of([leaf_hash(leaf) for leaf in leaves])
    tamper(full, sa.update(log_nodes).where(log_nodes.c.number == 0).values(hash=new))
    with pytest.raises(LogTamperedError, match="the first 600 entries are not those of the checkpoint in the database"):
        check(full, copy)


def test_a_truncated_log_is_found_by_the_copy_where_the_database_was_rolled_back_whole(
    database: Database, sealer: LogSealer, copy: Path
) -> None:
    append(database, 7)
    old = sealer.seal()
    append(database, 3)
    sealer.seal()
    removed = sa.delete(log_entries).where(log_entries.c.position >= 7)
    tamper(database, removed, sa.update(log_head).values(size=7), sa.update(log_seal).values(size=7, note=old))
    with pytest.raises(LogTamperedError, match="the log has 7 entries, the checkpoint in the file covers 10: entries were removed"):
        check(database, copy)


def test_a_rewritten_log_is_found_by_a_checkpoint_kept_elsewhere(full: Database, sealer: LogSealer, copy: Path) -> None:
    """Whoever holds the log's key can make a whole new log; not one that fits what others have kept."""
    kept = sealer.seal()
    tamper(
        full,
        sa.delete(log_entries),
        sa.delete(log_nodes),
        sa.update(log_head).values(size=0),
        sa.update(log_seal).values(size=0, note=None),
    )
    copy.unlink()
    append(full, 700)
    sealer.seal()
    assert check(full, copy).size == 700
    with pytest.raises(LogTamperedError, match="the first 600 entries are not those of the checkpoint in kept"):
        check(full, copy, kept=kept)


def test_a_changed_checkpoint_is_found(full: Database, copy: Path) -> None:
    copy.write_text(copy.read_text().replace("\n600\n", "\n601\n"))
    with pytest.raises(LogTamperedError, match=r"the checkpoint in the file was not signed by this log: .* does not verify"):
        check(full, copy)


def test_a_changed_root_that_is_kept_is_found(full: Database, copy: Path) -> None:
    tamper(full, sa.update(log_nodes).where(log_nodes.c.number == 1).values(hash=node_hash(b"", b"")))
    with pytest.raises(LogTamperedError, match="entries 256 to 511 are not those that were sealed"):
        check(full, copy)


def test_an_entry_past_the_head_is_found(full: Database, copy: Path) -> None:
    tamper(full, sa.update(log_head).values(size=599))
    with pytest.raises(
        LogTamperedError, match="the log has 600 entries, its head counts 599: entries were added past it, or the head was altered"
    ):
        check(full, copy)


def test_without_a_checkpoint_nothing_is_said_to_be_whole(database: Database) -> None:
    append(database, 1)
    with pytest.raises(LogTamperedError, match="there is no checkpoint to hold the log against"):
        check_log(database, key=SIGNER.key, notes={})


def test_a_lost_seal_is_found(full: Database, sealer: LogSealer, copy: Path) -> None:
    tamper(full, sa.delete(log_seal))
    with pytest.raises(LogTamperedError, match="the log has lost its seal"):
        check(full, copy)


@pytest.mark.parametrize("change", ["at = 'no time'", "details = x'ff'", "kind = x'00'", "salt = 'text'", "subject = 5", "position = 'x'"])
def test_values_of_the_wrong_kind_are_found(tmp_path: Path, change: str) -> None:
    """SQLite keeps whatever it is given."""
    from db.engine import sqlite_url
    from db.schema import upgrade

    database = open_database(sqlite_url(tmp_path / "a.sqlite"))
    upgrade(database)
    copy = tmp_path / "checkpoint"
    append(database, 600)
    LogSealer(database, signer=SIGNER, copy=copy).seal()
    tamper(database, f"UPDATE log_entries SET {change} WHERE position = 17")
    with pytest.raises(LogTamperedError, match=r"entry 17 (was altered|is missing)"):
        check(database, copy)
    database.close()


@pytest.mark.parametrize("size", [0, 599, 601])
def test_a_moved_seal_is_found(full: Database, copy: Path, size: int) -> None:
    tamper(full, sa.update(log_seal).values(size=size))
    with pytest.raises(LogTamperedError, match=f"the log's seal says {size} entries, the checkpoint in the database covers 600"):
        check(full, copy)
