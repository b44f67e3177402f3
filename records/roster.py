"""The roster: schools, teachers and pupils from CSV, each with a personal code that is checked before anyone gets a certificate.

>>> from pathlib import Path
>>> roster = import_roster(                                                                                   # doctest: +SKIP
...     schools=RosterFile("schools.csv", Path("schools.csv").read_bytes()),
...     students=RosterFile("students.csv", Path("students.csv").read_bytes()),
... )

Three things can become of a row. Accepted: the person may be enrolled. Blocked: the row is sound but its code is missing, malformed,
inconsistent or held by two people: no certificate, a place in the blocked list. Broken: an error that names file, row and column.
`records.roster_csv` documents the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

from pki.identity.codes import INCONSISTENT, IdentityError, IdentityReason, IdentityWarning, PersonFacts, check
from records.blocked import Blocked, BlockedReason
from records.person import Person, PersonalCode, School, Student, Teacher
from records.roster_codes import canonical_code, shared_codes
from records.roster_csv import SCHOOL_COLUMNS, STUDENT_COLUMNS, TEACHER_COLUMNS, RowError
from records.roster_people import PackedPeople, unpacked
from records.roster_ports import Saved
from records.roster_reading import Reading, unwatched
from records.roster_reading import RosterFile as RosterFile
from records.roster_reading import Watch as Watch
from records.roster_rows import school_from, student_from, teacher_from


@dataclass(frozen=True)
class RosterImport:
    """What became of each row. `teachers` and `students` are those accepted, `blocked` those who get no certificate."""

    schools: tuple[School, ...]
    teachers: Sequence[Teacher]
    students: Sequence[Student]
    blocked: tuple[Blocked, ...]
    errors: tuple[RowError, ...]
    warnings: tuple[tuple[str, IdentityWarning], ...] = ()
    """(person id, what is worth a look); such people are accepted."""
    standing: Set[str] = field(default=frozenset(), repr=False)
    """Ids of the people whose code is the one that the books hold for them already."""
    saved: Saved | None = None
    """What the import changed in the books; None where nothing was saved."""

    @property
    def accepted(self) -> Iterator[Person]:
        """Staff first, each made anew as it is asked for."""
        return chain(self.teachers, self.students)


def import_roster(
    *,
    schools: RosterFile | None = None,
    teachers: RosterFile | None = None,
    students: RosterFile | None = None,
    known_schools: Iterable[School] = (),
    held_codes: Iterable[tuple[str, PersonalCode]] = (),
    watch: Watch = unwatched,
) -> RosterImport:
    """Reads the files that are given. Raises :class:`records.errors.RosterFileError` where one is no such table at all.

    `known_schools` are those already in the books; `held_codes` are the ids of the people in the books and the codes they hold, looked
    through once. Nothing is kept: the caller saves the result or, where it has errors, has the files mended first. A person takes some
    400 octets of memory, and little else grows with their number.
    """
    reading = Reading(watch)
    found = list(reading.entries(schools, SCHOOL_COLUMNS, school_from))
    ids = {school.id for school in known_schools} | {school.id for school in found}
    for teacher in reading.entries(teachers, TEACHER_COLUMNS, lambda row: teacher_from(row, ids)):
        reading.keep(teacher)
    staff = len(reading.people)
    for student in reading.entries(students, STUDENT_COLUMNS, lambda row: student_from(row, ids)):
        reading.keep(student)
    sharing, standing = shared_codes(reading.people, reading.row_of, held_codes)
    blocked, warnings = list[Blocked](), list[tuple[str, IdentityWarning]]()
    accepted: tuple[list[bytes], list[bytes]] = ([], [])
    for place, (octets, row) in enumerate(zip(reading.people, reading.rows, strict=True)):
        person = unpacked(octets)
        try:
            warnings += [(person.id, warning) for warning in _checked(person, sharing)]
            accepted[place >= staff].append(octets)
        except _BarredError as exc:
            file = teachers if place < staff else students
            blocked.append(Blocked(person, exc.reason, file.name if file else "", row, str(exc)))
    return RosterImport(
        schools=tuple(found),
        teachers=PackedPeople(accepted[0]),
        students=PackedPeople(accepted[1]),
        blocked=tuple(blocked),
        errors=tuple(reading.errors),
        warnings=tuple(warnings),
        standing=standing,
    )


class _BarredError(Exception):
    def __init__(self, reason: BlockedReason, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


def _checked(person: Teacher | Student, sharing: Mapping[str, list[str]]) -> tuple[IdentityWarning, ...]:
    """The warnings about a person's code; raises :class:`_BarredError`, whose text never holds the code."""
    if person.code is None:
        raise _BarredError(BlockedReason.MISSING_CODE)
    found: tuple[IdentityWarning, ...] = ()
    inconsistent: IdentityError | None = None
    province = person.birth_place or None if isinstance(person, Student) else None
    facts = PersonFacts(birth_date=person.birth_date, sex=person.sex.value, province=province)
    try:
        found = check(person.code.scheme, person.code.value, facts=facts).warnings
    except IdentityError as exc:
        if exc.reason not in INCONSISTENT:
            reason = BlockedReason.MISSING_CODE if exc.reason is IdentityReason.MISSING else BlockedReason.MALFORMED_CODE
            raise _BarredError(reason, _detail(exc)) from exc
        inconsistent = exc
    # a shared code comes before a contradiction: the contradiction may only show that it is somebody else's
    others = [holder for holder in sharing.get(canonical_code(person.code), ()) if holder != person.id]
    if others:
        raise _BarredError(BlockedReason.DUPLICATE_CODE, f"also given for {', '.join(others[:3])}")
    if inconsistent is not None:
        raise _BarredError(BlockedReason.INCONSISTENT_CODE, _detail(inconsistent)) from inconsistent
    return found


def _detail(error: IdentityError) -> str:
    """What the scheme found, in a few words: "SEX_MISMATCH" reads "sex mismatch"."""
    return error.reason.value.lower().replace("_", " ")
