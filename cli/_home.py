"""The authority's home as commands open it: the whole house with the key store's passphrase, or the books alone without."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.bootstrap import open_house, open_stores, utc_now
from config.house import House, Stores
from config.house_file import read_plan
from config.key_store import find_secret, key_store_place
from config.settings import Settings

Home = Annotated[str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="The authority's home.  [default: ./var]")]
DatabaseUrl = Annotated[str | None, typer.Option(metavar="URL", envvar="EDUSEAL_DATABASE_URL", help="PostgreSQL, if it lies there.")]
PassphraseFile = Annotated[
    str | None, typer.Option(metavar="FILE", envvar="EDUSEAL_PASSPHRASE_FILE", help="First line: the key store's passphrase.")
]


@contextmanager
def opened(home: str | None, database_url: str | None, passphrase_file: str | None) -> Iterator[House]:
    """The house; the passphrase comes from the file, else from the environment, else it is asked for. Raises as `open_house`."""
    settings, passphrase = with_passphrase(home, database_url, passphrase_file)
    house = open_house(settings, clock=utc_now, passphrase=passphrase)
    try:
        yield house
        house.sealer.seal()  # what the command did is under a signed checkpoint before it says so
    finally:
        house.close()


def with_passphrase(home: str | None, database_url: str | None, passphrase_file: str | None) -> tuple[Settings, str]:
    """Where the home lies, and what opens its key store: from the file, else from the environment, else asked for."""
    settings = _settings(home, database_url, passphrase_file)
    plan = read_plan(settings.house_file)  # nobody is asked for the passphrase of a home that is not there
    return settings, find_secret(settings, key_store_place(settings, plan), prompt=getpass.getpass if sys.stdin.isatty() else None)


@contextmanager
def books(home: str | None, database_url: str | None) -> Iterator[Stores]:
    """What can be looked up without a key, and so without the passphrase."""
    stores = open_stores(_settings(home, database_url, None))
    try:
        yield stores
    finally:
        stores.database.close()


def settings_of(home: str | None, database_url: str | None) -> Settings:
    """Where the home lies, for what needs neither its keys nor its books."""
    return _settings(home, database_url, None)


def _settings(home: str | None, database_url: str | None, passphrase_file: str | None) -> Settings:
    environment = {**os.environ, **({"EDUSEAL_PASSPHRASE_FILE": passphrase_file} if passphrase_file else {})}
    return Settings.from_environment(environment, home=Path(home) if home else None, database_url=database_url)
