"""Schools and people in the database: implements :class:`records.ports.RosterStore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables import blocked_people, people, personal_codes, schools
from db.upsert import upsert
from records.blocked import Blocked, BlockedReason
from records.errors import NotFoundError, RosterFileError
from records.person import Person, Role, School, Sex, Student, Teacher

LOOKUP = 500  # ids in one IN list; SQLite allows 32,766 parameters


class Roster:
    """Personal codes come in wrapped, lie in a table of their own and leave only by `wrapped_code`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        *,
        schools: Sequence[School],
        people: Sequence[Person],
        blocked: Sequence[Blocked],
        wrapped_codes: Mapping[str, bytes],
        at: datetime,
    ) -> None:
        """One transaction. Raises RosterFileError where a teacher's id is a student's already, or the other way round."""
        everyone = [*people, *(item.person for item in blocked)]
        codes = [{"person_id": person, "wrapped_code": code, "saved_at": at} for person, code in wrapped_codes.items()]
        counts = {"schools": len(schools), "people": len(people), "blocked": len(blocked)}
        with self._database.writing() as connection:
            _refuse_other_kind(connection, everyone)
            _save_schools(connection, schools)
            upsert(connection, _people, [_person_row(person) for person in everyone])
            _lift_blocks(connection, [person.id for person in people])
            upsert(connection, blocked_people, [_blocked_row(item) for item in blocked])
            upsert(connection, personal_codes, codes)
            log.append(connection, kind="roster.saved", subject="roster", at=at, details=counts)

    def school(self, school_id: str) -> School:
        """Raises :class:`records.errors.NotFoundError`."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(schools).where(schools.c.id == school_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"school {school_id} is not in the roster")
        return School(**row._mapping)

    def schools(self) -> tuple[School, ...]:
        """Sorted by id."""
        with self._database.reading() as connection:
            return tuple(School(**row._mapping) for row in connection.execute(sa.select(schools).order_by(schools.c.id)))

    def teachers(self, *, school_id: str | None = None) -> tuple[Teacher, ...]:
        """Sorted by id; blocked ones included."""
        with self._database.reading() as connection:
            rows = connection.execute(_chosen("teacher", school_id)).all()
        return tuple(_teacher(row._mapping) for row in rows)

    def students(self, *, school_id: str | None = None, class_name: str | None = None) -> tuple[Student, ...]:
        """Sorted by id; blocked ones included."""
        chosen = _chosen("student", school_id)
        if class_name is not None:
            chosen = chosen.where(people.c.class_name == class_name)
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
        return tuple(_student(row._mapping) for row in rows)

    def blocked(self, *, school_id: str | None = None) -> tuple[Blocked, ...]:
        """Sorted by the person's id."""
        chosen = sa.select(blocked_people, people).join(people, people.c.id == blocked_people.c.person_id).order_by(people.c.id)
        if school_id is not None:
            chosen = chosen.where(people.c.school_id == school_id)
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
        return tuple(_blocked(row._mapping) for row in rows)

    def wrapped_code(self, person_id: str) -> bytes | None:
        chosen = sa.select(personal_codes.c.wrapped_code).where(personal_codes.c.person_id == person_id)
        with self._database.reading() as connection:
            code = connection.execute(chosen).scalar()
        return None if code is None else bytes(code)


_people = people  # `save` has an argument of that name


def _save_schools(connection: sa.Connection, found: Sequence[School]) -> None:
    try:
        upsert(connection, schools, [asdict(school) for school in found])
    except sa.exc.IntegrityError:
        raise RosterFileError("a school's identifier belongs to another school id; expected one id for each identifier") from None


def _refuse_other_kind(connection: sa.Connection, everyone: Sequence[Person]) -> None:
    kinds = {person.id: _kind(person) for person in everyone}
    ids = list(kinds)
    for start in range(0, len(ids), LOOKUP):
        chosen = sa.select(people.c.id, people.c.kind).where(people.c.id.in_(ids[start : start + LOOKUP]))
        for row in connection.execute(chosen):
            if row.kind != kinds[row.id]:
                raise RosterFileError(f"id {row.id} is a {row.kind}'s already; a {kinds[row.id]} needs another")


def _lift_blocks(connection: sa.Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), LOOKUP):
        connection.execute(sa.delete(blocked_people).where(blocked_people.c.person_id.in_(ids[start : start + LOOKUP])))


def _kind(person: Person) -> str:
    return "teacher" if isinstance(person, Teacher) else "student"


def _chosen(kind: str, school_id: str | None) -> sa.Select[Any]:
    chosen = sa.select(people).where(people.c.kind == kind).order_by(people.c.id)
    return chosen if school_id is None else chosen.where(people.c.school_id == school_id)


def _person_row(person: Person) -> dict[str, Any]:
    common = {
        "id": person.id,
        "kind": _kind(person),
        "school_id": person.school_id,
        "surname": person.surname,
        "given_name": person.given_name,
        "sex": person.sex.value,
        "birth_date": person.birth_date,
    }
    if isinstance(person, Teacher):
        return {**common, "birth_place": None, "class_name": None, "role": person.role.value, "homeroom": person.homeroom}
    return {**common, "birth_place": person.birth_place, "class_name": person.class_name, "role": None, "homeroom": None}


def _teacher(row: sa.RowMapping) -> Teacher:
    return Teacher(
        id=row["id"],
        school_id=row["school_id"],
        surname=row["surname"],
        given_name=row["given_name"],
        sex=Sex(row["sex"]),
        birth_date=row["birth_date"],
        role=Role(row["role"]),
        homeroom=row["homeroom"],
    )


def _student(row: sa.RowMapping) -> Student:
    return Student(
        id=row["id"],
        school_id=row["school_id"],
        class_name=row["class_name"],
        surname=row["surname"],
        given_name=row["given_name"],
        sex=Sex(row["sex"]),
        birth_date=row["birth_date"],
        birth_place=row["birth_place"],
    )


def _blocked_row(item: Blocked) -> dict[str, Any]:
    return {"person_id": item.person.id, "reason": item.reason.value, "file": item.file, "row": item.row, "detail": item.detail}


def person_of(row: sa.RowMapping) -> Person:
    """A person from a row that has the columns of `people`."""
    return _teacher(row) if row["kind"] == "teacher" else _student(row)


def _blocked(row: sa.RowMapping) -> Blocked:
    return Blocked(person=person_of(row), reason=BlockedReason(row["reason"]), file=row["file"], row=row["row"], detail=row["detail"])
