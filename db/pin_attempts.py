"""How often each key's PIN was tried, in the database: implements :class:`records.key_ports.PinAttemptStore`.

Every method is a transaction of its own, durable when it returns: an attempt is counted before the PIN is tried, whatever comes then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables import pin_attempts
from db.upsert import insert_missing
from records.key_ports import HolderKey

_NO_UNLOCK: Mapping[str, Any] = {"unlock_by": None, "unlock_code_sha256": None, "unlock_until": None, "unlock_tries": 0}


class PinAttempts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: HolderKey, *, most: int, at: datetime) -> bool:
        """Counts an attempt BEFORE the PIN is tried; False where `most` are counted already. Comparison and count are one statement."""
        counted = _update(key).where(pin_attempts.c.wrong < most).values(wrong=pin_attempts.c.wrong + 1, last_at=at)
        with self._database.writing_alone() as connection:
            _ensure(connection, key, at)
            return connection.execute(counted).rowcount == 1

    def begin_unlocking(self, key: HolderKey, *, code_sha256: bytes, at: datetime) -> bool:
        """Takes one of the tries that an unlock gave; False where code or time is wrong, or none is left."""
        good = (pin_attempts.c.unlock_code_sha256 == code_sha256) & (pin_attempts.c.unlock_until > at) & (pin_attempts.c.unlock_tries > 0)
        taken = _update(key).where(good).values(unlock_tries=pin_attempts.c.unlock_tries - 1, wrong=pin_attempts.c.wrong + 1, last_at=at)
        with self._database.writing_alone() as connection:
            return connection.execute(taken).rowcount == 1

    def right(self, key: HolderKey, *, most: int, at: datetime) -> None:
        """Clears the count and any unlock; `pin.unlocked` goes to the log where the key had been locked before this attempt."""
        with self._database.writing_alone() as connection:
            before = connection.execute(_select(key)).one()
            connection.execute(_update(key).values(wrong=0, last_at=at, **_NO_UNLOCK))
            if before.wrong > most:  # only an unlock counts beyond it
                _log(connection, "unlocked", key, at, {"granted_by": before.unlock_by})

    def wrong(self, key: HolderKey, *, most: int, at: datetime) -> None:
        with self._database.writing_alone() as connection:
            count = connection.execute(_select(key)).one().wrong
            _log(connection, "wrong", key, at, {"count": count, "locked": count >= most})

    def take_back(self, key: HolderKey) -> None:
        """Uncounts an attempt whose PIN was not tried after all, for another fault."""
        with self._database.writing_alone() as connection:
            connection.execute(_update(key).where(pin_attempts.c.wrong > 0).values(wrong=pin_attempts.c.wrong - 1))

    def wrong_so_far(self, key: HolderKey) -> int:
        with self._database.reading() as connection:
            row = connection.execute(_select(key)).one_or_none()
        return 0 if row is None else int(row.wrong)

    def grant_unlock(self, key: HolderKey, *, by: str, code_sha256: bytes, tries: int, until: datetime, at: datetime) -> None:
        """Replaces any earlier unlock and writes `pin.unlock_granted` to the log. The count stays."""
        unlock = {"unlock_by": by, "unlock_code_sha256": code_sha256, "unlock_until": until, "unlock_tries": tries}
        with self._database.writing_alone() as connection:
            _ensure(connection, key, at)
            connection.execute(_update(key).values(**unlock))
            _log(connection, "unlock_granted", key, at, {"by": by, "until": until.isoformat()})

    def reset(self, key: HolderKey, *, by: str, at: datetime) -> None:
        with self._database.writing_alone() as connection:
            _log(connection, "reset", key, at, {"by": by})


def _ensure(connection: sa.Connection, key: HolderKey, at: datetime) -> None:
    row = {"holder": key.holder, "issuer": key.issuer, "serial": key.serial, "wrong": 0, "last_at": at, "unlock_tries": 0}
    insert_missing(connection, pin_attempts, [row])


def _is(key: HolderKey) -> sa.ColumnElement[bool]:
    table = pin_attempts.c
    return (table.holder == key.holder) & (table.issuer == key.issuer) & (table.serial == key.serial)


def _select(key: HolderKey) -> sa.Select[Any]:
    return sa.select(pin_attempts).where(_is(key))


def _update(key: HolderKey) -> sa.Update:
    return sa.update(pin_attempts).where(_is(key))


def _log(connection: sa.Connection, what: str, key: HolderKey, at: datetime, details: Mapping[str, Any]) -> None:
    named = {"issuer": key.issuer, "serial": f"{key.serial:x}", **details}
    log.append(connection, kind=f"pin.{what}", subject=f"holder/{key.holder}", at=at, details=named)
