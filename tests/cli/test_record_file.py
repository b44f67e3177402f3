"""Files that hold records: what does not fit is told with its place, and nothing of its value."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli._record_file import MAX_RECORDS, read_record, read_records
from cli.main import UsageError
from config.workflows import load_workflow
from records.canonical import content_as_dict
from records.record import RecordSchool
from tests.support.record_cases import NOW, make_content

SCHOOL = RecordSchool("NTRVN-0109999001", "Trường THCS Sao Mai", "Hà Nội")


def document() -> dict[str, Any]:
    return {"record": {"id": "R-1"}, **content_as_dict(make_content())}


def written(tmp_path: Path, value: object) -> str:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def test_a_file_becomes_the_record_that_it_says(tmp_path):
    found = read_record(written(tmp_path, document()))
    record = found.record(SCHOOL, load_workflow("school-record"), at=NOW)
    assert (record.id, record.version, record.school, record.content) == ("R-1", 1, SCHOOL, make_content())


def test_commitment_and_award_may_be_left_out(tmp_path):
    value = document()
    del value["student"]["commitment"]
    del value["years"][0]["award"]
    record = read_record(written(tmp_path, value)).record(SCHOOL, load_workflow("school-record"), at=NOW, commitment="cd" * 32)
    assert (record.content.student.commitment, record.content.years[0].award) == ("cd" * 32, "")


def test_a_list_holds_several(tmp_path):
    assert [item.id for item in read_records(written(tmp_path, [document(), {**document(), "record": {"id": "R-2"}}]))] == ["R-1", "R-2"]


@pytest.mark.parametrize("count", [0, MAX_RECORDS + 1])
def test_a_list_of_too_few_or_too_many_is_refused(tmp_path, count):
    with pytest.raises(UsageError, match=f"holds {count} records, expected 1 to 5000"):
        read_records(written(tmp_path, [1] * count))


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *place, last, value = path

    def change(target: Any) -> None:
        for step in place:
            target = target[step]
        target[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("record", "R-1"), 'expected an object with "record": {"id": …}, "student" and "years"'),
        (_set("record", {}), 'expected an object with "record": {"id": …}, "student" and "years"'),
        (_set("years", {}), "years: expected a list, got an object"),
        (_set("years", []), "years: a record has at least one school year"),
        (_set("student", None), "student: expected an object, got nothing"),
        (_set("student", "sex", "boy"), "student.sex: expected male or female, got a text"),
        (_set("student", "birth_date", "09/03/2011"), "student.birth_date: expected a date such as 2011-03-09, got a text"),
        (_set("student", "commitment", "ab"), "student.commitment: expected 64 lower-case hexadecimal digits"),
        (_set("years", 1, "grade", "9"), "years[1].grade: expected a whole number, got a text"),
        (_set("years", 1, "grade", True), "years[1].grade: expected a whole number, got true or false"),
        (_set("years", 0, "marks", 0, "hk1", 8.5), "years[0].marks[0].hk1: expected a text or null, got a number"),
        (_set("years", 0, "marks", 0, "hk1", "85"), "marks[Toán]: expected 0.0 to 10.0 with one decimal, Đ or CĐ"),
        (_set("years", 0, "colour", "red"), "years[0]: a member 'colour' that a record does not have; expected attendance, award"),
        (lambda value: value["years"][1].pop("remark"), "years[1].remark: is missing"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, change, message):
    value = document()
    change(value)
    path = written(tmp_path, value)
    with pytest.raises(UsageError) as refused:
        read_record(path).record(SCHOOL, load_workflow("school-record"), at=NOW)
    assert str(refused.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON: Expecting value"),
        ("{", "is not JSON: Expecting property name"),
        ('{"record": 1, "record": 2}', "is not JSON: ValueError"),
        ("[" * 100_000, "is not JSON: RecursionError"),
        ("null", "expected an object with"),
        ('"text"', "expected an object with"),
        ("[[]]", "record 1: expected an object with"),
    ],
)
def test_what_is_no_record_file_is_one_line(tmp_path, text, message):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        read_record(str(path))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_octets_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "record.json").write_bytes(b'{"record": "\x80"}')
    with pytest.raises(UsageError, match="is not JSON: UnicodeDecodeError"):
        read_record(str(tmp_path / "record.json"))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "year", "marks", "x"]), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(place=st.sampled_from(["record", "student", "years", "member", "mark"]), value=values)
def test_whatever_stands_in_a_file_is_a_record_or_refused(tmp_path_factory, place, value):
    target = document()
    if place == "member":
        target["student"]["name"] = value
    elif place == "mark":
        target["years"][0]["marks"][0] = value
    else:
        target[place] = value
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(target), encoding="utf-8")
    with contextlib.suppress(UsageError):
        read_record(str(path)).record(SCHOOL, load_workflow("school-record"), at=NOW)
