"""People of bulk batches in the database: where each waits, and what the roster and the books say of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db.engine import Database
from db.roster import person_of
from db.tables import blocked_people, certificates, people, personal_codes
from db.tables_bulk import bulk_people
from pki.ports import CertificateState
from records.bulk import BulkError, Place, Refusal
from records.bulk_ports import Applicant, Candidate

LOOKUP = 500  # ids in one IN list; SQLite allows 32,766 parameters
SHOWN = 3  # ids that a message names

_FORCE = (CertificateState.ISSUED.value, CertificateState.SUSPENDED.value)


class BulkPeople:
    """Who is in a batch, and who could be."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def places(self, batch_id: str, *, after: int = -1, limit: int) -> Sequence[Place]:
        """By position, from beyond `after`."""
        chosen = sa.select(bulk_people).where(bulk_people.c.batch_id == batch_id, bulk_people.c.position > after)
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(bulk_people.c.position).limit(limit)).all()
        return [_place(row._mapping) for row in rows]

    def applicants(self, batch_id: str, number: int, *, at: datetime) -> Sequence[Applicant]:
        """Those of a chunk who still wait, by position."""
        in_force = (
            sa.exists()
            .where(certificates.c.holder == bulk_people.c.person_id, certificates.c.state.in_(_FORCE), certificates.c.not_after > at)
            .label("certified")
        )
        place = [bulk_people.c[name].label(f"place_{name}") for name in ("position", "person_id", "chunk", "sheet", "facts")]
        chosen = (
            sa.select(*place, people, personal_codes.c.wrapped_code, blocked_people.c.person_id.label("blocked"), in_force)
            .select_from(bulk_people)
            .outerjoin(people, people.c.id == bulk_people.c.person_id)
            .outerjoin(personal_codes, personal_codes.c.person_id == bulk_people.c.person_id)
            .outerjoin(blocked_people, blocked_people.c.person_id == bulk_people.c.person_id)
            .where(bulk_people.c.batch_id == batch_id, bulk_people.c.chunk == number, bulk_people.c.state == "waiting")
            .order_by(bulk_people.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
        return [_applicant(row._mapping) for row in rows]

    def candidates(self, ids: Sequence[str], *, at: datetime) -> Sequence[Candidate]:
        """Those of `ids` whom the roster knows, sorted by id."""
        found = list[Candidate]()
        in_force = sa.exists().where(certificates.c.holder == people.c.id, certificates.c.state.in_(_FORCE), certificates.c.not_after > at)
        elsewhere = (
            sa.select(sa.func.min(bulk_people.c.batch_id))
            .where(bulk_people.c.person_id == people.c.id, bulk_people.c.state == "waiting")
            .scalar_subquery()
        )
        chosen = (
            sa.select(people, personal_codes.c.wrapped_code, blocked_people.c.person_id.label("blocked"))
            .add_columns(in_force.label("certified"), elsewhere.label("waiting_in"))
            .outerjoin(personal_codes, personal_codes.c.person_id == people.c.id)
            .outerjoin(blocked_people, blocked_people.c.person_id == people.c.id)
        )
        with self._database.reading() as connection:
            for start in range(0, len(ids), LOOKUP):
                rows = connection.execute(chosen.where(people.c.id.in_(ids[start : start + LOOKUP])))
                found += [_candidate(row._mapping) for row in rows]
        return sorted(found, key=lambda candidate: candidate.person.id)

    def refusals(self, batch_id: str) -> tuple[Refusal, ...]:
        """By position."""
        chosen = sa.select(bulk_people.c.person_id, bulk_people.c.reason).where(
            bulk_people.c.batch_id == batch_id, bulk_people.c.state == "refused"
        )
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(bulk_people.c.position)).all()
        return tuple(Refusal(row.person_id, row.reason) for row in rows)


def refuse_waiting(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Nobody waits in two batches."""
    taken = list[str]()
    for start in range(0, len(ids), LOOKUP):
        found = sa.select(bulk_people.c.person_id, bulk_people.c.batch_id).where(
            bulk_people.c.person_id.in_(ids[start : start + LOOKUP]), bulk_people.c.state == "waiting"
        )
        taken += [f"{row.person_id} (batch {row.batch_id})" for row in connection.execute(found.limit(SHOWN))]
    if taken:
        raise BulkError(f"some wait in another batch already: {', '.join(taken[:SHOWN])}; let that batch end, or refuse its request")


def place_row(batch_id: str, place: Place) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "position": place.position,
        "person_id": place.person_id,
        "chunk": place.chunk,
        "sheet": place.sheet,
        "facts": place.facts,
        "state": "waiting",
    }


def _place(row: sa.RowMapping, prefix: str = "") -> Place:
    return Place(
        position=row[f"{prefix}position"],
        person_id=row[f"{prefix}person_id"],
        chunk=row[f"{prefix}chunk"],
        sheet=row[f"{prefix}sheet"],
        facts=bytes(row[f"{prefix}facts"]),
    )


def _applicant(row: sa.RowMapping) -> Applicant:
    wrapped = row["wrapped_code"]
    return Applicant(
        place=_place(row, "place_"),
        person=None if row["id"] is None else person_of(row),
        wrapped_code=None if wrapped is None else bytes(wrapped),
        blocked=row["blocked"] is not None,
        certified=bool(row["certified"]),
    )


def _candidate(row: sa.RowMapping) -> Candidate:
    wrapped = row["wrapped_code"]
    return Candidate(
        person=person_of(row),
        wrapped_code=None if wrapped is None else bytes(wrapped),
        blocked=row["blocked"] is not None,
        certified=bool(row["certified"]),
        waiting_in=row["waiting_in"],
    )
