from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from db.engine import Database
from db.log import Log
from db.roster import PAGE, Counts, Roster
from db.roster_saving import PIECE
from records.blocked import Blocked, BlockedReason
from records.errors import NotFoundError, RosterFileError
from records.person import Person, PersonalCode, Role, School, Sex, Student, Teacher
from records.roster_ports import RosterStore, Saved

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SCHOOL = School("s1", "NTRVN-0100109106", "Trường THCS Nguyễn Trãi", "THCS Nguyễn Trãi", "Hà Nội")
OTHER = School("s2", "NTRVN-0100109107", "Trường THCS Lê Lợi", "THCS Lê Lợi", "Hà Nội")
TEACHER = Teacher("t1", "s1", "Trần Thị", "Mai", Sex.FEMALE, date(1980, 3, 1), homeroom="9A")
PRINCIPAL = Teacher("t2", "s2", "Lê Văn", "Bình", Sex.MALE, date(1970, 3, 1), role=Role.PRINCIPAL)
STUDENT = Student("p1", "s1", "9A", "Nguyễn Văn", "Ưng", Sex.MALE, date(2011, 9, 2), birth_place="Huế")
CLASSMATE = Student("p2", "s1", "9B", "Phạm", "An", Sex.FEMALE, date(2011, 9, 3))
BLOCKED = Blocked(CLASSMATE, BlockedReason.MISSING_CODE, "students.csv", 3)


@pytest.fixture
def roster(database: Database) -> RosterStore:
    return Roster(database)


def fill(roster: RosterStore) -> None:
    people = (TEACHER, PRINCIPAL, STUDENT)
    roster.save(schools=(SCHOOL, OTHER), people=people, blocked=(BLOCKED,), wrap=lambda who: {"p1": b"wrapped"}.get(who.id), at=NOW)


def test_what_was_saved_is_read_back_sorted(roster: RosterStore) -> None:
    fill(roster)
    assert roster.schools() == (SCHOOL, OTHER)
    assert roster.school("s2") == OTHER
    assert roster.teachers() == (TEACHER, PRINCIPAL)
    assert roster.students() == (STUDENT, CLASSMATE)
    assert roster.blocked() == (BLOCKED,)


def test_lists_are_narrowed_by_school_and_class(roster: RosterStore) -> None:
    fill(roster)
    assert roster.teachers(school_id="s2") == (PRINCIPAL,)
    assert roster.students(school_id="s1", class_name="9B") == (CLASSMATE,)
    assert roster.students(school_id="s2") == ()
    assert roster.blocked(school_id="s2") == ()


def test_an_unknown_school_is_not_found(roster: RosterStore) -> None:
    with pytest.raises(NotFoundError, match="school s9 is not in the roster"):
        roster.school("s9")


def test_a_code_is_kept_only_wrapped_and_apart(roster: RosterStore) -> None:
    coded = replace(STUDENT, code=PersonalCode("vn", "001211000001"))
    roster.save(schools=(SCHOOL,), people=(coded,), blocked=(), wrap=lambda who: {"p1": b"wrapped"}.get(who.id), at=NOW)
    assert roster.students() == (STUDENT,)
    assert roster.wrapped_code("p1") == b"wrapped"
    assert roster.wrapped_code("p2") is None


def test_a_second_import_replaces_by_id(roster: RosterStore) -> None:
    fill(roster)
    moved = replace(STUDENT, school_id="s2", class_name="8C")
    roster.save(schools=(), people=(moved,), blocked=(), wrap=lambda who: {"p1": b"new"}.get(who.id), at=NOW)
    assert roster.students(school_id="s2") == (moved,)
    assert roster.wrapped_code("p1") == b"new"
    assert roster.schools() == (SCHOOL, OTHER)


def test_being_accepted_lifts_the_block(roster: RosterStore) -> None:
    fill(roster)
    roster.save(schools=(), people=(CLASSMATE,), blocked=(), wrap=lambda who: {"p2": b"wrapped"}.get(who.id), at=NOW)
    assert roster.blocked() == ()


def test_a_new_reason_replaces_the_old(roster: RosterStore) -> None:
    fill(roster)
    again = replace(BLOCKED, reason=BlockedReason.INCONSISTENT_CODE, detail="birth year differs")
    roster.save(schools=(), people=(), blocked=(again,), wrap=lambda who: None, at=NOW)
    assert roster.blocked() == (again,)


def test_a_teachers_id_cannot_become_a_students(roster: RosterStore) -> None:
    fill(roster)
    with pytest.raises(RosterFileError, match="id t1 is a teacher's already; a student needs another"):
        roster.save(schools=(), people=(replace(STUDENT, id="t1"),), blocked=(), wrap=lambda who: None, at=NOW)


def test_an_identifier_belongs_to_one_school(roster: RosterStore) -> None:
    fill(roster)
    with pytest.raises(RosterFileError, match="identifier belongs to another school id"):
        roster.save(schools=(replace(SCHOOL, id="s9"),), people=(), blocked=(), wrap=lambda who: None, at=NOW)


def test_a_refused_import_changes_nothing(database: Database, roster: RosterStore) -> None:
    fill(roster)
    with pytest.raises(RosterFileError):
        roster.save(schools=(replace(SCHOOL, name="X"),), people=(replace(STUDENT, id="t1"),), blocked=(), wrap=lambda who: None, at=NOW)
    assert roster.school("s1") == SCHOOL
    assert Log(database).size() == 1


def test_an_import_stands_in_the_log_without_names(database: Database, roster: RosterStore) -> None:
    fill(roster)
    (entry,) = Log(database).entries()
    assert (entry.kind, entry.at, entry.details) == ("roster.saved", NOW, {"schools": 2, "people": 3, "blocked": 1})


def test_an_import_tells_who_is_new_and_who_changed(roster: RosterStore) -> None:
    fill(roster)
    moved = replace(TEACHER, homeroom="9B")
    people: list[Person] = [moved, PRINCIPAL, STUDENT, replace(STUDENT, id="p3")]
    again = replace(BLOCKED, detail="still")
    assert roster.save(schools=(), people=people, blocked=(again,), wrap=lambda who: None, at=NOW) == Saved(1, 2, 2)


def test_the_same_import_again_changes_nobody(roster: RosterStore) -> None:
    people = (TEACHER, PRINCIPAL, STUDENT)
    for expected in (Saved(4, 0, 0), Saved(0, 0, 4)):
        assert roster.save(schools=(SCHOOL, OTHER), people=people, blocked=(BLOCKED,), wrap=lambda who: None, at=NOW) == expected


def test_another_code_or_a_lifted_block_counts_as_a_change(roster: RosterStore) -> None:
    fill(roster)
    codes = {"p1": b"another"}
    saved = roster.save(schools=(), people=(STUDENT, CLASSMATE), blocked=(), wrap=lambda who: codes.get(who.id), at=NOW)
    assert saved == Saved(0, 2, 0)
    assert roster.wrapped_code("p1") == b"another"


def test_codes_are_read_page_by_page_and_by_school(roster: RosterStore) -> None:
    many = [replace(STUDENT, id=f"p{n:04}", school_id="s2" if n == 7 else "s1") for n in range(PAGE + 5)]
    roster.save(schools=(SCHOOL, OTHER), people=many, blocked=(), wrap=lambda who: who.id.encode(), at=NOW)
    assert list(roster.wrapped_codes()) == [(who.id, who.id.encode()) for who in many]
    assert list(roster.wrapped_codes(school_id="s2")) == [("p0007", b"p0007")]


def test_people_are_counted_by_school(roster: Roster) -> None:
    fill(roster)
    assert roster.counts() == {"s1": Counts(1, 2, 1), "s2": Counts(1, 0, 0)}


def test_one_person_is_found_by_id(roster: RosterStore) -> None:
    fill(roster)
    assert [roster.person(person_id) for person_id in ("t1", "p2", "p9")] == [TEACHER, CLASSMATE, None]


def test_people_are_walked_through_once_and_a_piece_at_a_time(roster: RosterStore) -> None:
    drawn, wrapped = [0], []

    def people() -> Iterator[Student]:
        for n in range(3 * PIECE):
            drawn[0] = n + 1
            yield replace(STUDENT, id=f"p{n:04}")

    roster.save(schools=(SCHOOL,), people=people(), blocked=(), wrap=lambda who: wrapped.append(drawn[0]), at=NOW)
    assert sorted(set(wrapped)) == [PIECE, 2 * PIECE, 3 * PIECE]


def test_a_roster_longer_than_one_lookup(roster: RosterStore) -> None:
    many = [replace(STUDENT, id=f"p{n:04}") for n in range(1200)]
    roster.save(schools=(SCHOOL,), people=many, blocked=(), wrap=lambda who: None, at=NOW)
    roster.save(schools=(SCHOOL,), people=many, blocked=(), wrap=lambda who: None, at=NOW)
    assert len(roster.students()) == 1200
