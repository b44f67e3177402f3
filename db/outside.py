"""Other authorities' certificates in the database: implements :class:`records.outside.OutsideStore`."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables import schools
from db.tables_outside import outside_certificates as table
from db.upsert import insert_if_missing
from records.errors import NotEntitledError, NotFoundError
from records.outside import OutsideCertificate
from signing.trust.store import Registered


class OutsideCertificates:
    """Rows are never deleted; every change stands in the log in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, entry: OutsideCertificate) -> OutsideCertificate:
        """Keeps it, or gives back what stands for the same holder and role. Raises :class:`records.errors.NotEntitledError`."""
        with self._database.writing() as connection:
            made = insert_if_missing(connection, table, _row(entry))
            kept = _entry(_one(connection, entry.fingerprint))
            if (kept.holder, kept.role, kept.school_id) != (entry.holder, entry.role, entry.school_id):
                raise NotEntitledError(f"certificate {entry.fingerprint[:16]} is registered for {kept.holder} already")
            if kept.withdrawn_at is not None:
                raise NotEntitledError(f"certificate {entry.fingerprint[:16]} was withdrawn; only another one can be registered")
            if made:
                details = {"holder": entry.holder, "role": entry.role, "authority": entry.authority}
                _log(connection, "outside.registered", entry.fingerprint, entry.registered_at, details)
            return kept

    def withdraw(self, fingerprint: str, *, at: datetime) -> OutsideCertificate:
        """From now on; a second time changes nothing. Raises :class:`records.errors.NotFoundError`."""
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(table).where(_is(fingerprint), table.c.withdrawn_at.is_(None)).values(withdrawn_at=at)
            ).rowcount
            kept = _entry(_one(connection, fingerprint))
            if changed:
                _log(connection, "outside.withdrawn", fingerprint, at, {"holder": kept.holder, "role": kept.role})
            return kept

    def find(self, fingerprint: str) -> OutsideCertificate | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(table).where(_is(fingerprint))).one_or_none()
        return None if row is None else _entry(row)

    def list(self, *, school_id: str | None = None) -> tuple[OutsideCertificate, ...]:
        """Oldest first."""
        chosen = sa.select(table).order_by(table.c.registered_at, table.c.fingerprint)
        if school_id is not None:
            chosen = chosen.where(table.c.school_id == school_id)
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in connection.execute(chosen))

    def registered(self) -> dict[str, Registered]:
        """By fingerprint, for verifiers; the school as its organizationIdentifier."""
        columns = (table.c.fingerprint, table.c.role, schools.c.identifier, table.c.registered_at, table.c.withdrawn_at)
        chosen = sa.select(*columns).join(schools, schools.c.id == table.c.school_id)
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
        return {row.fingerprint.hex(): Registered(row.role, row.identifier, row.registered_at, row.withdrawn_at) for row in rows}


def _is(fingerprint: str) -> sa.ColumnElement[bool]:
    try:
        return table.c.fingerprint == bytes.fromhex(fingerprint)
    except ValueError:
        raise NotFoundError(f"{fingerprint[:64]!r} is no fingerprint; expected 64 hexadecimal digits") from None


def _one(connection: sa.Connection, fingerprint: str) -> sa.Row[Any]:
    row = connection.execute(sa.select(table).where(_is(fingerprint))).one_or_none()
    if row is None:
        raise NotFoundError(f"certificate {fingerprint[:16]} is not registered")
    return row


def _row(entry: OutsideCertificate) -> dict[str, Any]:
    chain = [base64.b64encode(der).decode("ascii") for der in entry.chain]
    return {**asdict(entry), "fingerprint": bytes.fromhex(entry.fingerprint), "chain": chain}


def _entry(row: sa.Row[Any]) -> OutsideCertificate:
    chain = tuple(base64.b64decode(text) for text in row.chain)
    return OutsideCertificate(**{**row._mapping, "fingerprint": row.fingerprint.hex(), "chain": chain})


def _log(connection: sa.Connection, kind: str, fingerprint: str, at: datetime, details: dict[str, str]) -> None:
    log.append(connection, kind=kind, subject=f"outside-certificate/{fingerprint}", at=at, details=details)
