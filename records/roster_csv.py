"""Reads roster files: CSV in UTF-8 (with or without a byte order mark), comma or semicolon, one header line.

    schools.csv    school_id, identifier, name, short_name, locality, country
    teachers.csv   teacher_id, school_id, surname, given_name, sex, birth_date, role, homeroom, code_scheme, personal_code
    students.csv   student_id, school_id, class_name, surname, given_name, sex, birth_date, birth_place, code_scheme, personal_code

Columns may stand in any order; all must be there, cells may be empty where the tables below say so. A row that breaks a rule becomes a
:class:`RowError` and the others go on. Error texts never repeat a cell: where columns have slipped, any cell may hold a personal code.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pki.identity.subject import tidy
from records.errors import RosterFileError
from records.person import Role, Sex

MAX_FILE = 256 * 1024 * 1024  # octets: a department's million pupils
MAX_ROWS = 1_500_000
PIECE = 1024 * 1024  # octets decoded at a time
MAX_CELL = 500  # characters
MAX_ERRORS = 1_000  # a file broken throughout is told so once

SCHOOL_COLUMNS = ("school_id", "identifier", "name", "short_name", "locality", "country")
TEACHER_COLUMNS = (
    "teacher_id",
    "school_id",
    "surname",
    "given_name",
    "sex",
    "birth_date",
    "role",
    "homeroom",
    "code_scheme",
    "personal_code",
)
STUDENT_COLUMNS = (
    "student_id",
    "school_id",
    "class_name",
    "surname",
    "given_name",
    "sex",
    "birth_date",
    "birth_place",
    "code_scheme",
    "personal_code",
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEXES = {"male": Sex.MALE, "m": Sex.MALE, "nam": Sex.MALE, "female": Sex.FEMALE, "f": Sex.FEMALE, "nữ": Sex.FEMALE}
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # as pki.identity.subject: one name that looks like another
_STAFF_ROLES = (Role.TEACHER, Role.PRINCIPAL, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class RowError:
    """One broken row. `row` counts lines of the table, the header being 1."""

    file: str
    row: int
    column: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.file} row {self.row}, column {self.column}: {self.message}"


class CellError(Exception):
    """A cell breaks its rule; caught where the row is known."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Row:
    """One row: its number and its cells by column, tidied (NFC, no white space at the ends)."""

    number: int
    cells: dict[str, str]

    def text(self, column: str, *, limit: int = MAX_CELL, empty: bool = False) -> str:
        value = self.cells[column]
        if not value and not empty:
            raise CellError(column, "is empty; fill it in")
        if len(value) > limit:
            raise CellError(column, f"holds {len(value)} characters, at most {limit} are allowed; shorten it")
        return value

    def id(self, column: str) -> str:
        if not _ID.fullmatch(self.cells[column]):
            raise CellError(column, "expected 1 to 64 letters, digits, points, hyphens or underscores; correct it")
        return self.cells[column]

    def sex(self, column: str = "sex") -> Sex:
        try:
            return _SEXES[self.cells[column].casefold()]
        except KeyError:
            raise CellError(column, "expected male or female (also m, f, nam, nữ); correct it") from None

    def day(self, column: str) -> date:
        value = self.cells[column]
        for form in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                if _ISO_DAY.fullmatch(value):
                    return date.fromisoformat(value)  # a tenth of what strptime takes
                return datetime.strptime(value, form).date()  # noqa: DTZ007 (a birth date has no zone)
            except ValueError:
                continue
        raise CellError(column, "expected a date such as 2011-03-09 or 09/03/2011; correct it")

    def role(self, column: str = "role") -> Role:
        value = self.cells[column].casefold() or Role.TEACHER
        if value not in _STAFF_ROLES:
            raise CellError(column, f"expected one of {', '.join(_STAFF_ROLES)}; correct it")
        return Role(value)


def read_rows(data: bytes, *, file: str, columns: tuple[str, ...], report: Callable[[RowError], None]) -> Iterator[Row]:
    """The table's rows one by one; broken ones go to `report`. Raises :class:`RosterFileError` where the file is no such table."""
    reader = csv.reader(_lines(data, file), delimiter=_delimiter(data), strict=True)
    header = _header(reader, file, columns)
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error:
            report(RowError(file, number, "?", "quotation marks do not match; rows below it were not read, mend it and import again"))
            return
        if cells is None:
            return
        if number > MAX_ROWS:
            raise RosterFileError(f"{file}: more than {MAX_ROWS} rows; split the file")
        if not any(cell.strip() for cell in cells):
            continue
        try:
            yield Row(number, _tidied(header, cells))
        except CellError as exc:
            report(RowError(file, number, exc.column, str(exc)))


def _lines(data: bytes, file: str) -> io.TextIOWrapper:
    """The text, decoded piece by piece: as one string it would take several times the file."""
    if len(data) > MAX_FILE:
        raise RosterFileError(f"{file}: {len(data)} octets, more than the {MAX_FILE} that are read; split the file")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), PIECE):
            decoder.decode(data[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RosterFileError(f"{file}: not UTF-8 at octet {_first_bad(data)}; save it as “CSV UTF-8”") from None
    if b"\x00" in data:
        raise RosterFileError(f"{file}: holds NUL characters, so it is no CSV file; save it as “CSV UTF-8”")
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")


def _first_bad(data: bytes) -> int:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        return exc.start
    return len(data)


def _delimiter(data: bytes) -> str:
    """Semicolon where the header line has no comma: what spreadsheets write in Vietnamese and European settings."""
    first = data[:4096].split(b"\n", 1)[0]
    return ";" if b";" in first and b"," not in first else ","


def _header(reader: Iterator[list[str]], file: str, columns: tuple[str, ...]) -> list[str]:
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
    except csv.Error as exc:
        raise RosterFileError(f"{file}: the header line cannot be read; expected the columns {', '.join(columns)}") from exc
    if not header:
        raise RosterFileError(f"{file}: is empty; expected a header line with the columns {', '.join(columns)}")
    missing = [name for name in columns if name not in header]
    if missing:
        raise RosterFileError(f"{file}: the header line lacks {', '.join(missing)}; add the column, cells may be empty")
    if len(header) != len(columns):
        raise RosterFileError(f"{file}: {len(header)} columns, expected exactly {', '.join(columns)}; remove the others")
    return header


def _tidied(header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise CellError(header[min(len(cells), len(header) - 1)], f"the row has {len(cells)} cells, expected {len(header)}; mend the row")
    tidied = {}
    for column, cell in zip(header, cells, strict=True):
        if len(cell) > MAX_CELL:
            raise CellError(column, f"holds {len(cell)} characters, at most {MAX_CELL} are allowed; shorten it")
        tidied[column] = tidy(cell)
        # what is printable holds none of them: asked first, because it is one look instead of one for each character
        if not tidied[column].isprintable() and any(unicodedata.category(character) in _UNSEEN for character in tidied[column]):
            raise CellError(column, "holds a control or invisible character; type the cell anew")
    return tidied
