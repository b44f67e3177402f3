"""`eduseal roster`: schools and people, and who of them gets no certificate, and why."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._people import role_of
from cli._roster_files import broken_rows, roster_files, told, told_saved, waiting
from cli._table import aligned, csv_line
from cli.main import DATA, UsageError
from config.house import Stores
from db.roster import Counts
from pki.ports import CertificateState
from records.blocked import Blocked
from records.person import Person, Role, School, Student

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

    Which file is which, its header line tells; any one may be left out, where its schools are known. Importing again updates by id, and
    says how many people are new, changed or as before. All of it is kept or, where something goes wrong or is interrupted, nothing. A
    person whose code is missing, malformed, inconsistent or shared is kept and blocked: no certificate until the roster is put right.
    Where a row is broken nothing is imported, unless --without-broken-rows is given.
    """
    tables = roster_files(files)
    with opened(home, database_url, passphrase_file) as house, waiting(tables) as watch:
        result = house.services.roster.import_files(**tables, without_broken_rows=without_broken_rows, watch=watch)
    for line in told(result):
        print(line)
    if result.saved is not None:
        print(told_saved(result.saved))
    if result.errors:
        broken_rows(result)
        if not without_broken_rows:
            raise UsageError("nothing was imported; mend the rows, or leave them out with --without-broken-rows", status=DATA)
    return 0


@app.command()
def show(school: School_ = None, home: Home = None, database_url: DatabaseUrl = None) -> int:
    """Show the schools; with --school its people, and how far each is on the way to a certificate."""
    with books(home, database_url) as stores:
        if school is None:
            counts = stores.roster.counts()
            schools = [_school_row(each, counts.get(each.id, Counts())) for each in stores.roster.schools()]
            lines = list(aligned(("SCHOOL", "IDENTIFIER", "NAME", "STAFF", "PUPILS", "BLOCKED"), schools))
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


def _school_row(school: School, counts: Counts) -> tuple[str, ...]:
    return school.id, school.identifier, school.name, str(counts.staff), str(counts.pupils), str(counts.blocked)


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
