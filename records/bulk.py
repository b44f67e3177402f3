"""A bulk batch as a value: whom it certifies, in which chunks, on which sheets, and the digest that its approval is bound to.

    places = plan(people, by=SheetBy.SCHOOL)
    sha256 = digest(batch_id, files, places)

Chunks are made durable one by one; a sheet of activation codes lies in one chunk, so that it is written once, whole. A person's `facts`
are what their certificate will say of them, and the wrapped code octet for octet: where the roster has changed since the approval, the
person is refused. The code is wrapped under a fresh nonce at each import, so the digest gives nothing away to somebody who guesses codes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from records.errors import RecordsError
from records.person import Person, School, Student

CHUNK = 500  # people at most: what one transaction records, and one issues; others who would write to the log wait for its end
SHEET = 250  # people at most: what somebody folds into envelopes at one sitting
_FORMAT = "eduseal bulk batch 1"


class BulkError(RecordsError):
    """A batch cannot be made, started or carried on."""


class SupersededError(BulkError):
    """Another process has taken the chunk over; what this one prepared for it is never issued."""


class BatchState(StrEnum):
    SUBMITTED = "submitted"
    """Waits for its approval."""
    RUNNING = "running"
    """Approved and started; it goes on until it is done, whatever crashes meanwhile."""
    DONE = "done"


class ChunkState(StrEnum):
    WAITING = "waiting"
    RECORDED = "recorded"
    """Its certificates are in the books and not signed, or signed and not in the books: nobody has them."""
    ISSUED = "issued"
    """Certificates and keys are in the books, the sheets on the disk under a temporary name."""
    DONE = "done"


class SheetBy(StrEnum):
    SCHOOL = "school"
    CLASS = "class"


@dataclass(frozen=True)
class SourceFile:
    """A CSV file that a batch was made from; SHA-256 in lower-case hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Place:
    """A person's place in a batch. `position` counts from 0; `sheet` is the file name of their sheet, without an ending."""

    position: int
    person_id: str
    chunk: int
    sheet: str
    facts: bytes
    """SHA-256 by :func:`facts_of`, 32 octets."""


@dataclass(frozen=True)
class Batch:
    """`digest` is what approvers approve. `sheets` is the folder of the sheets, once started."""

    id: str
    files: tuple[SourceFile, ...]
    digest: bytes
    people: int
    state: BatchState
    submitted_by: str
    submitted_at: datetime
    request_id: str | None = None
    sheets: str | None = None
    workflow_id: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Progress:
    """How far a batch is: people by what became of them, and chunks whose sheets are in place."""

    people: int
    issued: int
    refused: int
    chunks: int
    chunks_done: int

    @property
    def waiting(self) -> int:
        return self.people - self.issued - self.refused


@dataclass(frozen=True)
class Refusal:
    """Why a person of a batch got no certificate."""

    person_id: str
    reason: str


def facts_of(who: Person, school: School, wrapped_code: bytes) -> bytes:
    """SHA-256 over all that a certificate and a sheet will say of a person of this school."""
    role = "student" if isinstance(who, Student) else who.role.value
    place = who.class_name if isinstance(who, Student) else who.homeroom or ""
    code = hashlib.sha256(wrapped_code).hexdigest()
    person = [who.id, role, place, who.surname, who.given_name, who.sex.value, who.birth_date.isoformat(), code]
    return _sha256([person, [school.id, school.identifier, school.short_name, school.country]])


def digest(batch_id: str, files: Sequence[SourceFile], places: Iterable[Place]) -> bytes:
    """SHA-256 over the batch: its files, and each person with what is said of them, where."""
    head = _sha256([_FORMAT, batch_id, [[file.name, file.sha256] for file in files]])
    body = hashlib.sha256(head)
    for place in places:
        body.update(_sha256([place.position, place.person_id, place.chunk, place.sheet, place.facts.hex()]))
    return body.digest()


def plan(people: Iterable[tuple[Person, bytes]], *, by: SheetBy = SheetBy.SCHOOL, chunk: int = CHUNK) -> Iterator[Place]:
    """Gives each person, with their facts, a place: by school and class, chunks of at most `chunk` people, each of whole sheets.

    Raises :class:`BulkError` where a person stands twice.
    """
    ordered = sorted(people, key=lambda pair: (pair[0].school_id, _class(pair[0]) if by is SheetBy.CLASS else "", pair[0].id))
    if len({who.id for who, _ in ordered}) != len(ordered):
        raise BulkError("a person stands in the batch twice; give each one row")
    position = number = filled = 0
    for sheet, (key, members) in enumerate(_sheets(ordered, by, min(chunk, SHEET)), 1):
        if filled and filled + len(members) > chunk:
            number, filled = number + 1, 0
        name = "-".join([f"{sheet:05}", *filter(None, map(_plain, key))])
        for who, facts in members:
            yield Place(position, who.id, number, name, facts)
            position += 1
        filled += len(members)


def _sheets(
    ordered: Sequence[tuple[Person, bytes]], by: SheetBy, most: int
) -> Iterator[tuple[tuple[str, str], list[tuple[Person, bytes]]]]:
    """Runs of one school, or of one class, none longer than `most`."""
    key, members = ("", ""), list[tuple[Person, bytes]]()
    for pair in ordered:
        own = (pair[0].school_id, _class(pair[0]) if by is SheetBy.CLASS else "")
        if members and (own != key or len(members) == most):
            yield key, members
            members = []
        key = own
        members.append(pair)
    if members:
        yield key, members


def _class(who: Person) -> str:
    return who.class_name if isinstance(who, Student) else ""


def _plain(text: str) -> str:
    """For a file name; the number before it keeps two schools apart whose names come out alike."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:64]


def _sha256(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()).digest()
