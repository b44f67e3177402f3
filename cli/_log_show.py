"""`eduseal log prove, checkpoint, list`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._output import write_output
from cli._table import aligned
from cli.main import UsageError
from config.house import Stores
from db.errors import LogTamperedError
from db.log import LogEntry
from db.log_leaf import leaf_of
from pki.log.checkpoint import LogProof

LAST = 20  # entries, where nothing else is asked for


def prove(
    index: Annotated[int, typer.Argument(metavar="INDEX", help="The entry's number, as `log list` shows it.", min=0, show_default=False)],
    to: Annotated[str | None, typer.Option(metavar="FILE", help="Write the proof there, such as entry.tlog-proof.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Prove that one entry is in the log, and show it.

    The proof holds the entry itself with its salt: give it to nobody who may not see that entry. It says nothing of the others. Whoever has
    it checks it offline: eduseal log verify --proof FILE --key VKEY.
    """
    with books(home, database_url) as stores:
        text = _proof(stores, index).text()
    if to is None:
        print(text, end="")
    else:
        write_output(to, text.encode(), hint="name another file with --to")
    return 0


def checkpoint(
    to: Annotated[str | None, typer.Option(metavar="FILE", help="Write it there, for `log verify --checkpoint` one day.")] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Where the home's copy was lost: believe the database, and make the copy anew.")
    ] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Sign the log as it stands now, and show the checkpoint.

    Commands and the service sign by themselves after every change. Nothing is signed that does not continue what was signed before.
    """
    with opened(home, database_url, passphrase_file) as house:
        note = house.sealer.seal(adopt=adopt)
        key = house.sealer.key
    if to is None:
        print(note, end="")
    else:
        write_output(to, note.encode(), hint="name another file with --to")
    print(f"Log key: {key}", file=sys.stderr)
    return 0


def list_(
    subject: Annotated[
        str | None, typer.Option(metavar="SUBJECT", help="Only entries about it, such as record/R-1 or certificate/issuing/2a….")
    ] = None,
    last: Annotated[int, typer.Option(metavar="N", help="Only the last N.", min=1)] = LAST,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List entries of the log, oldest first."""
    with books(home, database_url) as stores:
        log = stores.log
        found = log.of_subject(subject)[-last:] if subject is not None else tuple(log.entries(start=max(0, log.size() - last)))
    for line in aligned(("INDEX", "AT", "EVENT", "SUBJECT"), map(_cells, found)):
        print(line)
    return 0


def _cells(entry: LogEntry) -> tuple[str, ...]:
    return str(entry.position), f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", entry.kind, entry.subject


def _proof(stores: Stores, index: int) -> LogProof:
    shown, sealed = stores.log.disclosure(index), stores.log_tree.sealed()
    if shown is None:
        raise UsageError(f"there is no entry {index}; the log has {stores.log.size()}, numbered from 0")
    if index >= sealed.size or sealed.note is None:
        raise UsageError(f"entry {index} is not under a checkpoint yet; `eduseal log checkpoint` signs one")
    if leaf_of(shown.salt, shown.entry) != shown.leaf:
        raise LogTamperedError(f"entry {index} was altered: its leaf is that of another")
    hashes = stores.log_tree.inclusion(index, sealed.size)
    return LogProof(index, hashes, sealed.note, shown.salt + shown.entry)
