"""`eduseal verify`: judges files, folders and ZIP archives; needs no home, no database and no network."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli._verify_list import listed
from cli._verify_progress import View, progress
from cli._verify_table import DETAILED, heading, table
from cli.main import INTERRUPTED, IO, NO_INPUT, USAGE, UsageError
from config.errors import ConfigError
from config.policy import load_policy
from config.trust import read_authority_file, trust_from
from pki.remote.network import ROUNDS, Network
from signing.bulk.fork_server import warm
from signing.bulk.intake import IntakeError, find_items
from signing.bulk.journal import Journal, JournalError, place, resumed, settings_digest
from signing.bulk.pool import Pool
from signing.bulk.task import Task
from signing.errors import PolicyError
from signing.ports import RecordBook
from signing.reports.report import FORMATS, Row, Summary, with_status, write
from signing.trust.store import MAX_EVIDENCE_FILE, Registered, Supplied, TrustStore
from signing.verifying.engine import Engine
from signing.verifying.grant import GRANT

MAX_WORKERS = 64
NETWORK = Network()
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)  # room for clock skew within a datetime's years


class Form(StrEnum):
    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"


def command(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="PDF files, folders, ZIP archives.", show_default=False)
    ] = None,
    list_file: Annotated[
        str | None, typer.Option("--list", metavar="FILE", help="More paths, one a line or NUL-ended; - for standard input.")
    ] = None,
    trust: Annotated[
        list[str] | None, typer.Option(metavar="PEM", help="Trusted certificate, or a .toml file on another authority; may be given often.")
    ] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Certificate, CRL or OCSP response (PEM or DER); may be given often.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="RFC3339", help="Judge as of this moment; ignore later evidence.")] = None,
    policy: Annotated[str, typer.Option(metavar="record|ades|FILE", help="What is demanded of a document.")] = "record",
    form: Annotated[Form, typer.Option("--format", help="What goes to standard output.")] = Form.TABLE,
    report: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also write a report: .jsonl, .csv or .html, else as --format says.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes to judge with; default: one a processor.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run that writes the same --report.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Fetch missing issuers and revocation data from the addresses in certificates.")
    ] = False,
    engine: Annotated[Engine, typer.Option(help="Which verifier answers.")] = Engine.AUTO,
    home: Annotated[
        str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="Also trust this authority, and ask its books.")
    ] = None,
) -> int:
    """Verify signed PDF documents.

    Exit status: 0 all passed; 1 one failed; 2 one could not be determined or is unsigned; 3 all passed but one is superseded or withdrawn;
    64 and above for usage or I/O errors.
    """
    if online and at is not None:
        raise UsageError("--online asks what is known now, --at judges as of another moment; leave out one of them")
    if resume and report is None:
        raise UsageError("--resume needs the --report FILE of the run to go on with")
    if workers is not None and not 1 <= workers <= MAX_WORKERS:
        raise UsageError(f"--workers is {workers}, expected 1 to {MAX_WORKERS}")
    warm()  # where `eduseal` has not; what it loads is loaded beside what follows
    try:
        task = Task(
            policy=load_policy(policy),
            trust=_trust(trust, home),
            supplied=Supplied.read(_files(evidence)),
            at=_moment(at),
            engine=engine,
            grant=replace(GRANT, waiting=NETWORK.document_seconds, rounds=ROUNDS) if online else GRANT,
            network=NETWORK if online else None,
        )
        places = _places(paths, list_file)
        total = sum(1 for _ in find_items(places))
        if not total:
            raise UsageError(f"no PDF found in {', '.join(paths or [f'what {list_file} lists'])}", status=NO_INPUT)
        with Pool(task, workers=min(workers or os.cpu_count() or 1, total)) as pool, progress(total) as view:
            run = _Run(pool, places, _book(home), _journal(task, report, resume, at), view)
            with closing(run):
                try:
                    _print(run.rows(), task, form, total, view)
                    run.finish(_report_form(report, form))
                except KeyboardInterrupt as exc:
                    raise UsageError(run.interrupted(total), status=INTERRUPTED) from exc
                except IntakeError as exc:  # it was there when the documents were counted
                    raise UsageError(f"{exc}; {run.interrupted(total)}", status=NO_INPUT) from exc
    except (PolicyError, ConfigError) as exc:
        raise UsageError(str(exc)) from exc
    except IntakeError as exc:
        raise UsageError(str(exc), status=NO_INPUT) from exc
    except JournalError as exc:
        raise UsageError(str(exc), status=IO if isinstance(exc.__cause__, OSError) else USAGE) from exc
    return run.summary.exit_status


class _Run:
    """One pass over the documents: rows in order, counted, kept in the journal, shown as progress."""

    def __init__(self, pool: Pool, paths: list[str], book: RecordBook | None, journal: Journal | None, view: View) -> None:
        self.summary = Summary()
        self._pool, self._paths, self._book, self._journal, self._view = pool, paths, book, journal, view

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def rows(self) -> Iterator[Row]:
        for row in self._judged():
            joined = with_status(row, self._book)
            self.summary.add(joined)
            self._view.advance()
            yield joined

    def _judged(self) -> Iterator[Row]:
        if self._journal is None:
            return self._pool.run(find_items(self._paths), pause=self._view.show)
        journal = self._journal
        held = {place(item): row for item in find_items(self._paths) if (row := journal.find(item)) is not None} if len(journal) else {}
        return resumed(find_items(self._paths), journal, lambda todo: self._pool.run(todo, pause=self._view.show), held)

    def interrupted(self, total: int) -> str:
        """What a person is told whose run ends before its time: what is kept, and how to go on."""
        if self._journal is None:
            return f"interrupted after {self.summary.total} of {total} documents; a run with --report FILE can be gone on with later"
        if not len(self._journal):
            return "interrupted before the first document was judged; nothing is kept"
        return f"interrupted; {self._journal.path} keeps {len(self._journal)} of {total} rows: go on by the same command with --resume"

    def finish(self, form: str) -> None:
        if self._journal is not None:
            self._journal.finish(form, lambda row: with_status(row, self._book))


def _print(rows: Iterator[Row], task: Task, form: Form, total: int, view: View) -> None:
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="backslashreplace")
    if form is Form.TABLE:
        view.write(heading(task.trust, policy=task.policy.name, at=task.at))
        pieces = table(rows, detailed=total <= DETAILED, colour=out.isatty() and "NO_COLOR" not in os.environ)
    else:
        pieces = write(rows, form.value)
    for piece in pieces:
        view.write(piece)


def _places(paths: list[str] | None, list_file: str | None) -> list[str]:
    if not paths and list_file is None:
        raise UsageError("name what to verify: files, folders or ZIP archives, or a --list of them")
    return [*(paths or ()), *(listed(list_file) if list_file is not None else ())]


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"--at is {text!r}, expected RFC 3339 such as 2027-06-30T12:00:00Z") from exc
    if moment.tzinfo is None:
        raise UsageError(f"--at is {text!r}, which names no time zone; end it with Z for UTC")
    if not EARLIEST <= moment <= LATEST:
        raise UsageError(f"--at is {text!r}, expected a moment from {EARLIEST.year} to {LATEST.year}")
    return moment.astimezone(UTC)


def _files(names: list[str] | None) -> list[tuple[str, bytes]]:
    found = []
    for name in names or ():
        with Path(name).open("rb") as file:
            found.append((name, file.read(MAX_EVIDENCE_FILE + 1)))  # a device or a pipe may have no end
    return found


def _home_root(home: str | None) -> list[tuple[str, bytes]]:
    # only a home that the caller named: a ./var that merely lies there may be part of what is judged (attack class 44)
    if home is None:
        return []
    root = Path(home) / "ca" / "root.pem"
    if not root.is_file():
        raise UsageError(f"{home}: holds no authority (no ca/root.pem); leave out --home, or run eduseal init there first", status=NO_INPUT)
    return [(str(root), root.read_bytes())]


def _trust(named: list[str] | None, home: str | None) -> TrustStore:
    files = [name for name in named or () if not name.endswith(".toml")]
    described = [read_authority_file(Path(name)) for name in named or () if name.endswith(".toml")]
    if not described:
        return TrustStore.read([*_files(files), *_home_root(home)])
    return trust_from([*_files(files), *_home_root(home)], described, _registered(home))


def _registered(home: str | None) -> Mapping[str, Registered]:
    """What the books of a home that was named say of other authorities' certificates."""
    found = _books(home)
    if found is None:
        return {}
    from config.bootstrap import open_registered

    return open_registered(*found)


def _books(home: str | None) -> tuple[Path | None, str | None] | None:
    """Home and database, where there are books to ask: an authority without any is no error."""
    url = os.environ.get("EDUSEAL_DATABASE_URL")
    if not url and (home is None or not (Path(home) / "eduseal.sqlite").is_file()):
        return None
    return Path(home) if home else None, url


def _book(home: str | None) -> RecordBook | None:
    found = _books(home)
    if found is None:
        return None  # an authority without books here: records then have no status
    from config.bootstrap import open_record_book

    return open_record_book(*found)


def _journal(task: Task, report: str | None, resume: bool, at: str | None) -> Journal | None:
    return Journal(Path(report), settings=settings_digest(task), at=at, resume=resume) if report else None


def _report_form(report: str | None, form: Form) -> str:
    suffix = Path(report).suffix.lstrip(".").lower() if report else ""
    if suffix in FORMATS:
        return suffix
    return form.value if form is not Form.TABLE else "jsonl"
