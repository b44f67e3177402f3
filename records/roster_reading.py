"""Roster files as they are read, row by row: people kept in little memory, errors collected, ids claimed once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from records.errors import RosterFileError
from records.person import Person, School, Student, Teacher
from records.roster_csv import MAX_ERRORS, CellError, Row, RowError, read_rows
from records.roster_people import packed

Watch = Callable[[], None]
"""Called for each row that was read, and again for each person who was saved: for people who wait."""


def unwatched() -> None:
    """Nobody waits."""


@dataclass(frozen=True)
class RosterFile:
    """A CSV file: its name as messages show it, and its octets."""

    name: str
    data: bytes


Entry = TypeVar("Entry", School, Teacher, Student)


class Reading:
    """Rows as they are read: the people so far, each with the row they stand in, the errors, and what is taken."""

    def __init__(self, watch: Watch) -> None:
        self.errors: list[RowError] = []
        self.people: list[bytes] = []
        self.rows = array("I")
        self.row_of: dict[str, int] = {}
        """Place in `people` by id."""
        self._files: list[tuple[int, str]] = []
        self._taken: dict[str, str] = {}
        self._watch = watch
        self._number = 0

    def entries(self, file: RosterFile | None, columns: tuple[str, ...], make: Callable[[Row], Entry]) -> Iterator[Entry]:
        """The sound entries of a file (of none: nothing). The first column is the id: each school, and each person, has its own."""
        if file is None:
            return
        self._files.append((len(self.people), file.name))
        for row in read_rows(file.data, file=file.name, columns=columns, report=self._report):
            self._number = row.number
            self._watch()
            try:
                entry = make(row)
                if isinstance(entry, School):
                    self._claim(f"school {entry.id}", f"{file.name} row {row.number}", columns[0])
                    self._claim(f"identifier {entry.identifier}", f"{file.name} row {row.number}", "identifier")
                elif (place := self.row_of.get(entry.id)) is not None:
                    self._refuse_taken(self._where(place), columns[0])
            except CellError as exc:
                self._report(RowError(file.name, row.number, exc.column, str(exc)))
            else:
                yield entry

    def keep(self, person: Person) -> None:
        """The person of the row that was read last."""
        self.row_of[person.id] = len(self.people)
        self.people.append(packed(person))
        self.rows.append(self._number)

    def _where(self, place: int) -> str:
        name = next(name for first, name in reversed(self._files) if first <= place)
        return f"{name} row {self.rows[place]}"

    def _claim(self, key: str, where: str, column: str) -> None:
        claimed = self._taken.setdefault(key, where)
        if claimed != where:
            self._refuse_taken(claimed, column)

    def _refuse_taken(self, where: str, column: str) -> None:
        raise CellError(column, f"this stands in {where} already; give each its own")

    def _report(self, error: RowError) -> None:
        self.errors.append(error)
        if len(self.errors) >= MAX_ERRORS:
            raise RosterFileError(
                f"{error.file}: {MAX_ERRORS} broken rows up to row {error.row}, the last: {error.message}; mend the file first"
            )
