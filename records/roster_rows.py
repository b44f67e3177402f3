"""What a row of each roster file means: schools, staff and pupils from tidied cells. Broken cells raise CellError, naming the column."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from pki.identity.countries import COUNTRIES
from pki.identity.identifiers import IdentifierError, check_organization_identifier
from records.person import PersonalCode, School, Student, Teacher
from records.roster_csv import CellError, Row

DEFAULT_SCHEME = "vn-pid"
MAX_NAME = 64  # characters, X.520 commonName, surname and givenName
MAX_SCHOOL_NAME = 200
EARLIEST_BIRTH = date(1900, 1, 1)


def school_from(row: Row) -> School:
    """`short_name` may be empty where `name` fits a certificate; `country` is VN where empty."""
    name = row.text("name", limit=MAX_SCHOOL_NAME)
    short_name = row.text("short_name", limit=MAX_NAME, empty=True) or name
    if len(short_name) > MAX_NAME:
        raise CellError(
            "short_name", f"is empty and the name has {len(name)} characters, certificates hold {MAX_NAME}; add an official short name"
        )
    country = row.text("country", empty=True) or "VN"
    if country not in COUNTRIES:
        raise CellError("country", "expected a two-letter ISO 3166-1 code such as VN; correct it")
    try:
        identifier = check_organization_identifier(row.text("identifier"))
    except IdentifierError as exc:
        raise CellError("identifier", "expected NTR or VAT, a country and a number, such as NTRVN-0100109106; correct it") from exc
    return School(row.id("school_id"), identifier, name, short_name, row.text("locality", limit=MAX_SCHOOL_NAME), country)


def teacher_from(row: Row, schools: Container[str]) -> Teacher:
    surname, given_name = _name(row)
    return Teacher(
        id=row.id("teacher_id"),
        school_id=_school(row, schools),
        surname=surname,
        given_name=given_name,
        sex=row.sex(),
        birth_date=_birth_date(row),
        role=row.role(),
        homeroom=row.text("homeroom", limit=MAX_NAME, empty=True) or None,
        code=_code(row),
    )


def student_from(row: Row, schools: Container[str]) -> Student:
    surname, given_name = _name(row)
    return Student(
        id=row.id("student_id"),
        school_id=_school(row, schools),
        class_name=row.text("class_name", limit=MAX_NAME),
        surname=surname,
        given_name=given_name,
        sex=row.sex(),
        birth_date=_birth_date(row),
        birth_place=row.text("birth_place", limit=MAX_SCHOOL_NAME, empty=True),
        code=_code(row),
    )


def _school(row: Row, schools: Container[str]) -> str:
    school = row.id("school_id")
    if school not in schools:
        raise CellError("school_id", "names no school that is known; add the school to the schools file, or correct the cell")
    return school


def _name(row: Row) -> tuple[str, str]:
    surname, given_name = row.text("surname"), row.text("given_name")
    if len(surname) + 1 + len(given_name) > MAX_NAME:
        raise CellError("given_name", f"with the surname longer than the {MAX_NAME} characters that a certificate holds; shorten it")
    return surname, given_name


def _birth_date(row: Row) -> date:
    born = row.day("birth_date")
    if born < EARLIEST_BIRTH:
        raise CellError("birth_date", f"lies before {EARLIEST_BIRTH.year}; correct it")
    return born


def _code(row: Row) -> PersonalCode | None:
    """None where the cell is empty. Whether the code is right is `records.roster`'s question."""
    value = row.text("personal_code", empty=True)
    return PersonalCode(row.text("code_scheme", empty=True) or DEFAULT_SCHEME, value) if value else None
