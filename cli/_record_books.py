"""`eduseal record open, edit, revise, list, show, log`: what records say and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._people import By, actor, person
from cli._record_file import RecordFile, read_record, read_records
from cli._table import aligned
from cli._verify_table import printable
from cli.main import DATA, UsageError
from config.house import House
from config.workflows import load_workflow
from records.canonical import record_as_dict
from records.errors import RecordsError
from records.ledger import Change, LogEntry, Scalar
from records.record import RecordContent, RecordSchool
from records.state import Phase, RecordState, Version
from signing.verdict import rfc3339

FAILED = 1
WRAPPED = 44  # characters of a value in a table of differences
RecordId = Annotated[str, typer.Argument(metavar="ID", help="The record's id.", show_default=False)]
RecordJson = Annotated[str, typer.Argument(metavar="FILE.json", help="The record as it shall read.", show_default=False)]


class LogForm(StrEnum):
    TABLE = "table"
    JSONL = "jsonl"


def open_(
    files: Annotated[list[str], typer.Argument(metavar="FILE.json...", help="A record each, or a list of them.", show_default=False)],
    by: By,
    workflow: Annotated[
        str, typer.Option(metavar="NAME", help="Who signs, in which order: one of certs/policies/workflow-*.")
    ] = "school-record",
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Open records from JSON files.

    Each is version 1 then, ready for its first signature. A file has the form that `eduseal record show ID --json` prints; of its member
    "record" only "id" need be there. The school is that of --by. The pupil's commitment is taken from their certificate. Exit status 1
    where a record could not be opened.
    """
    steps = load_workflow(workflow)
    found = [item for path in files for item in read_records(path)]
    failed = 0
    with opened(home, database_url, passphrase_file) as house:
        who = actor(house.stores.roster, by)
        school = house.stores.roster.school(person(house.stores.roster, by).school_id)
        named = RecordSchool(school.identifier, school.short_name, school.locality)
        records = [item.record(_same_school(item, named), steps, at=house.clock(), commitment=_commitment(house, item)) for item in found]
        for record in records:
            try:
                house.services.records.open(record, steps, by=who)
                print(f"open    {record.id}  version 1")
            except RecordsError as exc:
                failed += 1
                print(f"failed  {record.id}  {exc}")
    return FAILED if failed else 0


def edit(
    record_id: RecordId,
    file: RecordJson,
    by: By,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Change a record that nobody has signed yet.

    Shows each field that differs.
    """
    with opened(home, database_url, passphrase_file) as house:
        content = _content(house, record_id, file)
        state = house.services.records.edit(record_id, content, by=actor(house.stores.roster, by))
        _tell_changes(house, state)
    return 0


def revise(
    record_id: RecordId,
    file: RecordJson,
    by: By,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Revise an unlocked record: a new version.

    Shows each field that differs. The new version is signed from the first step on. The log keeps the differences. When the new version
    carries every signature it supersedes the old one.
    """
    with opened(home, database_url, passphrase_file) as house:
        content = _content(house, record_id, file)
        state = house.services.records.revise(record_id, content, by=actor(house.stores.roster, by))
        _tell_changes(house, state)
    return 0


def list_(
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's (roster id).")] = None,
    phase: Annotated[Phase | None, typer.Option(help="Only records in this phase.", show_default=False)] = None,
    step: Annotated[str | None, typer.Option(metavar="STEP", help="Only records that wait for this step.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List records, and what each waits for."""
    with books(home, database_url) as stores:
        wanted = stores.roster.school(school).identifier if school is not None else None
        states = map(stores.records.load, stores.records.ids())
        chosen = [state for state in states if wanted in (None, state.school) and phase in (None, state.phase)]
        rows = [_summary(state) for state in chosen if step is None or _next(state) == step]
    for line in aligned(("RECORD", "VERSION", "STATUS", "PHASE", "WAITS FOR", "CLASS", "PUPIL"), rows):
        print(line)
    return 0


def show(
    record_id: RecordId,
    as_json: Annotated[bool, typer.Option("--json", help="The contents, to be edited for `record edit` or `record revise`.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Show where one record stands.

    Its versions and their signatures; or, with --json, its contents.
    """
    with books(home, database_url) as stores:
        state = stores.records.load(record_id)
    if as_json:
        print(json.dumps(record_as_dict(state.working.record, state.workflow), ensure_ascii=False, indent=2))
        return 0
    record = state.working.record
    print(f"Record   {record.id}")
    print(f"School   {printable(record.school.name)}, {record.school.identifier}")
    print(f"Pupil    {printable(record.content.student.name)}, {record.content.student.id}")
    print(f"Phase    {state.phase}, waits for {_next(state)}")
    if state.unlock is not None:
        print(f"Unlock   asked for by {state.unlock.by} at {rfc3339(state.unlock.at)}: {printable(state.unlock.reason)}")
    for version in state.versions:
        print(f"Version  {version.number}: {version.status or 'not official yet'}")
        for line in aligned(("STEP", "BY", "AT", "SHA-256 OF THE SIGNED PDF"), _signed(version), indent="  ") if version.signed else ():
            print(line)
    return 0


def log(
    record_id: RecordId,
    form: Annotated[LogForm, typer.Option("--format", help="For people, or one JSON object a line.")] = LogForm.TABLE,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Show who did what to a record, and when.

    Under each revision stands, field by field, what it changed.
    """
    with books(home, database_url) as stores:
        stores.records.load(record_id)  # raises where there is none
        entries = stores.records.log(record_id)
    for entry in entries:
        if form is LogForm.JSONL:
            print(json.dumps(entry.as_dict(), ensure_ascii=False))
            continue
        print(_entry_line(entry))
        for line in _changes(entry.changes):
            print(line)
    return 0


def _same_school(item: RecordFile, school: RecordSchool) -> RecordSchool:
    if item.school not in (None, school.identifier):
        raise UsageError(f"{item.where}: is of another school than {school.identifier}", status=DATA)
    return school


def _commitment(house: House, item: RecordFile) -> str | None:
    """That of the pupil's certificate, which the record is to name; None where they have none. A file that names another is refused."""
    keys = house.stores.holder_keys.of_holder(str(item.content["student"]["id"]))
    known = keys[-1].commitment.hex() if keys and keys[-1].commitment else None
    given = item.content["student"].get("commitment")
    if known and given and given != known:
        raise UsageError(f"{item.where}: student.commitment is not that of the pupil's certificate; leave it out", status=DATA)
    return known


def _content(house: House, record_id: str, file: str) -> RecordContent:
    """The contents that `file` gives for the record; the commitment stays where the file leaves it out."""
    item = read_record(file)
    if item.id != record_id:
        raise UsageError(f"{item.where} holds record {item.id[:64]}, expected {record_id}", status=DATA)
    state = house.stores.records.load(record_id)
    record = state.working.record
    committed = record.content.student.commitment
    return item.record(_same_school(item, record.school), state.workflow, at=house.clock(), commitment=committed).content


def _tell_changes(house: House, state: RecordState) -> None:
    newest = house.stores.records.log(state.record_id)[-1]
    print(f"{state.record_id} is now version {state.working.number}, {state.phase}, and waits for {_next(state)}. Changed:")
    for line in _changes(newest.changes):
        print(line)


def _summary(state: RecordState) -> tuple[str, ...]:
    working = state.working
    student, year = working.record.content.student, working.record.content.years[-1]
    status = working.status.value if working.status else "-"
    return state.record_id, str(working.number), status, state.phase.value, _next(state), year.class_name, student.name


def _next(state: RecordState) -> str:
    if state.phase is Phase.UNLOCK_REQUESTED:
        return "a decision"
    if state.phase is Phase.UNLOCKED:
        return "a revision"
    return state.next_step.id if state.next_step and state.phase is not Phase.WITHDRAWN else "nothing"


def _signed(version: Version) -> Iterator[tuple[str, ...]]:
    return ((signed.step, signed.by, f"{rfc3339(signed.at)}", signed.document_sha256) for signed in version.signed)


def _entry_line(entry: LogEntry) -> str:
    # a document's digest is in `record show` and in the JSON lines
    details = "; ".join(f"{name.replace('_', ' ')} {printable(value)}" for name, value in entry.details if name != "document_sha256")
    kind = entry.event.value.removeprefix("record.").replace("_", " ")
    return f"{rfc3339(entry.at)}  v{entry.version}  {kind:<16}  {entry.actor}{'  ' + details if details else ''}"


def _changes(changes: tuple[Change, ...]) -> Iterator[str]:
    if changes:
        rows = [(change.path, _shown(change.old), _shown(change.new)) for change in changes]
        yield from aligned(("FIELD", "OLD", "NEW"), rows, indent="    ", wrap=WRAPPED)


def _shown(value: Scalar) -> str:
    return "-" if value is None else "(empty)" if value == "" else str(value)
