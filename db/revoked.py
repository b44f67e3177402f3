"""What revocation lists need of the books, and no more: narrow rows from an index of their own, a shard at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from db.engine import Database
from db.tables import certificates
from db.types import SERIAL_DIGITS

PAGE = 20_000  # rows held at a time
LAST_DIGITS = 2  # of a serial, by which SQL tells shards apart as far as it can
_SPAN = 16**LAST_DIGITS


@dataclass(frozen=True, slots=True)
class RevokedRow:
    """Implements :class:`pki.ports.RevokedEntry`."""

    issuer: str
    serial: int
    revoked_at: datetime
    revocation_reason: str | None


def revoked_rows(database: Database, issuer: str, *, shard: int, shards: int) -> Iterator[RevokedRow]:
    """Every revoked or suspended certificate of `issuer` with serial mod `shards` == `shard`, by serial."""
    columns = (certificates.c.serial, certificates.c.revoked_at, certificates.c.revocation_reason)
    chosen = sa.select(*columns).where(certificates.c.issuer == issuer, certificates.c.revoked_at.is_not(None), *_digits(shard, shards))
    last = 0
    while True:
        with database.reading() as connection:
            rows = connection.execute(chosen.where(certificates.c.serial > last).order_by(certificates.c.serial).limit(PAGE)).all()
        for serial, revoked_at, reason in rows:
            if serial % shards == shard:
                yield RevokedRow(issuer, serial, revoked_at, reason)
        if len(rows) < PAGE:
            return
        last = rows[-1].serial


def _digits(shard: int, shards: int) -> list[sa.ColumnElement[bool]]:
    """A condition that every serial of the shard fulfils: where the number of shards is a power of two up to 256, no other does."""
    step = math.gcd(shards, _SPAN)
    if step == 1:
        return []
    endings = [f"{number:0{LAST_DIGITS}x}" for number in range(shard % step, _SPAN, step)]
    return [sa.func.substr(certificates.c.serial, SERIAL_DIGITS - LAST_DIGITS + 1).in_(endings)]
