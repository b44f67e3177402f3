"""People of an import on their way into the books: a bounded number at a time, all within the caller's transaction.

Of each piece the books are asked once what they have; what is new goes in together, what differs is replaced, and what stands is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from db.bulk_rows import insert_all
from db.tables import blocked_people, people, personal_codes
from db.upsert import upsert
from records.blocked import Blocked
from records.errors import RosterFileError
from records.person import Person, Teacher
from records.roster_ports import Saved

PIECE = 500  # people in one IN list; SQLite before 3.32 takes 999 parameters
_NO_WORD = (None, None)

Item = TypeVar("Item")


class RosterSaving:
    """`wrap` gives the code of a person as it is to be stored, or None where the books keep what they have."""

    def __init__(self, connection: sa.Connection, wrap: Callable[[Person], bytes | None], at: datetime) -> None:
        self._connection = connection
        self._wrap = wrap
        self._at = at
        self.accepted = 0
        self.saved = Saved()

    def accept(self, accepted: Iterable[Person]) -> None:
        """Keeps them, and lifts what blocked them. Raises :class:`records.errors.RosterFileError`."""
        for piece in _pieces(accepted):
            ids = [person.id for person in piece]
            barred = sa.delete(blocked_people).where(blocked_people.c.person_id.in_(ids)).returning(blocked_people.c.person_id)
            lifted = set(self._connection.execute(barred).scalars())
            self._keep(piece, {person.id: code for person in piece if (code := self._wrap(person)) is not None}, lifted)
            self.accepted += len(piece)

    def block(self, blocked: Iterable[Blocked]) -> None:
        """Keeps them as people, and why they get no certificate. Raises :class:`records.errors.RosterFileError`."""
        for piece in _pieces(blocked):
            new = {item.person.id: (item.reason.value, item.detail) for item in piece}
            chosen = sa.select(blocked_people).where(blocked_people.c.person_id.in_(new))
            old = {row.person_id: (row.reason, row.detail) for row in self._connection.execute(chosen)}
            differ = {person_id for person_id, why in new.items() if old.get(person_id, _NO_WORD) != why}
            self._keep([item.person for item in piece], {}, differ)
            upsert(self._connection, blocked_people, [_blocked_row(item) for item in piece])

    def _keep(self, piece: Sequence[Person], codes: Mapping[str, bytes], differ: set[str]) -> None:
        """`codes` are those to store; `differ` are people of whom something else changed."""
        wanted = {person.id: _person_row(person) for person in piece}
        chosen = sa.select(people).where(people.c.id.in_(wanted))
        known = {row.id: dict(row._mapping) for row in self._connection.execute(chosen)}
        for person_id, row in known.items():
            if row["kind"] != (kind := wanted[person_id]["kind"]):
                raise RosterFileError(f"id {person_id} is a {row['kind']}'s already; a {kind} needs another")
        insert_all(self._connection, people, [row for person_id, row in wanted.items() if person_id not in known])
        changed = [row for person_id, row in wanted.items() if person_id in known and known[person_id] != row]
        upsert(self._connection, people, changed)
        rows = [{"person_id": person_id, "wrapped_code": code, "saved_at": self._at} for person_id, code in codes.items()]
        insert_all(self._connection, personal_codes, [row for row in rows if row["person_id"] not in known])
        upsert(self._connection, personal_codes, [row for row in rows if row["person_id"] in known])
        differ = (differ | set(codes) | {row["id"] for row in changed}) & set(known)
        self.saved = Saved(
            added=self.saved.added + len(wanted) - len(known),
            changed=self.saved.changed + len(differ),
            unchanged=self.saved.unchanged + len(known) - len(differ),
        )


def _pieces(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while piece := list(islice(rest, PIECE)):
        yield piece


def _person_row(person: Person) -> dict[str, Any]:
    common = {
        "id": person.id,
        "kind": "teacher" if isinstance(person, Teacher) else "student",
        "school_id": person.school_id,
        "surname": person.surname,
        "given_name": person.given_name,
        "sex": person.sex.value,
        "birth_date": person.birth_date,
    }
    if isinstance(person, Teacher):
        return {**common, "birth_place": None, "class_name": None, "role": person.role.value, "homeroom": person.homeroom}
    return {**common, "birth_place": person.birth_place, "class_name": person.class_name, "role": None, "homeroom": None}


def _blocked_row(item: Blocked) -> dict[str, Any]:
    return {"person_id": item.person.id, "reason": item.reason.value, "file": item.file, "row": item.row, "detail": item.detail}
