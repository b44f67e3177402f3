"""Every test here that asks for `database` runs twice: on SQLite in a file and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database, open_database, sqlite_url
from db.log_seal import LogSealer
from db.schema import upgrade
from tests.postgres import postgres_server, postgres_url
from tests.support.log_cases import SIGNER, SIZE, append

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "eduseal.sqlite")
    url = request.getfixturevalue("postgres_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the newest checkpoint of the log is kept outside the database."""
    return tmp_path / "checkpoint"


@pytest.fixture
def sealer(database: Database, copy: Path) -> LogSealer:
    return LogSealer(database, signer=SIGNER, copy=copy)


@pytest.fixture
def full(database: Database, sealer: LogSealer) -> Database:
    """600 entries, sealed."""
    append(database, SIZE)
    sealer.seal()
    return database
