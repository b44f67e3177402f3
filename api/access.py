"""Who calls: an API key in the Authorization header, bound to one school."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request

from api.errors import Problem
from config.house import House
from db.api_keys import ApiKey
from records.errors import NotFoundError
from records.person import Person, School

REALM = {"WWW-Authenticate": 'Bearer realm="eduseal"'}


@dataclass(frozen=True)
class Caller:
    """A program acting for `school`."""

    key: ApiKey
    school: School

    @property
    def actor_id(self) -> str:
        return f"api-key/{self.key.id}"


class Access:
    """`access(request)` gives the caller, or raises :class:`api.errors.Problem` (401) without saying what was wrong."""

    def __init__(self, house: House) -> None:
        self._keys = house.stores.api_keys
        self._roster = house.stores.roster

    def __call__(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = self._keys.authenticate(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "no-access", "an API key is needed; expected Authorization: Bearer eduseal_…", REALM)
        return Caller(key, self._roster.school(key.school_id))


def person_of(house: House, caller: Caller, person_id: str) -> Person:
    """Somebody of the caller's own school, without their code; raises NotFoundError, for other schools' people too."""
    roster, school_id = house.stores.roster, caller.school.id
    everyone: tuple[Person, ...] = (*roster.teachers(school_id=school_id), *roster.students(school_id=school_id))
    for who in everyone:
        if who.id == person_id:
            return who
    raise NotFoundError(f"{person_id} is not in the roster of school {school_id}")
