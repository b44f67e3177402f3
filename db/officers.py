"""Registration officers in the database: implements :class:`records.registration_ports.OfficerStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables_registration import officers
from db.upsert import upsert
from pki.registration.approval import UnknownOfficerError
from records.errors import OfficerError
from records.registration_ports import Officer


class Officers:
    """PIN attempts are transactions of their own, durable when a method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, officer: Officer, *, vouched_by: Sequence[str], reason: str) -> None:
        """Raises :class:`records.errors.OfficerError` where one of that id is in office."""
        with self._database.writing() as connection:
            if officer.id in in_office(connection):
                raise OfficerError(f"{officer.id} is an officer already; remove them first to give them a new PIN")
            upsert(connection, officers, [asdict(officer)])
            details = {"vouched_by": sorted(vouched_by), **({"reason": reason} if reason else {})}
            log.append(connection, kind="officer.added", subject=f"officer/{officer.id}", at=officer.added_at, details=details)

    def remove(self, officer_id: str, *, by: str, at: datetime) -> None:
        """Raises :class:`pki.registration.approval.UnknownOfficerError`."""
        with self._database.writing() as connection:
            chosen = sa.update(officers).where(officers.c.id == officer_id, officers.c.removed_at.is_(None))
            if connection.execute(chosen.values(removed_at=at)).rowcount != 1:
                raise _unknown(officer_id)
            log.append(connection, kind="officer.removed", subject=f"officer/{officer_id}", at=at, details={"by": by})

    def get(self, officer_id: str) -> Officer:
        """Of those in office; raises :class:`pki.registration.approval.UnknownOfficerError`."""
        chosen = sa.select(officers).where(officers.c.id == officer_id, officers.c.removed_at.is_(None))
        with self._database.reading() as connection:
            row = connection.execute(chosen).one_or_none()
        if row is None:
            raise _unknown(officer_id)
        return Officer(**row._mapping)

    def all(self) -> tuple[Officer, ...]:
        """Removed ones too, sorted by id."""
        with self._database.reading() as connection:
            return tuple(Officer(**row._mapping) for row in connection.execute(sa.select(officers).order_by(officers.c.id)))

    def begin(self, officer_id: str, *, most: int) -> bool:
        """Comparison and count are one statement."""
        counted = sa.update(officers).where(officers.c.id == officer_id, officers.c.wrong < most).values(wrong=officers.c.wrong + 1)
        with self._database.writing_alone() as connection:
            return connection.execute(counted).rowcount == 1

    def right(self, officer_id: str) -> None:
        with self._database.writing_alone() as connection:
            connection.execute(sa.update(officers).where(officers.c.id == officer_id).values(wrong=0))

    def wrong(self, officer_id: str, *, most: int, at: datetime) -> int:
        with self._database.writing_alone() as connection:
            count = int(connection.execute(sa.select(officers.c.wrong).where(officers.c.id == officer_id)).scalar_one())
            details = {"count": count, "locked": count >= most}
            log.append(connection, kind="officer.wrong_pin", subject=f"officer/{officer_id}", at=at, details=details)
        return count

    def take_back(self, officer_id: str) -> None:
        chosen = sa.update(officers).where(officers.c.id == officer_id, officers.c.wrong > 0)
        with self._database.writing_alone() as connection:
            connection.execute(chosen.values(wrong=officers.c.wrong - 1))


def in_office(connection: sa.Connection) -> frozenset[str]:
    """Ids of those who may approve now. Locked ones are among them: their PIN decides."""
    return frozenset(connection.execute(sa.select(officers.c.id).where(officers.c.removed_at.is_(None))).scalars())


def _unknown(officer_id: str) -> UnknownOfficerError:
    return UnknownOfficerError(f"{officer_id} is not a registration officer; `eduseal officer list` names who is")
