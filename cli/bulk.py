"""`eduseal bulk`: certificates for many people at once, from CSV files to sheets of activation codes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli._bulk_watch import run_to_the_end
from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._officer import By, PinFile, officer_pin
from cli._roster_files import broken_rows, roster_files, told
from cli._table import aligned, csv_line
from cli.main import DATA, UsageError
from config.bootstrap import utc_now
from config.bulk import bulk_desk, bulk_store
from records.bulk import Batch, BatchState, Progress, Refusal, SheetBy
from records.bulk_desk import bulk_order, members
from records.bulk_ports import BulkStore
from records.bulk_sheets import SheetFolder
from records.roster import RosterImport

REFUSED = 1
SHOWN = 20

app = typer.Typer(help="Certificates for many people at once.", no_args_is_help=True)

Files = Annotated[list[str], typer.Argument(metavar="SCHOOLS.csv TEACHERS.csv STUDENTS.csv", show_default=False)]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", show_default=False)]
Workers = Annotated[
    int, typer.Option(min=1, max=64, help="Processes that make keys.  [default: one for each processor]", show_default=False)
]
WithoutBroken = Annotated[bool, typer.Option("--without-broken-rows", help="Go on with the sound rows although others are broken.")]
PROCESSORS = os.cpu_count() or 1


class Form(StrEnum):
    TABLE = "table"
    CSV = "csv"


@app.command()
def check(files: Files, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None) -> int:
    """Say what `submit` would make of CSV files; nothing is kept.

    The files are those of `eduseal roster import`. Every broken row is named with its file, row and column. Exit status 65 where one is
    broken, 1 where somebody sound would be left out.
    """
    with opened(home, database_url, passphrase_file) as house:
        checked = bulk_desk(house).check(**roster_files(files))
    for line in told(checked.imported, kept=False):
        print(line)
    _tell_blocked(checked.imported)
    _tell_refusals("would be left out", checked.left_out)
    print(f"{checked.people} would come into a batch.")
    if checked.imported.errors:
        broken_rows(checked.imported, most=None)
        return DATA
    return REFUSED if checked.left_out or checked.imported.blocked else 0


@app.command()
def submit(
    files: Files,
    by: By,
    sheets_by: Annotated[SheetBy, typer.Option(help="A sheet of activation codes for each.")] = SheetBy.SCHOOL,
    without_broken_rows: WithoutBroken = False,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Import CSV files into the roster and make a batch of the people in them, which waits for another officer's approval.

    Who has a certificate, waits in another batch, signs nothing or whose code does not hold up is left out. Where a row is broken nothing
    is kept, unless --without-broken-rows is given.
    """
    tables = roster_files(files)
    with opened(home, database_url, passphrase_file) as house:
        pin = officer_pin(by, pin_file)
        house.services.registration.officers.prove(by, pin)  # before the roster is touched
        desk = bulk_desk(house)
        submitted = desk.submit(
            by=by,
            schools=tables.get("schools"),
            teachers=tables.get("teachers"),
            students=tables.get("students"),
            sheets_by=sheets_by,
            without_broken_rows=without_broken_rows,
        )
        batch = submitted.batch
        if batch is not None:
            request = house.services.registration.open(bulk_order(batch), by=by, secret=pin)
            batch = desk.requested(batch.id, request.id)
    for line in told(submitted.imported):
        print(line)
    if submitted.imported.errors:
        broken_rows(submitted.imported)
        if not without_broken_rows:
            raise UsageError("nothing was kept; mend the rows, or leave them out with --without-broken-rows", status=DATA)
    _tell_refusals("left out", submitted.left_out)
    if batch is None:
        print("Nobody is left for a batch.")
        return REFUSED
    print(f"Batch {batch.id}: {batch.people} people, SHA-256 {batch.digest.hex()}.")
    print(f"Who is in it: eduseal bulk people {batch.id}")
    print(f"Another officer approves it: eduseal request approve {batch.request_id} --by OFFICER")
    print(f"Then: eduseal bulk run {batch.id} --sheets DIR")
    return 0


@app.command()
def run(
    batch_id: BatchId,
    sheets: Annotated[str, typer.Option(metavar="DIR", help="New or empty folder for the sheets of activation codes.")],
    workers: Workers = PROCESSORS,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Start an approved batch: certificates for everybody in it, and sheets of activation codes, a file for each school or class.

    The sheets are the only copy of the codes: hand each line to its person and destroy the sheet. Interrupted or killed, the batch goes on
    with `eduseal bulk resume`; nobody gets two certificates, and no code is lost. Exit status 1 where somebody was refused.
    """
    with opened(home, database_url, passphrase_file) as house:
        bulk_store(house.stores.database).get(batch_id)
        folder = SheetFolder.create(Path(sheets).absolute())
        return run_to_the_end(house, batch_id, workers=workers, sheets=folder.path)


@app.command()
def resume(
    batch_id: BatchId,
    workers: Workers = PROCESSORS,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Carry on a batch that was interrupted, or watch one that another process works on. Exit status as for `run`."""
    with opened(home, database_url, passphrase_file) as house:
        return run_to_the_end(house, batch_id, workers=workers, sheets=None)


@app.command()
def status(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", show_default=False)] = None,
    form: Annotated[Form, typer.Option("--format", help="Aligned columns, or CSV of those refused.")] = Form.TABLE,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List batches; of one, how far it is and who was refused, and why."""
    with books(home, database_url) as stores:
        store = bulk_store(stores.database)
        if batch_id is None:
            lines = list(aligned(("BATCH", "STATE", "PEOPLE", "ISSUED", "REFUSED", "BY", "REQUEST"), map(_row(store), store.batches())))
            print("\n".join(lines) if len(lines) > 1 else "There is no bulk batch.")
            return 0
        batch, progress, refusals = store.get(batch_id), store.progress(batch_id), store.refusals(batch_id)
    if form is Form.CSV:
        sys.stdout.write(csv_line(("person_id", "reason")))
        for refusal in refusals:
            sys.stdout.write(csv_line((refusal.person_id, refusal.reason)))
        return 0
    for line in _described(batch, progress):
        print(line)
    for refusal in refusals:
        print(f"  {refusal.person_id}: {refusal.reason}")
    return 0


@app.command()
def people(batch_id: BatchId, home: Home = None, database_url: DatabaseUrl = None) -> int:
    """List the people of a batch as CSV, with what became of each: what an officer reads before approving it."""
    sys.stdout.write(csv_line(("person_id", "name", "role", "school", "class", "sheet", "state", "reason")))
    with books(home, database_url) as stores:
        store = bulk_store(stores.database)
        store.get(batch_id)
        for row in members(batch_id, store, at=utc_now()):
            sys.stdout.write(csv_line(row))
    return 0


class _row:  # noqa: N801 (used as a function)
    """Makes a batch's line."""

    def __init__(self, store: BulkStore) -> None:
        self._store = store

    def __call__(self, batch: Batch) -> tuple[str, ...]:
        progress = self._store.progress(batch.id)
        counts = (str(progress.people), str(progress.issued), str(progress.refused))
        return batch.id, batch.state.value, *counts, batch.submitted_by, batch.request_id or ""


def _described(batch: Batch, progress: Progress) -> Sequence[str]:
    lines = [
        f"Batch     {batch.id}, {batch.state.value}",
        f"Files     {', '.join(file.name for file in batch.files)}",
        f"SHA-256   {batch.digest.hex()}",
        f"Asked     by {batch.submitted_by}, {batch.submitted_at:%Y-%m-%d %H:%M} UTC, request {batch.request_id or 'none'}",
        f"People    {progress.people}: {progress.issued} issued, {progress.refused} refused, {progress.waiting} waiting",
    ]
    if batch.sheets is not None:
        lines.append(f"Sheets    {batch.sheets}")
    if batch.state is BatchState.RUNNING:
        lines.append(f"It goes on with: eduseal bulk resume {batch.id}")
    return lines


def _tell_blocked(imported: RosterImport) -> None:
    """Every row whose code does not hold up, by its line."""
    for entry in imported.blocked:
        print(f"{entry.file} row {entry.row}: {entry.text}", file=sys.stderr)


def _tell_refusals(what: str, refusals: Sequence[Refusal]) -> None:
    """How many for which reason, and the first of them by name."""
    if not refusals:
        return
    print(f"{len(refusals)} {what}:")
    for reason, count in Counter(refusal.reason for refusal in refusals).most_common():
        named = [refusal.person_id for refusal in refusals if refusal.reason == reason]
        more = f" and {count - SHOWN} more" if count > SHOWN else ""
        print(f"  {reason}: {', '.join(named[:SHOWN])}{more}")
