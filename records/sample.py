"""A made-up roster and class for demonstrations and tests: nobody in it exists, and the school names say so ("dữ liệu mẫu", sample data).

The same seed gives the same people, codes and marks. Three schools, 40 members of staff, 135 pupils; some codes are missing, malformed,
contradict birth date or sex, or are held by two people.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from records.person import School, Sex, Student
from records.record import Record, RecordContent, RecordSchool, RecordStudent
from records.roster_csv import SCHOOL_COLUMNS, STUDENT_COLUMNS, TEACHER_COLUMNS
from records.sample_marks import school_year
from records.sample_names import given_names, place, surnames

SEED = 2026
SCHEME = "vn-pid"
CLASS = "9A"
CLASS_SIZE = 45
STAFF = {"SM": 14, "BL": 13, "HB": 13}
SCHOOLS = (
    ("SM", "NTRVN-0109999001", "Trường Trung học cơ sở Sao Mai (dữ liệu mẫu)", "Trường THCS Sao Mai (dữ liệu mẫu)", "Thành phố Hà Nội"),
    ("BL", "NTRVN-0109999002", "Trường Trung học cơ sở Bằng Lăng (dữ liệu mẫu)", "Trường THCS Bằng Lăng (dữ liệu mẫu)", "Thành phố Hà Nội"),
    ("HB", "NTRVN-0109999003", "Trường Trung học cơ sở Hoa Ban (dữ liệu mẫu)", "Trường THCS Hoa Ban (dữ liệu mẫu)", "Tỉnh Sơn La"),
)
# flaws by school and place in the class list; index 7 and 8 of a class share one code
_MISSING = {("SM", 11), ("BL", 3), ("BL", 30), ("HB", 5), ("HB", 41)}
_MALFORMED = {("SM", 20), ("HB", 17)}
_WRONG_YEAR = {("SM", 33), ("BL", 15)}
_WRONG_SEX = {("BL", 22), ("HB", 29)}
_DUPLICATE = {("HB", 8): ("HB", 7)}
_TEACHER_WITHOUT_CODE = ("BL", 9)


@dataclass(frozen=True)
class SampleRoster:
    """The three files, CSV in UTF-8, as :func:`records.roster.import_roster` takes them."""

    schools_csv: bytes
    teachers_csv: bytes
    students_csv: bytes

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Writes schools.csv, teachers.csv and students.csv into `folder`, which must exist."""
        files = {"schools.csv": self.schools_csv, "teachers.csv": self.teachers_csv, "students.csv": self.students_csv}
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return tuple(folder / name for name in files)


def sample_roster(seed: int = SEED) -> SampleRoster:
    draw = random.Random(seed)  # noqa: S311 (sample data, no secret)
    teachers = [_teacher(draw, school, index) for school, size in STAFF.items() for index in range(size)]
    students: list[dict[str, str]] = []
    codes: dict[tuple[str, int], str] = {}
    names: set[tuple[str, str]] = set()
    for school in STAFF:
        for index in range(CLASS_SIZE):
            students.append(_student(draw, school, index, codes, names))
    schools = [dict(zip(SCHOOL_COLUMNS, (*school, "VN"), strict=True)) for school in SCHOOLS]
    return SampleRoster(_csv(SCHOOL_COLUMNS, schools), _csv(TEACHER_COLUMNS, teachers), _csv(STUDENT_COLUMNS, students))


def sample_records(
    school: School,
    students: Sequence[Student],
    *,
    homeroom_teacher: str,
    prepared_at: datetime,
    commitments: Mapping[str, str],
    seed: int = SEED,
) -> tuple[Record, ...]:
    """Version 1 of a record for each pupil: two school years with marks. `commitments`: student id to lower-case hexadecimal."""
    records = []
    for student in students:
        draw = random.Random(f"{seed} {student.id}")  # noqa: S311 (sample data, no secret)
        ability = min(max(draw.gauss(7.6, 0.9), 5.2), 9.6)
        years = tuple(
            school_year(draw, year, grade, f"{grade}A", teacher, ability)
            for year, grade, teacher in (("2024-2025", 8, "Đỗ Thị Thanh Hà"), ("2025-2026", 9, homeroom_teacher))
        )
        content = RecordContent(
            RecordStudent(
                id=student.id,
                name=student.name,
                birth_date=student.birth_date,
                sex=student.sex,
                birth_place=student.birth_place,
                commitment=commitments.get(student.id),
            ),
            years,
        )
        record_school = RecordSchool(school.identifier, school.short_name, school.locality)
        records.append(Record(f"HB-2026-{student.id}", 1, record_school, prepared_at, content))
    return tuple(records)


def _teacher(draw: random.Random, school: str, index: int) -> dict[str, str]:
    sex = draw.choice((Sex.MALE, Sex.FEMALE, Sex.FEMALE))
    birth_date = date(1968, 1, 1) + timedelta(days=draw.randrange(11_000))
    province, _ = place(draw)
    code = _code(draw, province, sex, birth_date)
    return {
        "teacher_id": f"{school}-GV{index + 1:02}",
        "school_id": school,
        "surname": surnames(draw),
        "given_name": given_names(draw, sex),
        "sex": sex.value,
        "birth_date": birth_date.isoformat(),
        "role": "principal" if index == 0 else "administrator" if index in (1, 2) else "teacher",
        "homeroom": CLASS if index == 3 else "",
        "code_scheme": SCHEME,
        "personal_code": "" if (school, index) == _TEACHER_WITHOUT_CODE else code,
    }


def _student(
    draw: random.Random, school: str, index: int, codes: dict[tuple[str, int], str], names: set[tuple[str, str]]
) -> dict[str, str]:
    sex = draw.choice((Sex.MALE, Sex.FEMALE))
    birth_date = date(2011, 1, 1) + timedelta(days=draw.randrange(365))
    province, birth_place = place(draw)
    surname, given_name = _unused_name(draw, sex, names)
    key = (school, index)
    codes[key] = _code(draw, province, sex, birth_date)
    return {
        "student_id": f"{school}-{CLASS}-{index + 1:02}",
        "school_id": school,
        "class_name": CLASS,
        "surname": surname,
        "given_name": given_name,
        "sex": sex.value,
        "birth_date": birth_date.isoformat(),
        "birth_place": birth_place,
        "code_scheme": SCHEME,
        "personal_code": _flawed(key, codes[codes_key] if (codes_key := _DUPLICATE.get(key)) else codes[key]),
    }


def _unused_name(draw: random.Random, sex: Sex, names: set[tuple[str, str]]) -> tuple[str, str]:
    """Surname and given name that no pupil bears yet: in life they repeat, in a demonstration that only confuses."""
    while (name := (surnames(draw), given_names(draw, sex))) in names:
        continue
    names.add(name)
    return name


def _code(draw: random.Random, province: str, sex: Sex, birth_date: date) -> str:
    """12 digits: province, century and sex, year, six at random (domain.md, Identity)."""
    century = 2 * (birth_date.year // 100 - 19) + (sex is Sex.FEMALE)
    return f"{province}{century}{birth_date.year % 100:02}{draw.randrange(1_000_000):06}"


def _flawed(key: tuple[str, int], code: str) -> str:
    if key in _MISSING:
        return ""
    if key in _MALFORMED:
        return code[:11]
    if key in _WRONG_YEAR:
        return code[:4] + "08" + code[6:]
    if key in _WRONG_SEX:
        return code[:3] + str(int(code[3]) ^ 1) + code[4:]
    return code


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")  # RFC 4180
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # what a Vietnamese spreadsheet writes
