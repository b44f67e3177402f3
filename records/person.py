"""Schools and people of the roster. Ids are the school information system's own: opaque, never a personal code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Role(StrEnum):
    """What a person or institution may do. The first four are the names of certificate roles (`certs/policies`)."""

    TEACHER = "teacher"
    PRINCIPAL = "principal"
    SCHOOL_SEAL = "school-seal"
    STUDENT = "student"
    ADMINISTRATOR = "administrator"
    """A school administrator: decides on unlock requests, signs nothing."""


@dataclass(frozen=True)
class PersonalCode:
    """A personal identification code under a named scheme of `pki.identity.codes`. Its value never shows in a repr."""

    scheme: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class School:
    id: str
    identifier: str
    """organizationIdentifier (ETSI EN 319 412-1 clause 5.1.4), such as NTRVN-0100109106."""
    name: str
    short_name: str
    """At most 64 characters (X.520 common name); equals `name` where that is short enough."""
    locality: str
    country: str = "VN"


@dataclass(frozen=True)
class Teacher:
    """A member of staff who signs or decides; `role` is TEACHER, PRINCIPAL or ADMINISTRATOR."""

    id: str
    school_id: str
    surname: str
    given_name: str
    sex: Sex
    birth_date: date
    role: Role = Role.TEACHER
    homeroom: str | None = None
    """The class whose homeroom teacher this is, such as 9A."""
    code: PersonalCode | None = field(default=None, repr=False)
    """None for blocked people without one, and for everyone read back from a store."""

    @property
    def name(self) -> str:
        return f"{self.surname} {self.given_name}"


@dataclass(frozen=True)
class Student:
    id: str
    school_id: str
    class_name: str
    surname: str
    given_name: str
    sex: Sex
    birth_date: date
    birth_place: str = ""
    code: PersonalCode | None = field(default=None, repr=False)
    """As for :class:`Teacher`."""

    @property
    def name(self) -> str:
        return f"{self.surname} {self.given_name}"


Person = Teacher | Student
