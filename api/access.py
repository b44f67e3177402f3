"""Who calls: an API key in the Authorization header, bound to one school. And how often a PIN may be guessed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from fastapi import Request

from api.errors import Problem
from config.house import House
from db.api_keys import ApiKey
from pki.ports import Clock
from records.errors import NotFoundError
from records.person import Person, School

MAX_WRONG = 5  # wrong PINs of one person, then a pause
PAUSE = timedelta(minutes=15)
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


class Attempts:
    """Counts wrong PINs for each person, in this process. Wrong ones in a row only: a right one clears the count."""

    def __init__(self, *, clock: Clock, most: int = MAX_WRONG, pause: timedelta = PAUSE) -> None:
        self._clock = clock
        self._most = most
        self._pause = pause
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, datetime]] = {}

    def check(self, holder: str) -> None:
        """Raises :class:`api.errors.Problem` (429) while the pause lasts. Counts the attempt as wrong until :meth:`right` is called."""
        now = self._clock()
        with self._lock:
            count, last = self._wrong.get(holder, (0, now))
            if count >= self._most and now - last < self._pause:
                left = int((self._pause - (now - last)).total_seconds()) + 1
                detail = f"{count} wrong PINs in a row; try again in {-(-left // 60)} minutes"
                raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-attempts", detail, {"Retry-After": str(left)})
            # counted before the PIN is tried, so that many tries at once do not slip past
            self._wrong[holder] = (1 if count >= self._most else count + 1, now)

    def right(self, holder: str) -> None:
        with self._lock:
            self._wrong.pop(holder, None)
