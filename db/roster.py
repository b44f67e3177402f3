"""Schools and people in the database: implements :class:`records.roster_ports.RosterStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.roster_saving import RosterSaving
from db.tables import blocked_people, people, personal_codes, schools
from db.upsert import upsert
from records.blocked import Blocked, BlockedReason
from records.errors import NotFoundError, RosterFileError
from records.person import Person, Role, School, Sex, Student, Teacher
from records.roster_ports import Saved

PAGE = 2000  # codes read at a time
_POSTGRESQL = (
    "LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE",  # one import at a time, and who reads goes on; SQLite has one writer anyway
    # The foreign key's check is planned once, over a table that is empty yet, and would walk through all of it for each of the codes:
    # 100,000 took 135 s instead of 8.
    "SET LOCAL enable_seqscan = off",
)


@dataclass(frozen=True)
class Counts:
    """People of a school; `blocked` are among them."""

    staff: int = 0
    pupils: int = 0
    blocked: int = 0


class Roster:
    """Personal codes come in wrapped, lie in a table of their own and leave only by `wrapped_code`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        *,
        schools: Sequence[School],
        people: Iterable[Person],
        blocked: Sequence[Blocked],
        wrap: Callable[[Person], bytes | None],
        at: datetime,
    ) -> Saved:
        """One transaction. Raises RosterFileError where a teacher's id is a student's already, or the other way round."""
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                for statement in _POSTGRESQL:
                    connection.execute(sa.text(statement))
            _save_schools(connection, schools)
            saving = RosterSaving(connection, wrap, at)
            saving.accept(people)
            saving.block(blocked)
            counts = {"schools": len(schools), "people": saving.accepted, "blocked": len(blocked)}
            log.append(connection, kind="roster.saved", subject="roster", at=at, details=counts)
        return saving.saved

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

    def counts(self) -> dict[str, Counts]:
        """By school id; a school without people has no entry."""
        kinds = [sa.func.sum(sa.case((people.c.kind == kind, 1), else_=0)) for kind in ("teacher", "student")]
        chosen = sa.select(people.c.school_id, *kinds, sa.func.count(blocked_people.c.person_id)).group_by(people.c.school_id)
        with self._database.reading() as connection:
            rows = connection.execute(chosen.outerjoin(blocked_people, blocked_people.c.person_id == people.c.id)).all()
        return {school: Counts(*map(int, numbers)) for school, *numbers in rows}

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

    def person(self, person_id: str) -> Person | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(people).where(people.c.id == person_id)).one_or_none()
        return None if row is None else person_of(row._mapping)

    def wrapped_code(self, person_id: str) -> bytes | None:
        chosen = sa.select(personal_codes.c.wrapped_code).where(personal_codes.c.person_id == person_id)
        with self._database.reading() as connection:
            code = connection.execute(chosen).scalar()
        return None if code is None else bytes(code)

    def wrapped_codes(self, *, school_id: str | None = None) -> Iterator[tuple[str, bytes]]:
        """(person id, code as stored), sorted by id and read a page at a time."""
        chosen = sa.select(personal_codes.c.person_id, personal_codes.c.wrapped_code).order_by(personal_codes.c.person_id).limit(PAGE)
        if school_id is not None:
            chosen = chosen.join(people, people.c.id == personal_codes.c.person_id).where(people.c.school_id == school_id)
        after = ""
        while True:
            with self._database.reading() as connection:
                page = connection.execute(chosen.where(personal_codes.c.person_id > after)).all()
            yield from ((row.person_id, bytes(row.wrapped_code)) for row in page)
            if len(page) < PAGE:
                return
            after = page[-1].person_id


def _save_schools(connection: sa.Connection, found: Sequence[School]) -> None:
    try:
        upsert(connection, schools, [asdict(school) for school in found])
    except sa.exc.IntegrityError:
        raise RosterFileError("a school's identifier belongs to another school id; expected one id for each identifier") from None


def _chosen(kind: str, school_id: str | None) -> sa.Select[Any]:
    chosen = sa.select(people).where(people.c.kind == kind).order_by(people.c.id)
    return chosen if school_id is None else chosen.where(people.c.school_id == school_id)


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


def person_of(row: sa.RowMapping) -> Person:
    """A person from a row that has the columns of `people`."""
    return _teacher(row) if row["kind"] == "teacher" else _student(row)


def _blocked(row: sa.RowMapping) -> Blocked:
    return Blocked(person=person_of(row), reason=BlockedReason(row["reason"]), file=row["file"], row=row["row"], detail=row["detail"])
