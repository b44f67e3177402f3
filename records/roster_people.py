"""Accepted people of an import, many in little memory: one run of octets a person, made into a person again when asked for.

A million pupils as objects take two gigabytes; as octets a tenth of that. They stay in memory, because a person is accepted only when the
last row was read: any row may name the same code again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Generic, TypeVar, overload

from records.person import Person, PersonalCode, Role, Sex, Student, Teacher

_SEPARATOR = "\x1f"  # a control character: no cell holds one (`records.roster_csv`)

Who = TypeVar("Who", bound=Person, covariant=True)


def packed(who: Person) -> bytes:
    """:func:`unpacked` is its inverse."""
    code = (who.code.scheme, who.code.value) if who.code is not None else ("", "")
    common = (who.id, who.school_id, who.surname, who.given_name, who.sex.value, who.birth_date.isoformat(), *code)
    if isinstance(who, Teacher):
        return _SEPARATOR.join((*common, who.role.value, who.homeroom or "")).encode()
    return _SEPARATOR.join((*common, "", who.class_name, who.birth_place)).encode()


def unpacked(octets: bytes) -> Person:
    person_id, school, surname, given_name, sex, born, scheme, value, *rest = octets.decode().split(_SEPARATOR)
    code = PersonalCode(scheme, value) if value else None
    birth_date = date.fromisoformat(born)
    if rest[0]:
        return Teacher(person_id, school, surname, given_name, Sex(sex), birth_date, Role(rest[0]), rest[1] or None, code)
    return Student(person_id, school, rest[1], surname, given_name, Sex(sex), birth_date, rest[2], code)


class PackedPeople(Sequence[Who], Generic[Who]):
    """Persons in the order in which they were added; each look at one makes it anew. Never shows what it holds."""

    def __init__(self, octets: Sequence[bytes] = ()) -> None:
        self._octets = octets

    def __len__(self) -> int:
        return len(self._octets)

    @overload
    def __getitem__(self, place: int) -> Who: ...
    @overload
    def __getitem__(self, place: slice) -> PackedPeople[Who]: ...
    def __getitem__(self, place: int | slice) -> Who | PackedPeople[Who]:
        if isinstance(place, slice):
            return PackedPeople(self._octets[place])
        return unpacked(self._octets[place])  # type: ignore[return-value] # whoever fills it says of which kind they are

    def __iter__(self) -> Iterator[Who]:
        return map(unpacked, self._octets)  # type: ignore[arg-type] # as above

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedPeople) and list(self._octets) == list(other._octets)

    __hash__ = None  # type: ignore[assignment] # as a list has none

    def __repr__(self) -> str:
        return f"<{len(self)} people>"
