"""Roster files as they come: encodings, delimiters, and rows that break a rule."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import RosterFileError
from records.person import Role, Sex
from records.roster import RosterFile, import_roster
from records.roster_csv import MAX_FILE

SCHOOLS = "school_id,identifier,name,short_name,locality,country\nSM,NTRVN-0109999001,Trường THCS Sao Mai,,Hà Nội,\n"
HEADER = "teacher_id,school_id,surname,given_name,sex,birth_date,role,homeroom,code_scheme,personal_code\n"
SOUND = "t1,SM,Đỗ,Hoàng Nam,male,1988-03-03,teacher,9A,vn-pid,001088000001\n"


def imported(teachers: str | bytes, schools: str = SCHOOLS):
    data = teachers if isinstance(teachers, bytes) else teachers.encode()
    return import_roster(schools=RosterFile("schools.csv", schools.encode()), teachers=RosterFile("teachers.csv", data))


def the_error(teachers: str, schools: str = SCHOOLS) -> str:
    errors = imported(teachers, schools).errors
    assert len(errors) == 1
    return errors[0].text


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert imported((HEADER + SOUND).encode("utf-8-sig")).teachers == imported(HEADER + SOUND).teachers


def test_semicolons_of_a_vietnamese_spreadsheet_are_read():
    assert imported((HEADER + SOUND).replace(",", ";")).teachers == imported(HEADER + SOUND).teachers


def test_columns_may_stand_in_any_order():
    header, cells = HEADER.strip().split(","), SOUND.strip().split(",")
    turned = ",".join(reversed(header)) + "\r\n" + ",".join(reversed(cells)) + "\r\n"
    assert imported(turned).teachers == imported(HEADER + SOUND).teachers


def test_a_teacher_is_read_whole():
    (teacher,) = imported(HEADER + SOUND).teachers
    assert (teacher.name, teacher.sex, teacher.role, teacher.homeroom) == ("Đỗ Hoàng Nam", Sex.MALE, Role.TEACHER, "9A")


def test_decomposed_vietnamese_becomes_composed():
    (teacher,) = imported(HEADER + SOUND.replace("Đỗ", "Đo\u0302\u0303")).teachers
    assert teacher.surname == "Đỗ"


def test_vietnamese_dates_and_sexes_are_read():
    (teacher,) = imported(HEADER + SOUND.replace("male", "Nam").replace("1988-03-03", "03/03/1988")).teachers
    assert (teacher.sex, teacher.birth_date.isoformat()) == (Sex.MALE, "1988-03-03")


def test_empty_lines_are_skipped_and_counted():
    text = HEADER + "\n,,,,,,,,,\n" + SOUND.replace("1988-03-03", "soon")
    assert the_error(text).startswith("teachers.csv row 4, column birth_date:")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("t1", "", "row 2, column teacher_id: expected 1 to 64 letters, digits, points, hyphens or underscores; correct it"),
        ("SM", "XX", "row 2, column school_id: names no school that is known; add the school to the schools file, or correct the cell"),
        ("Đỗ", "", "row 2, column surname: is empty; fill it in"),
        ("Đỗ", "Đ" * 501, "row 2, column surname: holds 501 characters, at most 500 are allowed; shorten it"),
        ("Đỗ", "Đ" * 60, "row 2, column given_name: with the surname longer than the 64 characters that a certificate holds; shorten it"),
        ("Đỗ", "Đ\u202eỗ", "row 2, column surname: holds a control or invisible character; type the cell anew"),
        ("male", "x", "row 2, column sex: expected male or female (also m, f, nam, nữ); correct it"),
        ("1988-03-03", "1988-02-30", "row 2, column birth_date: expected a date such as 2011-03-09 or 09/03/2011; correct it"),
        ("1988-03-03", "1088-03-03", "row 2, column birth_date: lies before 1900; correct it"),
        ("teacher,", "headmaster,", "row 2, column role: expected one of teacher, principal, administrator; correct it"),
        ("9A,", "", "row 2, column personal_code: the row has 9 cells, expected 10; mend the row"),
        ("9A,", "9A,,", "row 2, column personal_code: the row has 11 cells, expected 10; mend the row"),
    ],
    ids=["id", "school", "empty", "long cell", "long name", "bidi", "sex", "no day", "long ago", "role", "short row", "long row"],
)
def test_a_broken_cell_is_named_with_what_to_do(old, new, message):
    assert the_error(HEADER + SOUND.replace(old, new, 1)) == f"teachers.csv {message}"


def test_the_other_rows_go_on():
    roster = imported(HEADER + SOUND.replace("1988-03-03", "soon") + SOUND.replace("t1", "t2"))
    assert [teacher.id for teacher in roster.teachers] == ["t2"]


def test_an_id_stands_once():
    assert the_error(HEADER + SOUND + SOUND) == (
        "teachers.csv row 3, column teacher_id: this stands in teachers.csv row 2 already; give each its own"
    )


def test_two_schools_do_not_share_an_identifier():
    assert the_error(HEADER, SCHOOLS + "BL,NTRVN-0109999001,Bằng Lăng,,Hà Nội,VN\n") == (
        "schools.csv row 3, column identifier: this stands in schools.csv row 2 already; give each its own"
    )


def test_an_error_never_repeats_the_cell():
    slipped = SOUND.replace("1988-03-03", "001088000001")  # columns slipped: a code stands where the date should
    assert "001088000001" not in the_error(HEADER + slipped)


def test_an_open_quotation_mark_is_an_error_with_its_row():
    assert the_error(HEADER + SOUND + '"t2,SM') == (
        "teachers.csv row 3, column ?: quotation marks do not match; rows below it were not read, mend it and import again"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NTRVN-0109999001", "0109999001", "column identifier: expected NTR or VAT, a country and a number, such as NTRVN-0100109106"),
        ("Trường THCS Sao Mai", "T" * 92, "column short_name: is empty and the name has 92 characters, certificates hold 64"),
        ("Hà Nội,", "Hà Nội,XX", "column country: expected a two-letter ISO 3166-1 code such as VN; correct it"),
    ],
    ids=["identifier", "short name", "country"],
)
def test_a_broken_school_is_named_with_what_to_do(old, new, message):
    errors = imported(HEADER, SCHOOLS.replace(old, new, 1)).errors
    assert errors[0].text.startswith(f"schools.csv row 2, {message}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "teachers.csv: is empty; expected a header line with the columns teacher_id, school_id"),
        (b"\xff\xfet\x00", "teachers.csv: not UTF-8 at octet 0; save it as “CSV UTF-8”"),
        (HEADER.encode() + "Đỗ".encode("utf-16-be"), "teachers.csv: not UTF-8 at octet"),
        (b"a\x00b", "teachers.csv: holds NUL characters, so it is no CSV file"),
        (b"%PDF-1.7\n", "teachers.csv: the header line lacks teacher_id, school_id"),
        (HEADER.replace(",role", "").encode(), "teachers.csv: the header line lacks role; add the column, cells may be empty"),
        (HEADER.replace("role", "role,shoe_size").encode(), "teachers.csv: 11 columns, expected exactly teacher_id"),
        (b'"teacher_id', "teachers.csv: the header line cannot be read; expected the columns teacher_id"),
    ],
    ids=["empty", "utf-16", "mixed", "nul", "pdf", "lacking", "surplus", "quote"],
)
def test_a_file_that_is_no_such_table_is_refused(data, message):
    with pytest.raises(RosterFileError) as caught:
        imported(data)
    assert str(caught.value).startswith(message)


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(RosterFileError, match="more than the 268435456 that are read; split the file"):
        imported(bytes(MAX_FILE + 1))


def test_a_file_broken_throughout_is_told_once():
    with pytest.raises(RosterFileError, match=r"1000 broken rows up to row 1001, the last: .*; mend the file first"):
        imported(HEADER + "t1\n" * 5000)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_octets_give_anything_but_rows_and_errors(data, after_header):
    with suppress(RosterFileError):
        imported((HEADER.encode() if after_header else b"") + data)
