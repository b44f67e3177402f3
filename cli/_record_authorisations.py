"""`eduseal record authorisations`: what people have agreed to sign and is not signed yet."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, books
from cli._table import aligned
from config.bootstrap import utc_now


def list_(
    by: Annotated[str | None, typer.Option("--by", metavar="HOLDER", help="Only this person's.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List authorisations in force that have something left to sign.

    After an interruption `record sign --resume` with the id, and the PIN, signs the rest.
    """
    with books(home, database_url) as stores:
        found = stores.authorisations.standing(at=utc_now(), holder=by)
    rows = [
        (
            each.id,
            each.holder,
            ", ".join(sorted({item.step for item in each.items})),
            f"{len(each.unused)} of {len(each.items)}",
            f"{each.expires_at:%H:%M:%S} UTC",
        )
        for each in found
    ]
    for line in aligned(("AUTHORISATION", "HOLDER", "STEP", "LEFT", "UNTIL"), rows):
        print(line)
    return 0
