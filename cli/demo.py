"""`eduseal demo`: three schools, one class signed by three signers each, one record revised, four forgeries, and everything verified."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli._demo_forgeries import Forgery, forgeries
from cli._demo_forgeries import write as write_forgeries
from cli._demo_office import open_registration
from cli._demo_school import Cast, enrol_people, found_house, gather_people, seal_signer
from cli._demo_signing import Office, better_mark, open_office, write_signed
from cli.main import UsageError
from config.policy import load_policy
from signing.applying.batch import BatchSigner
from signing.bulk.intake import find_items
from signing.bulk.pool import Pool
from signing.bulk.worker import Task
from signing.reports.report import Row, with_status, write
from signing.trust.store import TrustStore

MARK = ".eduseal-demo"  # only a folder that holds this file is ever removed
REVISED = 7  # the record in the class list that is unlocked and revised
_COLOURS = {"TOTAL-PASSED": "green", "TOTAL-FAILED": "red"}
REASON = "Giáo viên bộ môn nhập nhầm điểm học kỳ 2"


def command(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where everything goes; a demo there is replaced.")] = Path(
        "var/demo"
    ),
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=64, help="Processes to verify with; default: one a processor.")
    ] = None,
) -> int:
    """Play a school's week with made-up people: certificates, a class signed and sealed, a revision, forgeries, verification.

    Exit status 0 if every verdict is as it must be, 1 otherwise. Needs no network. Can be run again.
    """
    console = Console(highlight=False)
    started = time.monotonic()
    _fresh(folder)
    try:
        right = _play(_Stage(console), folder, workers or os.cpu_count() or 1)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a demonstration is none
        raise
    _next_steps(console, folder)
    console.print(f"\n{'Every verdict is as it must be' if right else 'SOME VERDICTS ARE WRONG'}; {time.monotonic() - started:.0f} s.")
    return 0 if right else 1


def _play(stage: _Stage, folder: Path, workers: int) -> bool:
    """Every act in turn; True if all verdicts were as expected."""
    cast, seal = _people(stage, folder)
    try:
        office, ids = _working_day(stage, cast, seal, folder)
        found = _forge(stage, office, ids, folder)
        cast.house.sealer.seal()
        return _verify(stage, office, found, ids, folder, workers)
    finally:
        cast.house.close()


@dataclass(frozen=True)
class _Stage:
    """What the audience sees: a line per act, a bar where it takes a while."""

    console: Console

    def act(self, text: str) -> None:
        self.console.print(f"[bold]▸[/bold] {text}")

    def note(self, text: str) -> None:
        self.console.print(f"  {text}", style="dim", markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        """On a terminal a bar, elsewhere nothing; a line with the time taken in both."""
        began = time.monotonic()
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            job = progress.add_task(label, total=total)
            yield lambda: progress.advance(job)
        self.note(f"{label}: {total} in {time.monotonic() - began:.1f} s")


def _fresh(folder: Path) -> None:
    """An empty folder, the last demo removed; refuses a folder that is something else."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise UsageError(f"{folder} holds something that is not a demo; name another folder with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by `eduseal demo`, which removes this folder when it is run again\n", encoding="utf-8")


def _people(stage: _Stage, folder: Path) -> tuple[Cast, BatchSigner]:
    stage.act("An authority: root, issuing CA, time stamping, OCSP")
    house = found_house(folder / "home", folder / "passphrase")
    stage.note(f"root SHA-256 {_fingerprint(house.authority.root_der)}")
    stage.act("The roster of three schools, from CSV")
    roster, service = gather_people(house, folder / "roster")
    accepted, barred = len(roster.teachers) + len(roster.students), len(roster.blocked)
    stage.note(f"{len(roster.schools)} schools, {accepted + barred} people: {accepted} accepted, {barred} blocked")
    for reason, count in sorted(Counter(entry.reason for entry in roster.blocked).items()):
        stage.note(f"blocked, no certificate: {count} {reason}")
    stage.act("Certificates: one registration officer asks, another approves")
    office = open_registration(house, stage.note)
    cast = enrol_people(house, service, roster, office)
    seal = seal_signer(cast, office)
    stage.note(f"{len(cast.enrolled)} certificates issued; pupils' carry a commitment instead of their code")
    return cast, seal


def _working_day(stage: _Stage, cast: Cast, seal: BatchSigner, folder: Path) -> tuple[Office, tuple[str, ...]]:
    stage.act(f"A class signs: {cast.school.short_name}, {len(cast.pupils)} records")
    office = open_office(cast, seal)
    ids = office.open_class()
    _sign_and_seal(stage, office, ids)
    write_signed(office, ids, folder / "records")
    return office, ids


def _sign_and_seal(stage: _Stage, office: Office, ids: tuple[str, ...]) -> None:
    with stage.bar("homeroom teacher exports and signs, one PIN", len(ids)) as advance:
        office.sign(ids, "homeroom", office.cast.homeroom, advance)
    with stage.bar("principal signs, one PIN", len(ids)) as advance:
        office.sign(ids, "principal", office.cast.principal, advance)
    with stage.bar("school seals, archive time stamp: B-LTA", len(ids)) as advance:
        office.seal_all(ids, advance)


def _forge(stage: _Stage, office: Office, ids: tuple[str, ...], folder: Path) -> tuple[Forgery, ...]:
    stage.act("One record is unlocked by two people, revised, signed again")
    revised = ids[REVISED]
    old = office.state(revised).working.record
    (folder / "records" / f"{revised}.v1.pdf").rename(_superseded(folder, revised))
    refusal = office.revise(revised, better_mark(old.content), reason=REASON)
    stage.note(f"the requester may not confirm: {refusal}")
    _sign_and_seal(stage, office, (revised,))
    write_signed(office, (revised,), folder / "records")
    for entry in office.cast.house.stores.records.log(revised):
        for change in entry.changes:
            stage.note(f"logged: {change.path}: {change.old} → {change.new}, by {entry.actor}")
    stage.act("Four forgeries")
    victim = next(identifier for identifier in ids if office.state(identifier).working.record.content.student.commitment)
    found = forgeries(office.cast, office.service.document(victim), office.state(victim).working.record)
    write_forgeries(found, folder / "forged")
    for forgery in found:
        stage.note(f"{forgery.name}: {forgery.story}")
    return found


def _verify(stage: _Stage, office: Office, found: tuple[Forgery, ...], ids: tuple[str, ...], folder: Path, workers: int) -> bool:
    stage.act("All of it verified, offline, as a stranger would who trusts the root alone")
    root = folder / "home" / "ca" / "root.pem"
    paths = [str(folder / name) for name in ("records", "superseded", "forged")]
    task = Task(load_policy("record"), TrustStore.read([(str(root), root.read_bytes())]), datetime.now(UTC))
    total = len(ids) + 1 + len(found)
    rows: list[Row] = []
    with Pool(task, workers=workers) as pool, stage.bar(f"verified by {workers} processes", total) as advance:
        for row in pool.run(find_items(paths)):
            rows.append(with_status(row, office.cast.house.stores.records))
            advance()
    (folder / "report.html").write_text("".join(write(rows, "html")), encoding="utf-8")
    expected = {
        str(_superseded(folder, ids[REVISED])): ("TOTAL-PASSED", "", "complete", "superseded"),
        **{str(folder / "forged" / forgery.name): (*forgery.expected, "") for forgery in found},
    }
    genuine = ("TOTAL-PASSED", "", "complete", "current")
    for line in _table(rows, folder, expected):
        stage.console.print(line, soft_wrap=True)
    return len(rows) == total and all(_as_expected(row, expected.get(row["file"], genuine)) for row in rows)


def _as_expected(row: Row, expected: tuple[str, str, str, str]) -> bool:
    """Whether the verdict is the one expected; an empty text expects nothing in particular."""
    return all(want in ("", got) for want, got in zip(expected, _outcome(row), strict=True))


def _outcome(row: Row) -> tuple[str, str, str, str]:
    """Indication, sub-indication, entitlement, and what the books say of the record: of interest where the document is genuine."""
    status = (row["record"] or {}).get("status") if row["indication"] == "TOTAL-PASSED" else None
    return row["indication"], row["sub_indication"] or "", row["entitlement"], status or ""


def _table(rows: list[Row], folder: Path, expected: dict[str, tuple[str, str, str, str]]) -> Iterator[str]:
    """One line for each kind of outcome among the class's own records, one for each of the others; markup of rich in it."""
    lines = [(f"{count} in records/", outcome) for outcome, count in _alike(rows, expected).most_common()]
    lines += [(str(Path(row["file"]).relative_to(folder)), _outcome(row)) for row in rows if row["file"] in expected]
    width = max(len(name) for name, _ in lines)
    yield f"[bold]  {'documents':<{width}}  {'indication':<13}  {'sub-indication':<23}  {'entitlement':<12}  record[/bold]"
    for name, (indication, sub, entitlement, status) in lines:
        colour = _COLOURS.get(indication, "yellow")
        yield f"  {name:<{width}}  [{colour}]{indication:<13}[/{colour}]  {sub:<23}  {entitlement:<12}  {status}".rstrip()


def _alike(rows: list[Row], expected: dict[str, tuple[str, str, str, str]]) -> Counter[tuple[str, str, str, str]]:
    return Counter(_outcome(row) for row in rows if row["file"] not in expected)


def _superseded(folder: Path, record_id: str) -> Path:
    place = folder / "superseded"
    place.mkdir(exist_ok=True)
    return place / f"{record_id}.v1.pdf"


def _next_steps(console: Console, folder: Path) -> None:
    command = "eduseal" if shutil.which("eduseal") else str(Path(sys.argv[0]))
    sample = next(iter(sorted((folder / "records").glob("*.pdf"))))
    console.print("\n[bold]Where things lie[/bold]")
    for place, what in (
        ("records/", "the class, signed by three and sealed: open one"),
        ("superseded/, forged/", "what must not be taken for current and genuine"),
        ("report.html", "the report of this verification"),
        ("roster/", "the CSV files that were imported"),
        ("home/", "keys, certificates, database; home/ca/root.pem is what a verifier trusts"),
    ):
        console.print(f"  {folder}/{place:<22} {what}", markup=False, soft_wrap=True)
    console.print("\n[bold]What to try next[/bold]")
    for line in (
        f"{command} verify {folder}/records {folder}/forged --home {folder}/home",
        f"{command} verify {sample} --trust {folder}/home/ca/root.pem --format jsonl",
        f"{command} verify {sample} --trust {folder}/home/ca/root.pem --at {datetime.now(UTC).year + 1}-11-01T00:00:00Z",
        "make serve      # then drop a PDF on http://127.0.0.1:8000/verify",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _fingerprint(certificate_der: bytes) -> str:
    from cryptography.hazmat.primitives import hashes

    return x509.load_der_x509_certificate(certificate_der).fingerprint(hashes.SHA256()).hex()
