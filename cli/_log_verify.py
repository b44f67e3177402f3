"""`eduseal log verify`: the whole log of a home, one entry's proof, or another authority's log over the network."""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, books, settings_of
from cli._input import read_input
from cli._log_remote import RemoteLog, check_remote
from cli._output import write_output
from cli._verify_table import printable
from cli.main import UsageError
from config.log import log_copy, log_verifier
from db.errors import LogTamperedError
from db.log_check import check_log
from db.log_leaf import SALT_OCTETS
from pki.log.checkpoint import MAX_PROOF_TEXT, Checkpoint, CheckpointError, opened_checkpoint, read_proof
from pki.log.merkle import ProofError
from pki.log.note import MAX_NOTE, NoteError, VerifierKey, verifier_key

BROKEN = 1


def verify(
    key: Annotated[
        str | None, typer.Option(metavar="VKEY", help="The log's key, as you wrote it down.  [default: the home's log/vkey]")
    ] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Also hold the log against a checkpoint that you kept; may be repeated.")
    ] = None,
    proof: Annotated[str | None, typer.Option(metavar="FILE", help="Check one entry's proof, as `log prove` wrote it, offline.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Check an authority's public log, such as http://pki.example/log.")] = None,
    save: Annotated[str | None, typer.Option(metavar="FILE", help="Keep the newest checkpoint there, replacing an older one.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Check that nobody changed the log.

    Without options: everything in this home's log is computed anew and held against the signed checkpoints of the database and of the home.
    With --proof or --url neither home nor account is needed, only the log's key. Exit status: 0 whole; 1 not; 64 and above for usage or
    I/O errors.
    """
    if proof is not None and (url is not None or checkpoint or save):
        raise UsageError("--proof goes with --key alone: a proof holds its checkpoint")
    if url is not None and key is None:
        raise UsageError(f"whose log is it? name its key with --key; {url.rstrip('/')}/key shows one: compare it with what you were given")
    named = verifier_key(key) if key is not None else log_verifier(settings_of(home, database_url))
    try:
        if proof is not None:
            return _entry(proof, named)
        notes = {path: _text(path, MAX_NOTE) for path in checkpoint or ()}
        newest = _remote(url, named, notes) if url is not None else _own(home, database_url, named, notes)
    except (LogTamperedError, NoteError, CheckpointError, ProofError) as exc:
        print(f"{'Not proven' if proof is not None else 'NOT WHOLE'}: {exc}.")
        return BROKEN
    print(f"Log key: {named}")
    if save is not None:
        write_output(save, newest.encode(), hint="", force=True)
    return 0


def _own(home: str | None, database_url: str | None, key: VerifierKey, notes: dict[str, str]) -> str:
    """The newest checkpoint."""
    with books(home, database_url) as stores:
        copies = log_copy(settings_of(home, database_url))
        report = check_log(stores.database, key=key, notes={**copies, **notes})
    newest = max((opened_checkpoint(note, key).size, note) for note in (*copies.values(), *notes.values()))[1]
    print(f"The log is whole: {report.size} entries, {report.sealed} of them under a signed checkpoint.")
    print(f"Root of all: {base64.b64encode(report.root).decode()}")
    print(f"Held against: {', '.join(('the database', *copies, *notes))}")
    return newest


def _remote(url: str, key: VerifierKey, notes: dict[str, str]) -> str:
    """The newest checkpoint."""
    kept = {place: opened_checkpoint(note, key) for place, note in notes.items()}
    newest, head = check_remote(RemoteLog(url.rstrip("/")), key, kept)
    print(f"The log is whole: {head.size} entries, all under its signed checkpoint.")
    print(f"Root of all: {base64.b64encode(head.root).decode()}")
    print(f"Held against: {', '.join((url, *notes))}")
    return newest


def _entry(path: str, key: VerifierKey) -> int:
    found = read_proof(_text(path, MAX_PROOF_TEXT))
    if len(found.extra) <= SALT_OCTETS:
        raise CheckpointError("the proof does not show its entry (extra: a salt of 32 octets and the entry)")
    head: Checkpoint = found.verify(hashlib.sha256(found.extra).digest(), key)
    print(f"Proven: entry {found.index} of {head.size} in the log {head.origin}:")
    print(printable(found.extra[SALT_OCTETS:].decode("utf-8", "replace")))
    return 0


def _text(path: str, limit: int) -> str:
    try:
        return read_input(path, limit=limit).decode()
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is not text") from None
