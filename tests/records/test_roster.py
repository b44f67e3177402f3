"""What becomes of people: accepted, or blocked with a reason that never shows the code."""

from __future__ import annotations

from datetime import date

import pytest

from pki.identity.codes import IdentityWarning
from records.blocked import BlockedReason
from records.person import PersonalCode, School, Sex, Student
from records.roster import RosterFile, RosterImport, import_roster
from records.sample import sample_roster

SM = School("SM", "NTRVN-0109999001", "Trường THCS Sao Mai", "Trường THCS Sao Mai", "Hà Nội")
HEADER = "student_id,school_id,class_name,surname,given_name,sex,birth_date,birth_place,code_scheme,personal_code"
GIRL = "001311000001"  # Hà Nội, female, born 2011


def row(student_id="s1", *, sex="female", born="2011-03-09", place="Hà Nội", scheme="", code=GIRL) -> str:
    return f"{student_id},SM,9A,Nguyễn,Bảo Ngọc,{sex},{born},{place},{scheme},{code}"


def imported(*rows: str, **options) -> RosterImport:
    data = "\n".join((HEADER, *rows)).encode()
    return import_roster(students=RosterFile("students.csv", data), known_schools=[SM], **options)


def reasons(roster: RosterImport) -> dict[str, BlockedReason]:
    return {entry.person.id: entry.reason for entry in roster.blocked}


def test_a_sound_row_is_accepted():
    roster = imported(row())
    assert [(student.id, student.name, student.code.scheme) for student in roster.accepted] == [("s1", "Nguyễn Bảo Ngọc", "vn-pid")]
    assert (roster.blocked, roster.errors, roster.warnings) == ((), (), ())


@pytest.mark.parametrize(
    ("broken", "reason", "detail"),
    [
        (row(code=""), BlockedReason.MISSING_CODE, ""),
        (row(code="   "), BlockedReason.MISSING_CODE, ""),
        (row(code="00131100000"), BlockedReason.MALFORMED_CODE, "malformed"),
        (row(code="00131100000X"), BlockedReason.MALFORMED_CODE, "malformed"),
        (row(code="003311000001"), BlockedReason.MALFORMED_CODE, "unknown province"),
        (row(scheme="passport-of-narnia"), BlockedReason.MALFORMED_CODE, "unknown scheme"),
        (row(born="2012-03-09"), BlockedReason.INCONSISTENT_CODE, "birth year mismatch"),
        (row(sex="male"), BlockedReason.INCONSISTENT_CODE, "sex mismatch"),
    ],
    ids=["missing", "blank", "short", "letter", "no province", "no scheme", "birth year", "sex"],
)
def test_a_bad_code_blocks_its_row_with_a_reason(broken, reason, detail):
    roster = imported(broken, row("s2", code="001311000002"))
    assert [(entry.person.id, entry.reason, entry.detail, entry.row) for entry in roster.blocked] == [("s1", reason, detail, 2)]
    assert [student.id for student in roster.accepted] == ["s2"]


def test_a_code_given_for_two_people_blocks_both():
    roster = imported(row("s1"), row("s2"), row("s3", code="001311000002"))
    assert reasons(roster) == {"s1": BlockedReason.DUPLICATE_CODE, "s2": BlockedReason.DUPLICATE_CODE}
    assert roster.blocked[0].detail == "also given for s2"


def test_spacing_does_not_hide_a_duplicate():
    assert set(reasons(imported(row("s1"), row("s2", code="0013 1100 0001")))) == {"s1", "s2"}


def test_a_code_that_contradicts_and_is_shared_is_called_shared():
    assert reasons(imported(row("s1"), row("s2", sex="male")))["s2"] is BlockedReason.DUPLICATE_CODE


def test_a_code_held_by_somebody_in_the_books_is_a_duplicate():
    roster = imported(row("s2"), held_codes=[("s1", PersonalCode("vn-pid", GIRL))])
    assert (reasons(roster), roster.blocked[0].detail) == ({"s2": BlockedReason.DUPLICATE_CODE}, "also given for s1")


def test_importing_the_same_person_again_is_no_duplicate():
    assert imported(row("s1"), held_codes=[("s1", PersonalCode("vn-pid", GIRL))]).blocked == ()


def test_a_code_that_the_books_hold_for_its_person_stands():
    held = [("s1", PersonalCode("vn-pid", GIRL)), ("s9", PersonalCode("vn-pid", "001311000009"))]
    assert imported(row("s1"), row("s2", code="001311000002"), held_codes=held).standing == {"s1"}


def test_codes_of_people_in_the_books_are_walked_through_once():
    held = iter([("s1", PersonalCode("vn-pid", GIRL)), ("s7", PersonalCode("vn-pid", "001311000002"))])
    roster = imported(row("s1"), row("s2", code="001311000002"), row("s3", code="001311000002"), held_codes=held)
    assert [entry.detail for entry in roster.blocked] == ["also given for s3, s7", "also given for s2, s7"]


def test_somebody_accepted_is_given_back_as_the_row_says():
    (student,) = imported(row()).students
    assert student == Student("s1", "SM", "9A", "Nguyễn", "Bảo Ngọc", Sex.FEMALE, date(2011, 3, 9), "Hà Nội", PersonalCode("vn-pid", GIRL))


def test_each_row_that_is_read_is_told_to_who_waits():
    told = []
    imported(row("s1"), row("s2", code=""), watch=lambda: told.append(1))
    assert len(told) == 2


def test_a_teachers_id_that_a_pupil_has_too_is_an_error_that_names_both_rows():
    teachers = RosterFile(
        "teachers.csv",
        b"teacher_id,school_id,surname,given_name,sex,birth_date,role,homeroom,code_scheme,personal_code\n"
        b"t1,SM,A,B,male,1980-01-01,,,,\ns1,SM,A,B,male,1980-01-01,,,,\n",
    )
    (error,) = imported(row("s0"), row("s1"), teachers=teachers).errors
    assert error.text == "students.csv row 3, column student_id: this stands in teachers.csv row 3 already; give each its own"


def test_another_birth_place_only_warns():
    roster = imported(row(place="Nghệ An"))
    assert ([s.id for s in roster.accepted], roster.warnings) == (["s1"], (("s1", IdentityWarning.PLACE_MISMATCH),))


def test_no_message_or_repr_shows_a_code():
    roster = imported(row("s1", sex="male"), row("s2", code="0013110000"), row("s3"), row("s4", code="001311000009"))
    told = repr(roster) + "".join(entry.text for entry in roster.blocked)
    assert "0013110000" not in told


def test_the_sample_roster_lets_the_sound_rows_through():
    sample = sample_roster()
    roster = import_roster(
        schools=RosterFile("schools.csv", sample.schools_csv),
        teachers=RosterFile("teachers.csv", sample.teachers_csv),
        students=RosterFile("students.csv", sample.students_csv),
    )
    assert roster.errors == ()
    assert (len(roster.schools), len(roster.teachers), len(roster.students), len(roster.blocked)) == (3, 39, 122, 14)
    assert {entry.reason for entry in roster.blocked} == set(BlockedReason)


def test_the_sample_roster_is_the_same_each_time():
    assert sample_roster() == sample_roster()


def test_the_sample_roster_writes_its_three_files(tmp_path):
    paths = sample_roster().write(tmp_path)
    assert [path.name for path in paths] == ["schools.csv", "teachers.csv", "students.csv"]
    assert paths[2].read_bytes() == sample_roster().students_csv
