"""`eduseal record sweep`: files among the documents that no record names."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, books, settings_of
from cli.main import DATA, UsageError
from config.bootstrap import utc_now
from db.content import ORPHANS, ContentFolder
from db.orphans import OrphanSweep

SHOWN = 20  # files named one by one
FEW = 10  # more than this, and more than half of all files, are hardly what crashes left


def sweep(
    look: Annotated[bool, typer.Option("--look", help="Move nothing; only say what would be.")] = False,
    many: Annotated[bool, typer.Option("--many", help="Move them although most documents are among them.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Set aside files that no record names.

    A process that is killed while it saves a document may leave the file without the row that names it, and the saving is then done
    again. Such files, a day old at least, are moved into documents/orphans and stand in the log; nothing is deleted. Where most documents
    would be moved, the database is probably not the one that belongs to this home, and nothing happens.
    """
    now = utc_now()
    with books(home, database_url) as stores:
        folder = settings_of(home, database_url).documents
        sweeping = OrphanSweep(stores.database, ContentFolder(folder))
        found = sweeping.find(at=now)
        count = len(found.unnamed)
        if count > FEW and 2 * count > found.files and not (look or many):
            raise UsageError(
                f"{count} of {found.files} files in {folder} are named by no record; is this the database of this home? "
                "Nothing was moved; --look lists them, --many moves them all the same",
                status=DATA,
            )
        paths = found.unnamed if look else sweeping.set_aside(found.unnamed, at=now)
    moved = f", moved into {folder / ORPHANS}" if paths and not look else ""
    print(f"{len(paths)} of {found.files} files are named by no record{moved}.")
    for path in paths[:SHOWN]:
        print(f"  {path}")
    if len(paths) > SHOWN:
        print(f"  … and {len(paths) - SHOWN} more")
    return 0
