"""`eduseal record export` and `eduseal record write`: records as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._output import write_output
from cli._record_books import RecordId
from cli.main import UsageError
from records.ports import DocumentKind

HINT = "--force replaces it"
Force = Annotated[bool, typer.Option("--force", help="Replace a file that stands there.")]
To = Annotated[str, typer.Option(metavar="FILE", help="Where to; the file is readable by its owner alone.")]


def export(
    record_id: RecordId,
    to: To,
    force: Force = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Write the unsigned PDF, as its signers get it."""
    with opened(home, database_url, passphrase_file) as house:
        pdf = house.services.records.export(record_id)
    write_output(to, pdf, hint=HINT, force=force)
    return 0


def write(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The records' ids.", show_default=False)],
    to: Annotated[str, typer.Option(metavar="FILE|FOLDER", help="A file; or, for several records, a folder that is there.")],
    version: Annotated[int | None, typer.Option(metavar="N", min=1, help="An earlier version than the newest.")] = None,
    force: Force = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Write PDFs with their signatures so far.

    In a folder each file is named by record and version, such as HB-1.v2.pdf. Files are readable by their owner alone and are there
    whole or not at all.
    """
    folder = Path(to).is_dir()
    if len(ids) > 1 and not folder:
        raise UsageError(f"{to} is no folder; for {len(ids)} records make one, and name it with --to")
    with opened(home, database_url, passphrase_file) as house:
        for record_id in dict.fromkeys(ids):
            number = version or house.stores.records.load(record_id).working.number
            if version is None:
                pdf = house.services.records.document(record_id)
            else:
                pdf = house.stores.documents.get(record_id, version, DocumentKind.SIGNED).pdf
            write_output(str(Path(to) / f"{record_id}.v{number}.pdf") if folder else to, pdf, hint=HINT, force=force)
    return 0
