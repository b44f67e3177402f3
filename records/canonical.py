"""Canonical JSON (RFC 8785) and the `record.json` that every exported record carries.

One record has one sequence of octets: its SHA-256 links a version to the next, and the same record exports to the same PDF.
Marks are texts, numbers are integers: nothing here depends on how a reader rounds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from records.errors import RecordContentError
from records.person import Sex
from records.record import (
    Attendance,
    PreviousVersion,
    Record,
    RecordContent,
    RecordSchool,
    RecordStudent,
    SchoolYear,
    SubjectMarks,
    TermAssessment,
)
from signing.workflow import SCHEMA, Workflow

MAX_SAFE_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: beyond it IEEE doubles lose digits


def canonical_json(value: Any) -> bytes:
    """RFC 8785 octets of None, bool, int, str, list, tuple and dict with text keys; raises :class:`RecordContentError` on anything else."""
    try:
        return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        raise RecordContentError("canonical JSON is UTF-8; a text holds half a character (a lone surrogate)") from None


def _ordered(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER:
        return value
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        # RFC 8785 section 3.2.3 sorts by UTF-16 code units, which differs from code points above U+FFFF
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))}
    raise RecordContentError(f"canonical JSON holds texts, integers, lists and objects; got {type(value).__name__}")


def record_json(record: Record, workflow: Workflow) -> bytes:
    """The canonical `record.json` of a version (members as :func:`signing.workflow.parse_manifest` reads them), UTF-8."""
    return canonical_json(record_as_dict(record, workflow))


def record_sha256(record: Record, workflow: Workflow) -> str:
    """SHA-256 of :func:`record_json`, lower-case hexadecimal: what :class:`PreviousVersion` names."""
    return hashlib.sha256(record_json(record, workflow)).hexdigest()


def record_as_dict(record: Record, workflow: Workflow) -> dict[str, Any]:
    previous = record.previous
    return {
        "schema": SCHEMA,
        "record": {
            "id": record.id,
            "version": record.version,
            "kind": record.kind,
            "school": {"identifier": record.school.identifier, "name": record.school.name, "locality": record.school.locality},
            "prepared_at": record.prepared_at.isoformat().replace("+00:00", "Z"),
            "previous": {"version": previous.version, "sha256": previous.sha256} if previous else None,
        },
        "workflow": workflow.as_dict(),
        **content_as_dict(record.content),
    }


def content_as_dict(content: RecordContent) -> dict[str, Any]:
    """What a revision may change, JSON-ready: members `student` and `years`."""
    student = content.student
    return {
        "student": {
            "id": student.id,
            "name": student.name,
            "birth_date": student.birth_date.isoformat(),
            "sex": student.sex.value,
            "birth_place": student.birth_place,
            "commitment": student.commitment,
        },
        "years": [_year_as_dict(year) for year in content.years],
    }


def _year_as_dict(year: SchoolYear) -> dict[str, Any]:
    return {
        "year": year.year,
        "grade": year.grade,
        "class_name": year.class_name,
        "homeroom_teacher": year.homeroom_teacher,
        "marks": [{"subject": m.subject, "hk1": m.hk1, "hk2": m.hk2, "year": m.year} for m in year.marks],
        "hk1": _assessment_as_dict(year.hk1),
        "hk2": _assessment_as_dict(year.hk2),
        "whole": _assessment_as_dict(year.whole),
        "attendance": {"excused": year.attendance.excused, "unexcused": year.attendance.unexcused},
        "outcome": year.outcome,
        "remark": year.remark,
        "award": year.award,
    }


def _assessment_as_dict(assessment: TermAssessment) -> dict[str, Any]:
    return {"learning": assessment.learning, "conduct": assessment.conduct}


def record_from_dict(document: Mapping[str, Any]) -> tuple[Record, Workflow]:
    """Reads back what :func:`record_as_dict` wrote; raises :class:`RecordContentError` where members lack or do not fit.

    For the house's own books. A verifier reads an unknown document with :func:`signing.workflow.parse_manifest` instead.
    """
    try:
        header, student = document["record"], document["student"]
        previous = header["previous"]
        record = Record(
            id=header["id"],
            version=header["version"],
            kind=header["kind"],
            school=RecordSchool(**header["school"]),
            prepared_at=datetime.fromisoformat(header["prepared_at"]),
            previous=PreviousVersion(**previous) if previous else None,
            content=RecordContent(
                student=RecordStudent(
                    **{**student, "birth_date": date.fromisoformat(student["birth_date"]), "sex": Sex(student["sex"])},
                ),
                years=tuple(_year_from_dict(year) for year in document["years"]),
            ),
        )
        return record, Workflow.from_mapping(document["workflow"])
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordContentError(f"stored record is not of the shape this version writes ({type(exc).__name__})") from exc


def _year_from_dict(data: Mapping[str, Any]) -> SchoolYear:
    return SchoolYear(
        **{
            **data,
            "marks": tuple(SubjectMarks(**marks) for marks in data["marks"]),
            "hk1": TermAssessment(**data["hk1"]),
            "hk2": TermAssessment(**data["hk2"]),
            "whole": TermAssessment(**data["whole"]),
            "attendance": Attendance(**data["attendance"]),
        }
    )
