"""What a record's contents may be, and how two of them differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from records.differences import differences
from records.errors import RecordContentError
from records.record import Attendance, PreviousVersion, RecordContent, SubjectMarks
from tests.support.record_cases import make_content, make_record, make_year


@pytest.mark.parametrize("mark", ["11.0", "8", "8,5", "8.55", "-1.0", "10.1", "A", "", "８.5"])
def test_a_mark_has_one_decimal_or_is_a_remark(mark):
    with pytest.raises(RecordContentError, match=r"marks\[Toán\]: expected 0.0 to 10.0 with one decimal, Đ or CĐ"):
        SubjectMarks("Toán", mark, None, None)


@pytest.mark.parametrize("mark", ["0.0", "10.0", "9.9", "Đ", "CĐ", None])
def test_a_mark_within_its_scale_is_kept(mark):
    assert SubjectMarks("Toán", mark, mark, mark).year == mark


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RecordContent(make_content().student, ()), "years: a record has at least one school year"),
        (lambda: replace(make_content(), years=(make_year(), make_year())), "years: an entry stands twice"),
        (lambda: replace(make_year(), marks=make_year().marks * 2), r"years\[2025-2026\].marks: an entry stands twice"),
        (lambda: replace(make_year(), year="2025-2027"), "expected two consecutive years"),
        (lambda: replace(make_year(), grade=13), r"years\[2025-2026\].grade: expected 1 to 12"),
        (lambda: replace(make_year(), remark="x" * 2001), r"years\[2025-2026\].remark: 2001 characters, at most 2000 are allowed"),
        (lambda: replace(make_year(), outcome=" "), r"years\[2025-2026\].outcome: expected a text, got nothing"),
        (lambda: replace(make_content().student, name="a\x00b"), "student.name: holds control characters"),
        (lambda: replace(make_content().student, id="a b"), "student.id: expected 1 to 64 letters"),
        (lambda: replace(make_content().student, commitment="AB" * 32), "student.commitment: expected 64 lower-case hexadecimal digits"),
        (lambda: Attendance(-1, 0), "attendance: days absent must lie between 0 and 366"),
        (lambda: replace(make_record(), version=2), "version 1 has no previous version, every later one has"),
        (lambda: replace(make_record(), previous=PreviousVersion(1, "")), "version 1 has no previous version, every later one has"),
        (lambda: replace(make_record(), prepared_at=datetime(2026, 5, 28)), "expected aware UTC in whole seconds"),  # noqa: DTZ001
        (lambda: replace(make_record(), prepared_at=datetime(2026, 5, 28, tzinfo=timezone(timedelta(hours=7)))), "expected aware UTC"),
        (lambda: replace(make_record(), prepared_at=datetime(2026, 5, 28, 1, 2, 3, 4, tzinfo=UTC)), "in whole seconds"),
    ],
)
def test_contents_of_another_form_are_refused(build, message):
    with pytest.raises(RecordContentError, match=message):
        build()


def changed(new: RecordContent) -> list[tuple[str, object, object]]:
    return [(change.path, change.old, change.new) for change in differences(make_content(), new)]


def test_equal_contents_differ_in_nothing():
    assert changed(make_content()) == []


def test_a_changed_mark_is_named_by_year_subject_and_term():
    assert changed(make_content(maths="9.5")) == [("years[2025-2026].marks[Toán].hk1", "8.5", "9.5")]


def test_a_mark_that_was_missing_shows_as_none():
    year = make_year()
    marks = (year.marks[0], SubjectMarks("Ngữ văn", "7.5", "8.0", None), year.marks[2])
    new = replace(make_content(), years=(make_year("2024-2025"), replace(year, marks=marks)))
    assert changed(new) == [("years[2025-2026].marks[Ngữ văn].hk2", None, "8.0")]


def test_a_new_subject_shows_each_of_its_fields():
    year = make_year()
    new = replace(
        make_content(), years=(make_year("2024-2025"), replace(year, marks=(*year.marks, SubjectMarks("Tin học", "9.0", None, None))))
    )
    assert changed(new) == [
        ("years[2025-2026].marks[Tin học].subject", None, "Tin học"),
        ("years[2025-2026].marks[Tin học].hk1", None, "9.0"),
    ]


def test_a_removed_year_shows_what_is_lost():
    gone = changed(replace(make_content(), years=(make_year(),)))
    assert ("years[2024-2025].marks[Toán].hk1", "8.5", None) in gone
    assert all(path.startswith("years[2024-2025]") and new is None for path, _, new in gone)


def test_a_corrected_name_is_a_difference_of_the_student():
    content = make_content()
    assert changed(replace(content, student=replace(content.student, name="Nguyễn Bảo Ngọc"))) == [
        ("student.name", "Nguyễn Trần Bảo Ngọc", "Nguyễn Bảo Ngọc")
    ]


def test_the_mere_order_of_subjects_is_no_difference():
    year = make_year()
    assert changed(replace(make_content(), years=(replace(year, marks=year.marks[::-1]), make_year("2024-2025")))) == []
