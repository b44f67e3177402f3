"""A school record: a secondary pupil's years, subjects and marks by term, conduct, attendance and remarks (Vietnam's *học bạ*).

Values are frozen and checked on construction; :class:`records.errors.RecordContentError` names the field that is wrong.
Circular 22/2021/TT-BGDĐT: subjects are assessed by marks from 0 to 10 with one decimal, or as passed / not passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from records.errors import RecordContentError
from records.person import Sex

KIND = "school-record"
MAX_YEARS = 7  # lower and upper secondary together
MAX_SUBJECTS = 40
MAX_NAME = 200
MAX_REMARK = 2000
_MARK = re.compile(r"10\.0|[0-9]\.[0-9]|Đ|CĐ")  # Đ: đạt, passed; CĐ: chưa đạt, not passed
_YEAR = re.compile(r"[0-9]{4}-[0-9]{4}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SubjectMarks:
    """One subject's marks: "8.5", "Đ", "CĐ", or None where exempt or not yet given. `year` is the whole year's."""

    subject: str
    hk1: str | None
    hk2: str | None
    year: str | None

    def __post_init__(self) -> None:
        _text("subject", self.subject)
        for term in (self.hk1, self.hk2, self.year):
            if term is not None and not _MARK.fullmatch(term):
                raise RecordContentError(f"marks[{self.subject}]: expected 0.0 to 10.0 with one decimal, Đ or CĐ")


@dataclass(frozen=True)
class TermAssessment:
    """Overall assessment of a term or year: `learning` (kết quả học tập) and `conduct` (rèn luyện), such as Tốt, Khá, Đạt, Chưa đạt."""

    learning: str
    conduct: str

    def __post_init__(self) -> None:
        _text("learning", self.learning)
        _text("conduct", self.conduct)


@dataclass(frozen=True)
class Attendance:
    """Days absent in the year."""

    excused: int
    unexcused: int

    def __post_init__(self) -> None:
        for days in (self.excused, self.unexcused):
            if not 0 <= days <= 366:
                raise RecordContentError("attendance: days absent must lie between 0 and 366")


@dataclass(frozen=True)
class SchoolYear:
    """One school year, `year` such as 2025-2026."""

    year: str
    grade: int
    class_name: str
    homeroom_teacher: str
    marks: tuple[SubjectMarks, ...]
    hk1: TermAssessment
    hk2: TermAssessment
    whole: TermAssessment
    attendance: Attendance
    outcome: str
    """Such as "Được lên lớp"."""
    remark: str
    """The homeroom teacher's words."""
    award: str = ""

    def __post_init__(self) -> None:
        if not _YEAR.fullmatch(self.year) or int(self.year[5:]) != int(self.year[:4]) + 1:
            raise RecordContentError("years[].year: expected two consecutive years, such as 2025-2026")
        if not 1 <= self.grade <= 12:
            raise RecordContentError(f"years[{self.year}].grade: expected 1 to 12")
        _text(f"years[{self.year}].class_name", self.class_name)
        _text(f"years[{self.year}].homeroom_teacher", self.homeroom_teacher)
        _text(f"years[{self.year}].outcome", self.outcome)
        _text(f"years[{self.year}].remark", self.remark, limit=MAX_REMARK, empty=True)
        _text(f"years[{self.year}].award", self.award, empty=True)
        _unique(f"years[{self.year}].marks", [m.subject for m in self.marks], MAX_SUBJECTS)


@dataclass(frozen=True)
class RecordStudent:
    """The pupil as the record names them. `id` is the school's own; the personal code stands here only as a commitment."""

    id: str
    name: str
    birth_date: date
    sex: Sex
    birth_place: str
    commitment: str | None = None
    """The commitment of :mod:`pki.identity.commitment`, lower-case hexadecimal, as in the pupil's certificate; None where the pupil
    is blocked."""

    def __post_init__(self) -> None:
        _identifier("student.id", self.id)
        _text("student.name", self.name)
        _text("student.birth_place", self.birth_place, empty=True)
        if self.commitment is not None and not _SHA256.fullmatch(self.commitment):
            raise RecordContentError("student.commitment: expected 64 lower-case hexadecimal digits")


@dataclass(frozen=True)
class RecordContent:
    """What a revision may change: everything but the record's name, school and history."""

    student: RecordStudent
    years: tuple[SchoolYear, ...]

    def __post_init__(self) -> None:
        if not self.years:
            raise RecordContentError("years: a record has at least one school year")
        _unique("years", [y.year for y in self.years], MAX_YEARS)


@dataclass(frozen=True)
class RecordSchool:
    identifier: str
    """organizationIdentifier, such as NTRVN-0100109106; the closing seal's certificate must bear the same."""
    name: str
    locality: str

    def __post_init__(self) -> None:
        _text("school.identifier", self.identifier)
        _text("school.name", self.name)
        _text("school.locality", self.locality)


@dataclass(frozen=True)
class PreviousVersion:
    """The version that this one revises; `sha256` is of its canonical record.json, lower-case hexadecimal."""

    version: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """One version of a record. `prepared_at` is aware UTC in whole seconds and dates the export, so that exporting is repeatable."""

    id: str
    version: int
    school: RecordSchool
    prepared_at: datetime
    content: RecordContent
    previous: PreviousVersion | None = None
    kind: str = KIND

    def __post_init__(self) -> None:
        _identifier("record.id", self.id)
        if self.version < 1 or (self.version == 1) != (self.previous is None):
            raise RecordContentError("record.version: version 1 has no previous version, every later one has")
        if self.prepared_at.utcoffset() != timedelta(0) or self.prepared_at.microsecond:
            raise RecordContentError("record.prepared_at: expected aware UTC in whole seconds")


def _text(field: str, value: str, *, limit: int = MAX_NAME, empty: bool = False) -> None:
    if not (empty or value.strip()):
        raise RecordContentError(f"{field}: expected a text, got nothing")
    if len(value) > limit:
        raise RecordContentError(f"{field}: {len(value)} characters, at most {limit} are allowed")
    if any((ord(c) < 32 and c != "\n") or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise RecordContentError(f"{field}: holds control characters")


def _identifier(field: str, value: str) -> None:
    if not _ID.fullmatch(value):
        raise RecordContentError(f"{field}: expected 1 to 64 letters, digits, points, hyphens or underscores")


def _unique(field: str, keys: Iterable[str], limit: int) -> None:
    found = list(keys)
    if len(set(found)) != len(found):
        raise RecordContentError(f"{field}: an entry stands twice")
    if len(found) > limit:
        raise RecordContentError(f"{field}: {len(found)} entries, at most {limit} are allowed")
