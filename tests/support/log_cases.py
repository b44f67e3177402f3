"""A log with entries in it, and what somebody who holds the database could do to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from db import log
from db.engine import Database
from db.log_check import LogReport, check_log
from db.log_leaf import canonical_entry, leaf_of
from db.tables_log import log_entries
from pki.log.checkpoint import Checkpoint, opened_checkpoint
from pki.log.note import NoteSigner

AT = datetime(2026, 6, 1, 8, 0, 0, 123456, tzinfo=UTC)
SIGNER = NoteSigner("log.example/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = NoteSigner("log.example/log", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
SIZE = 600  # two complete runs of 256, and a rest


def append(database: Database, count: int, subject: str = "s") -> None:
    entries = [log.NewEntry("test.happened", f"{subject}{n}", AT, {"name": "Nguyễn", "n": n}) for n in range(count)]
    with database.writing() as connection:
        log.append_all(connection, entries)


def head(note: str) -> Checkpoint:
    return opened_checkpoint(note, SIGNER.key)


def check(database: Database, copy: Path, **kept: str) -> LogReport:
    return check_log(database, key=SIGNER.key, notes={"the file": copy.read_text(), **kept})


def tamper(database: Database, *statements: sa.Executable | str) -> None:
    """As somebody who holds the database would: triggers stop nobody who can drop them."""
    with database.writing() as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS log_entries_no_{verb}")
        else:
            connection.exec_driver_sql("ALTER TABLE log_entries DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


def at_position(position: int) -> sa.Update:
    return sa.update(log_entries).where(log_entries.c.position == position)


def forged(database: Database, position: int, **values: Any) -> sa.Update:
    """An entry changed together with its leaf: the database holds the salts, so whoever holds it can do that."""
    with database.reading() as connection:
        row = connection.execute(sa.select(log_entries).where(log_entries.c.position == position)).one()
    changed = {**row._mapping, **values}
    details = json.dumps(changed["details"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    entry = canonical_entry(
        position=changed["position"], kind=changed["kind"], subject=changed["subject"], at=changed["at"], details_json=details
    )
    return at_position(position).values(**values, leaf=leaf_of(row.salt, entry))
