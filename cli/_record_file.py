"""Files that hold records: the form of the `record.json` that every signed record carries.

    {"record": {"id": "HB-2026-SM-9A-01"}, "student": {…}, "years": [{…}]}

A file holds one record or a list of them. Of the member `record` only `id` is read, and `school` is compared: version, dates and workflow
are the house's to set. `eduseal record show ID --json` prints the form. A mistake is told with its place, before anything is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cli._input import read_input
from cli.main import DATA, UsageError
from records.canonical import record_from_dict
from records.errors import RecordContentError
from records.person import Sex
from records.record import KIND, Record, RecordSchool
from signing.workflow import Workflow

MAX_FILE = 32 * 1024 * 1024  # octets; a record has about ten thousand
MAX_RECORDS = 5_000  # in one file


@dataclass(frozen=True)
class _Leaf:
    expected: str
    fits: Callable[[Any], bool]


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


_TEXT = _Leaf("a text", lambda value: isinstance(value, str))
_NUMBER = _Leaf("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
_MAYBE = _Leaf("a text or null", lambda value: value is None or isinstance(value, str))
_DATE = _Leaf("a date such as 2011-03-09", _is_date)
_SEX = _Leaf(" or ".join(Sex), lambda value: value in tuple(Sex))
_ASSESSMENT = {"learning": _TEXT, "conduct": _TEXT}
_YEAR = {
    "year": _TEXT,
    "grade": _NUMBER,
    "class_name": _TEXT,
    "homeroom_teacher": _TEXT,
    "marks": [{"subject": _TEXT, "hk1": _MAYBE, "hk2": _MAYBE, "year": _MAYBE}],
    "hk1": _ASSESSMENT,
    "hk2": _ASSESSMENT,
    "whole": _ASSESSMENT,
    "attendance": {"excused": _NUMBER, "unexcused": _NUMBER},
    "outcome": _TEXT,
    "remark": _TEXT,
    "award?": _TEXT,
}
_STUDENT = {"id": _TEXT, "name": _TEXT, "birth_date": _DATE, "sex": _SEX, "birth_place": _TEXT, "commitment?": _MAYBE}
_SHAPE = {"student": _STUDENT, "years": [_YEAR]}


@dataclass(frozen=True)
class RecordFile:
    """One record as a file names it. `where` is for messages; `content` holds the members `student` and `years`, of the right shape."""

    where: str
    id: str
    school: str | None
    """The organizationIdentifier that the file names, if it does."""
    content: Mapping[str, Any]

    def record(self, school: RecordSchool, workflow: Workflow, *, at: datetime, commitment: str | None = None) -> Record:
        """Version 1 of the record; `commitment` stands in where the file has none. Raises :class:`cli.main.UsageError`."""
        student = {**self.content["student"]}
        student["commitment"] = student.get("commitment") or commitment
        header = {
            "id": self.id,
            "version": 1,
            "kind": KIND,
            "school": {"identifier": school.identifier, "name": school.name, "locality": school.locality},
            "prepared_at": at.replace(microsecond=0).isoformat(),
            "previous": None,
        }
        try:
            record, _ = record_from_dict({"record": header, **self.content, "student": student, "workflow": workflow.as_dict()})
        except RecordContentError as exc:
            raise UsageError(f"{self.where}: {exc}", status=DATA) from exc
        return record


def read_records(path: str) -> tuple[RecordFile, ...]:
    """The records of a file; raises :class:`cli.main.UsageError`."""
    data = read_input(path, limit=MAX_FILE)
    try:
        found = json.loads(data, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as exc:
        raise UsageError(
            f"{path} is not JSON: {exc if isinstance(exc, json.JSONDecodeError) else type(exc).__name__}", status=DATA
        ) from exc
    if not isinstance(found, list):
        return (_record(path, found),)
    if not 0 < len(found) <= MAX_RECORDS:
        raise UsageError(f"{path} holds {len(found)} records, expected 1 to {MAX_RECORDS}", status=DATA)
    return tuple(_record(f"{path} record {number}", item) for number, item in enumerate(found, 1))


def read_record(path: str) -> RecordFile:
    """The one record of a file; raises :class:`cli.main.UsageError`."""
    found = read_records(path)
    if len(found) != 1:
        raise UsageError(f"{path} holds {len(found)} records, expected one", status=DATA)
    return found[0]


def _record(where: str, item: Any) -> RecordFile:
    header = item.get("record") if isinstance(item, dict) else None
    if not isinstance(header, dict) or not isinstance(header.get("id"), str):
        raise UsageError(f'{where}: expected an object with "record": {{"id": …}}, "student" and "years"', status=DATA)
    content = {name: item.get(name) for name in _SHAPE}
    for problem in _problems("", content, _SHAPE):
        raise UsageError(f"{where}: {problem}", status=DATA)
    years = [{"award": "", **year} for year in content["years"]]
    school = header.get("school")
    identifier = school.get("identifier") if isinstance(school, dict) else None
    return RecordFile(where, header["id"], identifier if isinstance(identifier, str) else None, {**content, "years": years})


def _problems(path: str, value: Any, shape: Any) -> Iterator[str]:
    """What does not fit, with its place; a member whose name ends in "?" in `shape` may be left out. Values are never repeated."""
    if isinstance(shape, _Leaf):
        if not shape.fits(value):
            yield f"{path}: expected {shape.expected}, got {_kind(value)}"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path}: expected a list, got {_kind(value)}"
            return
        for number, item in enumerate(value):
            yield from _problems(f"{path}[{number}]", item, shape[0])
    else:
        yield from _members(path, value, shape)


def _members(path: str, value: Any, shape: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected an object, got {_kind(value)}"
        return
    names = {name.removesuffix("?") for name in shape}
    for name in value:
        if name not in names:
            yield f"{path}: a member {name[:40]!r} that a record does not have; expected {', '.join(sorted(names))}"
    for name, inner in shape.items():
        plain = name.removesuffix("?")
        place = f"{path}.{plain}" if path else plain
        if plain in value:
            yield from _problems(place, value[plain], inner)
        elif plain == name:
            yield f"{place}: is missing"


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "nothing",
    }
    return names[type(value)]


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")  # RFC 8259 section 4: two readers may then see two records
    return found
