"""Certificates that end soon, and the notices raised of it: each once for a threshold, with its entry in the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from db.blocked_keys import entry_from
from db.engine import Database
from db.log import NewEntry, append_all
from db.tables import certificates, people
from db.tables_life import expiry_notices
from db.upsert import insert_new
from pki.issuing.certificate_life import STANDING
from pki.issuing.expiry import Ending

PAGE = 1000  # rows read at a time
PIECE = 200  # notices in one statement: SQLite before 3.32 takes 999 parameters
SEAL = "seal/"  # records.enrolment.seal_holder


class ExpiryNotices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ending(self, *, at: datetime, by: datetime, school_id: str | None = None) -> tuple[Ending, ...]:
        """Certificates that stand at `at` and end at or before `by`, soonest first, where no later one of the holder and profile stands.

        The certificates themselves stay where they are (`certificate_der` is None): a batch ends on one day, a hundred thousand at once.
        """
        c, later = certificates.c, certificates.alias("later")
        states = [state.value for state in STANDING]
        followed = (
            (later.c.holder == c.holder) & (later.c.profile == c.profile) & (later.c.not_after > c.not_after) & later.c.state.in_(states)
        )
        chosen = (
            sa.select(*(column for column in c if column is not c.certificate_der), people.c.school_id)
            .outerjoin(people, people.c.id == c.holder)
            .where(c.state.in_(states), c.not_after >= at, c.not_after <= by, ~sa.exists().where(followed))
            .order_by(c.not_after, c.issuer, c.serial)
        )
        found = []
        with self._database.reading() as connection:
            noticed = defaultdict(set)
            own = (c.issuer == expiry_notices.c.issuer) & (c.serial == expiry_notices.c.serial)
            of_these = sa.select(expiry_notices).join(certificates, own).where(c.not_after >= at, c.not_after <= by)
            for row in connection.execute(of_these):
                noticed[row.issuer, row.serial].add(row.days)
            for row in connection.execute(chosen.execution_options(yield_per=PAGE)):
                fields = dict(row._mapping)
                school = fields.pop("school_id")
                if school is None and row.holder.startswith(SEAL):
                    school = row.holder.removeprefix(SEAL)
                if school_id in (None, school):
                    found.append(Ending(entry_from(fields), school, frozenset(noticed.get((row.issuer, row.serial), ()))))
        return tuple(found)

    def raise_notices(self, notices: Sequence[tuple[Ending, int]], *, at: datetime) -> tuple[Ending, ...]:
        """Notes (certificate, threshold in days) and tells the log, in one transaction. Returns those that nobody noted before."""
        by_key = {(ending.entry.issuer, ending.entry.serial, days): ending for ending, days in notices}
        raised: dict[tuple[str, int, int], Ending] = {}
        with self._database.writing() as connection:
            for start in range(0, len(by_key), PIECE):
                keys = list(by_key)[start : start + PIECE]
                rows = [{"issuer": issuer, "serial": serial, "days": days, "noticed_at": at} for issuer, serial, days in keys]
                noted = insert_new(connection, expiry_notices, rows)  # not those that somebody else noted
                raised |= {key: by_key[key] for key in keys if key in noted}
            if raised:
                append_all(connection, [_told(ending, days, at) for (_, _, days), ending in raised.items()])
        return tuple(raised.values())


def _told(ending: Ending, days: int, at: datetime) -> NewEntry:
    entry = ending.entry
    subject = f"certificate/{entry.issuer}/{entry.serial:x}"
    return NewEntry("certificate.expiry-noticed", subject, at, {"days": days, "ends": entry.not_after.isoformat()})
