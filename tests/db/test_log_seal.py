"""What the sealer refuses to sign over."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import LogTamperedError
from db.log_seal import LogSealer
from db.tables_log import log_entries, log_head, log_nodes, log_seal
from tests.support.log_cases import OTHER, append, forged, tamper


def refused(sealer: LogSealer, copy: Path, why: str) -> None:
    before = copy.read_bytes() if copy.exists() else None
    with pytest.raises(LogTamperedError, match=why):
        sealer.seal()
    assert (copy.read_bytes() if copy.exists() else None) == before


def test_nothing_is_signed_over_a_shortened_log(full: Database, sealer: LogSealer, copy: Path) -> None:
    tamper(full, sa.delete(log_entries).where(log_entries.c.position >= 590), sa.update(log_head).values(size=590))
    refused(sealer, copy, "the log has 590 entries, the checkpoint in the database covers 600: entries were removed")


def test_nothing_is_signed_over_a_changed_past(full: Database, sealer: LogSealer, copy: Path) -> None:
    tamper(full, forged(full, 599, kind="forged.entry"))
    append(full, 1)
    refused(sealer, copy, "the first 600 entries are not those of the checkpoint in the database")


def test_nothing_is_signed_where_only_the_file_remembers(full: Database, sealer: LogSealer, copy: Path) -> None:
    tamper(
        full,
        sa.delete(log_entries),
        sa.delete(log_nodes),
        sa.update(log_head).values(size=0),
        sa.update(log_seal).values(size=0, note=None),
    )
    append(full, 700)
    refused(sealer, copy, "the first 600 entries are not those of the checkpoint in .*/checkpoint")


def test_nothing_is_signed_after_another_keys_checkpoint(full: Database, copy: Path) -> None:
    append(full, 1)
    refused(
        LogSealer(full, signer=OTHER, copy=copy),
        copy,
        r"the checkpoint in the database was not signed by this log: note: .* has not signed it",
    )


def test_another_key_is_noticed_also_where_nothing_new_came(full: Database, copy: Path) -> None:
    refused(LogSealer(full, signer=OTHER, copy=copy), copy, "was not signed by this log")


def test_adopting_looks_no_further_back_than_the_lost_copy(full: Database, sealer: LogSealer, copy: Path) -> None:
    """Where the log's own key signed the database's checkpoint, that still counts."""
    copy.unlink()
    tamper(full, forged(full, 599, kind="forged.entry"))
    with pytest.raises(LogTamperedError, match="the first 600 entries are not those of the checkpoint in the database"):
        sealer.seal(adopt=True)


def test_a_lost_copy_stops_sealing_until_it_is_adopted(full: Database, sealer: LogSealer, copy: Path) -> None:
    copy.unlink()
    refused(sealer, copy, "checkpoint is missing; restore it from a backup, or, if the database is to be believed")
    assert sealer.seal(adopt=True) == copy.read_text()


def test_a_copy_that_is_no_text_stops_sealing(full: Database, sealer: LogSealer, copy: Path) -> None:
    copy.write_bytes(b"\xff")
    refused(sealer, copy, "is no checkpoint; restore it from a backup")


@pytest.mark.parametrize("size", [0, 599, 601])
def test_nothing_is_signed_where_the_seal_was_moved(full: Database, sealer: LogSealer, copy: Path, size: int) -> None:
    tamper(full, sa.update(log_seal).values(size=size))
    append(full, 300)
    refused(sealer, copy, f"the log's seal says {size} entries, the checkpoint in the database covers 600")
