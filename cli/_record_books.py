"""`eduseal record list, show, log`: how records stand and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, books
from cli._table import aligned
from cli._verify_table import printable
from records.canonical import record_as_dict
from records.ledger import Change, LogEntry, Scalar
from records.state import Phase, RecordState, Version
from signing.verdict import rfc3339

WRAPPED = 44  # characters of a value in a table of differences
RecordId = Annotated[str, typer.Argument(metavar="ID", help="The record's id.", show_default=False)]


class LogForm(StrEnum):
    TABLE = "table"
    JSONL = "jsonl"


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
        chosen = stores.records.all(school=wanted, phase=phase)
        rows = [_summary(state) for state in chosen if step is None or step in waits_for(state).split(", ")]
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
    print(f"Phase    {state.phase}, waits for {waits_for(state)}")
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
        for line in changes_table(entry.changes):
            print(line)
    return 0


def _summary(state: RecordState) -> tuple[str, ...]:
    working = state.working
    student, year = working.record.content.student, working.record.content.years[-1]
    status = working.status.value if working.status else "-"
    return state.record_id, str(working.number), status, state.phase.value, waits_for(state), year.class_name, student.name


def waits_for(state: RecordState) -> str:
    if state.phase is Phase.UNLOCK_REQUESTED:
        return "a decision"
    if state.phase is Phase.UNLOCKED:
        return "a revision"
    return ", ".join(step.id for step in state.open_steps) if state.open_steps and state.phase is not Phase.WITHDRAWN else "nothing"


def _signed(version: Version) -> Iterator[tuple[str, ...]]:
    return ((signed.step, signed.by, f"{rfc3339(signed.at)}", signed.document_sha256) for signed in version.signed)


def _entry_line(entry: LogEntry) -> str:
    # a document's digest is in `record show` and in the JSON lines
    details = "; ".join(f"{name.replace('_', ' ')} {printable(value)}" for name, value in entry.details if name != "document_sha256")
    kind = entry.event.value.removeprefix("record.").replace("_", " ")
    return f"{rfc3339(entry.at)}  v{entry.version}  {kind:<16}  {entry.actor}{'  ' + details if details else ''}"


def changes_table(changes: tuple[Change, ...]) -> Iterator[str]:
    if changes:
        rows = [(change.path, _shown(change.old), _shown(change.new)) for change in changes]
        yield from aligned(("FIELD", "OLD", "NEW"), rows, indent="    ", wrap=WRAPPED)


def _shown(value: Scalar) -> str:
    return "-" if value is None else "(empty)" if value == "" else str(value)
