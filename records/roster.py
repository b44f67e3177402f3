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

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pki.identity.codes import INCONSISTENT, IdentityError, IdentityReason, IdentityWarning, PersonFacts, check
from records.blocked import Blocked, BlockedReason
from records.errors import RosterFileError
from records.person import Person, PersonalCode, School, Student, Teacher
from records.roster_csv import MAX_ERRORS, SCHOOL_COLUMNS, STUDENT_COLUMNS, TEACHER_COLUMNS, CellError, Row, RowError, read_rows
from records.roster_rows import school_from, student_from, teacher_from


@dataclass(frozen=True)
class RosterFile:
    """A CSV file: its name as messages show it, and its octets."""

    name: str
    data: bytes


@dataclass(frozen=True)
class RosterImport:
    """What became of each row. `teachers` and `students` are those accepted, `blocked` those who get no certificate."""

    schools: tuple[School, ...]
    teachers: tuple[Teacher, ...]
    students: tuple[Student, ...]
    blocked: tuple[Blocked, ...]
    errors: tuple[RowError, ...]
    warnings: tuple[tuple[str, IdentityWarning], ...] = ()
    """(person id, what is worth a look); such people are accepted."""

    @property
    def accepted(self) -> tuple[Person, ...]:
        return self.teachers + self.students


def import_roster(
    *,
    schools: RosterFile | None = None,
    teachers: RosterFile | None = None,
    students: RosterFile | None = None,
    known_schools: Iterable[School] = (),
    held_codes: Mapping[str, str] | None = None,
) -> RosterImport:
    """Reads the files that are given. Raises :class:`records.errors.RosterFileError` where one is no such table at all.

    `known_schools` are those already in the books; `held_codes` maps canonical codes (:func:`canonical_code`) to the ids of the people
    in the books who hold them. Nothing is kept: the caller saves the result or, where it has errors, has the files mended first.
    """
    reading = _Reading()
    found = [place.entry for place in reading.entries(schools, SCHOOL_COLUMNS, school_from)]
    ids = {school.id for school in known_schools} | {school.id for school in found}
    people: list[_Place[Teacher] | _Place[Student]] = []
    people += reading.entries(teachers, TEACHER_COLUMNS, lambda row: teacher_from(row, ids))
    people += reading.entries(students, STUDENT_COLUMNS, lambda row: student_from(row, ids))
    blocked, warnings = _judge(people, held_codes or {})
    barred = {entry.person.id for entry in blocked}
    accepted = [place.entry for place in people if place.entry.id not in barred]
    return RosterImport(
        schools=tuple(found),
        teachers=tuple(person for person in accepted if isinstance(person, Teacher)),
        students=tuple(person for person in accepted if isinstance(person, Student)),
        blocked=tuple(blocked),
        errors=tuple(reading.errors),
        warnings=tuple(warnings),
    )


def canonical_code(code: PersonalCode) -> str:
    """The spelling under which two codes are one, as :func:`pki.identity.codes.check` reads them."""
    return "".join(code.value.split()).upper()


Entry = TypeVar("Entry", School, Teacher, Student)
EntryOut = TypeVar("EntryOut", School, Teacher, Student, covariant=True)


@dataclass(frozen=True)
class _Place(Generic[EntryOut]):
    """An entry and where it stands."""

    entry: EntryOut
    file: str
    row: int


class _Reading:
    """Rows as they are read: the errors so far, and the ids that are taken."""

    def __init__(self) -> None:
        self.errors: list[RowError] = []
        self._taken: dict[str, str] = {}

    def entries(self, file: RosterFile | None, columns: tuple[str, ...], make: Callable[[Row], Entry]) -> Iterator[_Place[Entry]]:
        """The sound entries of a file (of none: nothing). The first column is the id: each school, and each person, has its own."""
        if file is None:
            return
        for row in read_rows(file.data, file=file.name, columns=columns, report=self._report):
            try:
                entry = make(row)
                where = f"{file.name} row {row.number}"
                self._claim(f"{'school' if isinstance(entry, School) else 'person'} {entry.id}", where, columns[0])
                if isinstance(entry, School):
                    self._claim(f"identifier {entry.identifier}", where, "identifier")
            except CellError as exc:
                self._report(RowError(file.name, row.number, exc.column, str(exc)))
            else:
                yield _Place(entry, file.name, row.number)

    def _claim(self, key: str, where: str, column: str) -> None:
        claimed = self._taken.setdefault(key, where)
        if claimed != where:
            raise CellError(column, f"this stands in {claimed} already; give each its own")

    def _report(self, error: RowError) -> None:
        self.errors.append(error)
        if len(self.errors) >= MAX_ERRORS:
            raise RosterFileError(
                f"{error.file}: {MAX_ERRORS} broken rows up to row {error.row}, the last: {error.message}; mend the file first"
            )


def _judge(
    people: list[_Place[Teacher] | _Place[Student]], held_codes: Mapping[str, str]
) -> tuple[list[Blocked], list[tuple[str, IdentityWarning]]]:
    """Blocked people in the order of the files, and warnings about the others."""
    holders: dict[str, list[str]] = defaultdict(list)
    for place in people:
        if place.entry.code is not None:
            holders[canonical_code(place.entry.code)].append(place.entry.id)
    for code, holder in held_codes.items():
        if holder not in holders.get(code, [holder]):
            holders[code].append(holder)
    blocked: list[Blocked] = []
    warnings: list[tuple[str, IdentityWarning]] = []
    for place in people:
        try:
            warnings += [(place.entry.id, warning) for warning in _checked(place.entry, holders)]
        except _BarredError as exc:
            blocked.append(Blocked(place.entry, exc.reason, place.file, place.row, str(exc)))
    return blocked, warnings


class _BarredError(Exception):
    def __init__(self, reason: BlockedReason, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


def _checked(person: Teacher | Student, holders: Mapping[str, list[str]]) -> tuple[IdentityWarning, ...]:
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
    others = [holder for holder in holders[canonical_code(person.code)] if holder != person.id]
    if others:
        raise _BarredError(BlockedReason.DUPLICATE_CODE, f"also given for {', '.join(others[:3])}")
    if inconsistent is not None:
        raise _BarredError(BlockedReason.INCONSISTENT_CODE, _detail(inconsistent)) from inconsistent
    return found


def _detail(error: IdentityError) -> str:
    """What the scheme found, in a few words: "SEX_MISMATCH" reads "sex mismatch"."""
    return error.reason.value.lower().replace("_", " ")
