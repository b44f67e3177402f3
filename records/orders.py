"""What a request asks for, put into octets: an approval is of exactly this, so that nothing else can be issued under it.

Canonical JSON, SHA-256 over it. A personal code never goes in: it has a million possible values and its digest would give it away. The
digest of the stored code stands for it, which lies wrapped under a fresh nonce: where the code is entered anew, the order is another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from pki.registration import Order
from pki.registration_policy import RequestKind
from records.person import Person, Role, School, Student

_FORMAT = "eduseal order 1"


def seal_order(school: School, *, replaces: int | None) -> Order:
    """A seal for a school; `replaces` is the serial number of the seal's newest certificate so far, if it has one."""
    wanted = {**_school(school), "replaces": _hex(replaces)}
    return _order(RequestKind.SEAL, Role.SCHOOL_SEAL.value, f"seal/{school.id}", wanted)


def own_key_order(who: Person, school: School, *, wrapped_code: bytes | None, key_sha256: bytes, replaces: int | None) -> Order:
    """A certificate over a key that a member of staff keeps. `key_sha256` is of its SubjectPublicKeyInfo; `replaces` as above, of the
    newest certificate over this very key."""
    wanted = {**_school(school), **_person(who, wrapped_code), "key": key_sha256.hex(), "replaces": _hex(replaces)}
    return _order(RequestKind.PERSON, _role(who), who.id, wanted)


def batch_order(people: Iterable[tuple[Person, bytes | None]], schools: Iterable[School]) -> Order:
    """Certificates for many at once: people with their wrapped codes, in any order, and the schools that they belong to."""
    rows = sorted((_person(who, code) for who, code in people), key=lambda row: str(row["holder"]))
    wanted = {"people": rows, "schools": sorted((_school(school) for school in schools), key=lambda row: str(row["school"]))}
    digest = _digest(wanted)
    return Order(RequestKind.BULK, "people", f"batch/{len(rows)}-{digest.hex()[:16]}", digest)


def _order(kind: RequestKind, profile: str, reference: str, wanted: dict[str, object]) -> Order:
    return Order(kind, profile, reference, _digest({"kind": kind.value, "profile": profile, **wanted}))


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


def _digest(wanted: dict[str, object]) -> bytes:
    text = json.dumps({"format": _FORMAT, **wanted}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()
