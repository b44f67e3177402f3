"""`eduseal roster`: schools and people, and who of them gets no certificate, and why."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import PurePath
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._input import read_input
from cli._people import role_of
from cli._table import aligned, csv_line
from cli.main import DATA, UsageError
from config.house import Stores
from pki.ports import CertificateState
from records.blocked import Blocked
from records.person import Person, Role, School, Student
from records.roster import RosterFile, RosterImport
from records.roster_csv import MAX_FILE

SHOWN = 20  # rows and warnings told one by one; a file broken throughout is told so by the count
_KINDS = {b"teacher_id": "teachers", b"student_id": "students", b"identifier": "schools"}  # a column that no other file has
BLOCKED_COLUMNS = ("person_id", "school_id", "name", "reason", "detail", "file", "row")

app = typer.Typer(help="Schools, people, and who is blocked.", no_args_is_help=True)
School_ = Annotated[str | None, typer.Option("--school", metavar="ID", help="Only this school's.")]


class Form(StrEnum):
    TABLE = "table"
    CSV = "csv"


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(metavar="SCHOOLS.csv TEACHERS.csv STUDENTS.csv", show_default=False)],
    without_broken_rows: Annotated[
        bool, typer.Option("--without-broken-rows", help="Import the sound rows although others are broken.")
    ] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Import schools, staff and pupils from CSV files in UTF-8.

    Which file is which, its header line tells; any one may be left out, where its schools are known. Importing again updates by id. A
    person whose code is missing, malformed, inconsistent or shared is kept and blocked: no certificate until the roster is put right.
    Where a row is broken nothing is imported, unless --without-broken-rows is given.
    """
    tables = _by_kind(files)
    with opened(home, database_url, passphrase_file) as house:
        result = house.services.roster.import_files(**tables, without_broken_rows=without_broken_rows)
    for line in _told(result):
        print(line)
    if result.errors:
        for line in _first([error.text for error in result.errors]):
            print(line, file=sys.stderr)
        if not without_broken_rows:
            raise UsageError("nothing was imported; mend the rows, or leave them out with --without-broken-rows", status=DATA)
    return 0


@app.command()
def show(school: School_ = None, home: Home = None, database_url: DatabaseUrl = None) -> int:
    """Show the schools; with --school its people, and how far each is on the way to a certificate."""
    with books(home, database_url) as stores:
        if school is None:
            lines = list(
                aligned(("SCHOOL", "IDENTIFIER", "NAME", "STAFF", "PUPILS", "BLOCKED"), map(_counts(stores), stores.roster.schools()))
            )
        else:
            stores.roster.school(school)
            barred = {entry.person.id: entry for entry in stores.roster.blocked(school_id=school)}
            people: tuple[Person, ...] = (*stores.roster.teachers(school_id=school), *stores.roster.students(school_id=school))
            rows = [(who.id, who.name, role_of(who), _class(who), _standing(stores, who, barred)) for who in people]
            lines = list(aligned(("PERSON", "NAME", "ROLE", "CLASS", "CERTIFICATE"), rows))
    for line in lines:
        print(line)
    return 0


@app.command()
def blocked(
    school: School_ = None,
    form: Annotated[Form, typer.Option("--format", help="Aligned columns, or CSV for a spreadsheet.")] = Form.TABLE,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List the people who get no certificate, and what to put right. Codes are never shown."""
    with books(home, database_url) as stores:
        found = stores.roster.blocked(school_id=school)
    if form is Form.CSV:
        sys.stdout.write(csv_line(BLOCKED_COLUMNS))
        for entry in found:
            sys.stdout.write(csv_line(_blocked_cells(entry)))
    elif not found:
        print("Nobody is blocked.")
    else:
        for line in aligned(("PERSON", "NAME", "WHERE", "WHAT TO PUT RIGHT"), map(_blocked_line, found)):
            print(line)
    return 0


def _by_kind(paths: list[str]) -> dict[str, RosterFile]:
    """The files by what their header line says they are."""
    tables: dict[str, RosterFile] = {}
    for path in paths:
        data = read_input(path, limit=MAX_FILE)
        header = data[:4096].split(b"\n", 1)[0].lower()
        kind = next((kind for column, kind in _KINDS.items() if column in header), None)
        if kind is None:
            expected = ", ".join(column.decode() for column in _KINDS)
            raise UsageError(f"{path}: the first line is no header of a roster file; expected one with a column {expected}", status=DATA)
        if kind in tables:
            raise UsageError(f"{path}: {tables[kind].name} holds {kind} already; give one file of each kind")
        tables[kind] = RosterFile(PurePath(path).name, data)
    return tables


def _told(result: RosterImport) -> Iterator[str]:
    barred = Counter("pupil" if isinstance(entry.person, Student) else "staff" for entry in result.blocked)
    yield f"Schools   {len(result.schools):>6} accepted"
    yield f"Staff     {len(result.teachers):>6} accepted {barred['staff']:>6} blocked"
    yield f"Pupils    {len(result.students):>6} accepted {barred['pupil']:>6} blocked"
    yield f"Broken    {len(result.errors):>6} {'row' if len(result.errors) == 1 else 'rows'}"
    for reason, count in sorted(Counter(entry.reason for entry in result.blocked).items()):
        yield f"  blocked {count:>6} {reason}"
    if result.blocked:
        yield "`eduseal roster blocked` lists them with what to put right."
    if result.warnings:
        yield f"{len(result.warnings)} accepted with a warning:"
        yield from _first([f"  {holder} {warning}" for holder, warning in result.warnings])


def _first(lines: list[str]) -> Iterator[str]:
    yield from islice(lines, SHOWN)
    if len(lines) > SHOWN:
        yield f"… and {len(lines) - SHOWN} more"


class _counts:  # noqa: N801 (used as a function)
    """Makes a school's line; the blocked are counted once for all."""

    def __init__(self, stores: Stores) -> None:
        self._roster = stores.roster
        self._barred = Counter(entry.person.school_id for entry in stores.roster.blocked())

    def __call__(self, school: School) -> tuple[str, ...]:
        staff, pupils = (len(people(school_id=school.id)) for people in (self._roster.teachers, self._roster.students))
        return school.id, school.identifier, school.name, str(staff), str(pupils), str(self._barred[school.id])


def _class(who: Person) -> str:
    return who.class_name if isinstance(who, Student) else who.homeroom or ""


def _standing(stores: Stores, who: Person, barred: dict[str, Blocked]) -> str:
    if who.id in barred:
        return f"blocked: {barred[who.id].reason}"
    keys = stores.holder_keys.of_holder(who.id)
    if not keys:
        return "signs nothing" if role_of(who) is Role.ADMINISTRATOR else "none"
    entry = stores.certificates.get(keys[-1].issuer, keys[-1].serial)
    if entry is None or entry.state is not CertificateState.ISSUED:
        return entry.state.value if entry else "none"
    return "in force" if keys[-1].activated else "waits for activation"


def _blocked_cells(entry: Blocked) -> tuple[str, ...]:
    who = entry.person
    return who.id, who.school_id, who.name, entry.reason.value, entry.detail, entry.file, str(entry.row)


def _blocked_line(entry: Blocked) -> tuple[str, ...]:
    return entry.person.id, entry.person.name, f"{entry.file} row {entry.row}", entry.text.removeprefix(f"{entry.person.id} ")
