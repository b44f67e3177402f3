"""`eduseal record open, edit, revise`: what records say."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import By, actor, person
from cli._record_books import RecordId, changes_table, waits_for
from cli._record_file import RecordFile, read_record, read_records
from cli.main import DATA, UsageError
from config.house import House
from config.workflows import load_workflow
from records.errors import RecordsError
from records.record import RecordContent, RecordSchool
from records.state import RecordState

FAILED = 1
RecordJson = Annotated[str, typer.Argument(metavar="FILE.json", help="The record as it shall read.", show_default=False)]


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
    print(f"{state.record_id} is now version {state.working.number}, {state.phase}, and waits for {waits_for(state)}. Changed:")
    for line in changes_table(newest.changes):
        print(line)
