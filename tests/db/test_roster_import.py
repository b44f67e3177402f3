"""Whole imports into both databases: twice the same, changed, broken; and where codes come to lie."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.log import Log
from db.roster import Roster
from records.roster import RosterFile
from records.roster_ports import Saved
from records.roster_service import RosterService
from tests.support.authority import MemoryKeyStore, StandingClock

HEADER = "student_id,school_id,class_name,surname,given_name,sex,birth_date,birth_place,code_scheme,personal_code"
SCHOOLS = RosterFile("schools.csv", b"school_id,identifier,name,short_name,locality,country\nSM,NTRVN-0109999001,Sao Mai,,HN,VN\n")
PUPILS = 1_100  # more than are saved at a time


def code(number: int) -> str:
    return f"0013110{number:05}"


def students(count: int = PUPILS, **changed: str) -> RosterFile:
    """Pupils s0, s1, …; `s5="…"` gives another row for one."""
    rows = [
        changed.get(f"s{number}", f"s{number},SM,9A,Nguyễn,Bảo Ngọc,female,2011-03-09,Hà Nội,,{code(number)}") for number in range(count)
    ]
    return RosterFile("students.csv", "\n".join((HEADER, *rows)).encode())


@pytest.fixture
def service(database: Database) -> RosterService:
    return RosterService(Roster(database), MemoryKeyStore(), StandingClock(datetime(2026, 6, 1, 8, 0, tzinfo=UTC)))


def codes(service: RosterService) -> dict[str, bytes]:
    return dict(service.roster.wrapped_codes())


def test_the_same_file_again_changes_nothing_not_even_an_octet_of_a_code(service: RosterService) -> None:
    assert service.import_files(schools=SCHOOLS, students=students()).saved == Saved(PUPILS, 0, 0)
    before = codes(service)
    assert service.import_files(schools=SCHOOLS, students=students()).saved == Saved(0, 0, PUPILS)
    assert codes(service) == before


def test_of_a_changed_file_the_changes_are_told_and_kept(service: RosterService) -> None:
    service.import_files(schools=SCHOOLS, students=students())
    before = codes(service)
    moved = f"s7,SM,9B,Nguyễn,Bảo Ngọc,female,2011-03-09,Hà Nội,,{code(7)}"
    other_code = f"s900,SM,9A,Nguyễn,Bảo Ngọc,female,2011-03-09,Hà Nội,,{code(50_000)}"
    changed = service.import_files(students=students(PUPILS + 1, s7=moved, s900=other_code))
    assert changed.saved == Saved(added=1, changed=2, unchanged=PUPILS - 2)
    after = codes(service)
    assert {holder for holder in after if after[holder] != before.get(holder)} == {"s900", f"s{PUPILS}"}
    assert [who.id for who in service.roster.students(class_name="9B")] == ["s7"]


def test_a_broken_row_far_down_is_named_and_nothing_is_written(database: Database, service: RosterService) -> None:
    result = service.import_files(schools=SCHOOLS, students=students(s1000=f"s1000,SM,9A,Nguyễn,An,female,{code(1000)},Hà Nội,,2011-03-09"))
    assert [error.text for error in result.errors] == [
        "students.csv row 1002, column birth_date: expected a date such as 2011-03-09 or 09/03/2011; correct it"
    ]
    assert (result.saved, service.roster.schools(), service.roster.students(), Log(database).size()) == (None, (), (), 0)


def test_codes_that_pupils_of_different_pieces_give_block_both(service: RosterService) -> None:
    twice = f"s1050,SM,9A,Lê,An,female,2011-03-09,Hà Nội,,{code(3)}"
    result = service.import_files(schools=SCHOOLS, students=students(s1050=twice))
    assert [(entry.person.id, entry.detail) for entry in result.blocked] == [("s3", "also given for s1050"), ("s1050", "also given for s3")]
    assert not {"s3", "s1050"} & set(codes(service))


def test_no_code_lies_in_clear_in_any_table(database: Database, service: RosterService) -> None:
    twice = f"s1050,SM,9A,Lê,An,female,2011-03-09,Hà Nội,,{code(3)}"
    service.import_files(schools=SCHOOLS, students=students(s1050=twice))
    with database.reading() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        text = "".join(repr(tuple(row)) for table in found.sorted_tables for row in connection.execute(sa.select(table)))
    assert "s1050" in text
    assert not [number for number in range(PUPILS) if code(number) in text]
