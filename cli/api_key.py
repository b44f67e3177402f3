"""`eduseal api-key`: keys for programs that call the service, each for one school."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.bootstrap import open_stores, utc_now
from config.house import Stores
from config.settings import Settings

Home = Annotated[str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="The authority's home.  [default: ./var]")]
DatabaseUrl = Annotated[str | None, typer.Option(metavar="URL", envvar="EDUSEAL_DATABASE_URL", help="PostgreSQL, if it lies there.")]

app = typer.Typer(help="Keys for programs that call the service.", no_args_is_help=True)


@app.command()
def create(
    school: Annotated[str, typer.Option(metavar="ID", help="Roster id of the school that it acts for.")],
    label: Annotated[str, typer.Option(metavar="TEXT", help="What it is for, such as the program's name.")] = "",
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Make a key; it is shown once, on standard output."""
    with _stores(home, database_url) as stores:
        key, token = stores.api_keys.create(school_id=school, label=label, at=utc_now())
    print(token)
    print(f"Key {key.id} acts for school {school}. It is not shown again: keep it where passwords are kept.", file=sys.stderr)
    return 0


@app.command("list")
def show(home: Home = None, database_url: DatabaseUrl = None) -> int:
    """List keys, without their secrets."""
    with _stores(home, database_url) as stores:
        for key in stores.api_keys.all():
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in force"
            print(f"{key.id}  {key.school_id:<20} {key.created_at:%Y-%m-%d}  {state:<18} {key.label}")
    return 0


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")], home: Home = None, database_url: DatabaseUrl = None
) -> int:
    """Revoke a key, for good."""
    with _stores(home, database_url) as stores:
        stores.api_keys.revoke(key, at=utc_now())
    print(f"Key {key} is revoked.")
    return 0


@contextmanager
def _stores(home: str | None, database_url: str | None) -> Iterator[Stores]:
    settings = Settings.from_environment({}, home=Path(home) if home else None, database_url=database_url)
    stores = open_stores(settings)
    try:
        yield stores
    finally:
        stores.database.close()
