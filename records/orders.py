"""What a request asks for, put into octets: an approval is of exactly this, so that nothing else can be issued under it.

Canonical JSON, SHA-256 over it. A personal code never goes in: it has a million possible values and its digest would give it away. The
digest of the stored code stands for it, which lies wrapped under a fresh nonce: where the code is entered anew, the order is another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from pki.registration.approval import Order
from pki.registration.policy import RequestKind
from records.person import Person, Role, School, Student

_FORMAT = "eduseal order 1"


@dataclass(frozen=True)
class Enrolee:
    """Who is to get a certificate. `wrapped_code`: their code as it is stored; `replaces`: the serial number of their newest one so far."""

    who: Person
    wrapped_code: bytes | None
    replaces: int | None = None


def seal_order(school: School, *, replaces: int | None, new_key: bool = False) -> Order:
    """A seal for a school; `replaces` is the serial number of the seal's newest certificate so far, if it has one.

    `new_key` asks for a key that no certificate was issued over; otherwise the seal keeps the one that it has.
    """
    wanted = {**_school(school), "replaces": _hex(replaces), **({"new_key": True} if new_key else {})}
    return _order(RequestKind.SEAL, Role.SCHOOL_SEAL.value, f"seal/{school.id}", wanted)


def own_key_order(who: Person, school: School, *, wrapped_code: bytes | None, key_sha256: bytes, replaces: int | None) -> Order:
    """A certificate over a key that a member of staff keeps. `key_sha256` is of its SubjectPublicKeyInfo; `replaces` as above, of the
    newest certificate over this very key."""
    wanted = {**_school(school), **_person(who, wrapped_code), "key": key_sha256.hex(), "replaces": _hex(replaces)}
    return _order(RequestKind.PERSON, _role(who), who.id, wanted)


def enrolment_order(people: Iterable[Enrolee], schools: Iterable[School]) -> Order:
    """Certificates over keys made here: for one person, or for many at once, which is a batch. `schools`: those they belong to."""
    everyone = sorted(people, key=lambda each: each.who.id)
    wanted: dict[str, object] = {
        "people": [{**_person(each.who, each.wrapped_code), "replaces": _hex(each.replaces)} for each in everyone],
        "schools": [_school(school) for school in sorted(schools, key=lambda school: school.id)],
    }
    if len(everyone) == 1:
        return _order(RequestKind.PERSON, _role(everyone[0].who), everyone[0].who.id, wanted)
    return _order(RequestKind.BULK, "people", f"batch/{len(everyone)}", wanted)


def wants_new_key(order: Order) -> bool:
    """Whether :func:`seal_order` was asked for one."""
    return order.kind is RequestKind.SEAL and bool(json.loads(order.content or "{}").get("new_key"))


def _order(kind: RequestKind, profile: str, reference: str, wanted: dict[str, object]) -> Order:
    text = json.dumps(
        {"format": _FORMAT, "kind": kind.value, "profile": profile, **wanted}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return Order(kind, profile, reference, hashlib.sha256(text.encode()).digest(), text)


def _school(school: School) -> dict[str, object]:
    return {"school": school.id, "identifier": school.identifier, "organization": school.short_name, "country": school.country}


def _person(who: Person, wrapped_code: bytes | None) -> dict[str, object]:
    return {
        "holder": who.id,
        "role": _role(who),
        "school": who.school_id,
        "surname": who.surname,
        "given_name": who.given_name,
        "sex": who.sex.value,
        "birth_date": who.birth_date.isoformat(),
        "code": None if wrapped_code is None else hashlib.sha256(wrapped_code).hexdigest(),
    }


def _role(who: Person) -> str:
    return Role.STUDENT.value if isinstance(who, Student) else who.role.value


def _hex(serial: int | None) -> str | None:
    return None if serial is None else f"{serial:x}"


def people_of(order: Order) -> tuple[str, ...]:
    """Roster ids of those whom :func:`enrolment_order` names; empty for another order."""
    wanted = json.loads(order.content) if order.content and order.kind in (RequestKind.PERSON, RequestKind.BULK) else {}
    return tuple(row["holder"] for row in wanted.get("people", ()))


def unchanged(approved: Order, now: Order) -> tuple[str, ...]:
    """Roster ids of those of whom both orders say the same, octet for octet, and of their schools.

    A person who was issued a certificate in between is not among them: `replaces` is another. So what an approval left undone can be told
    from what was done under it.
    """
    before, after = _told(approved), _told(now)
    return tuple(holder for holder, told in before.items() if after.get(holder) == told)


def _told(order: Order) -> dict[str, tuple[object, object]]:
    wanted = json.loads(order.content or "{}")
    schools = {row["school"]: row for row in wanted.get("schools", ())}
    return {row["holder"]: (row, schools.get(row["school"])) for row in wanted.get("people", ())}
