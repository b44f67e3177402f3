"""Bringing a database to the schema this program knows, by the migrations packaged with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from db.engine import Database
from db.errors import SchemaError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Runs the missing migrations in one transaction; raises SchemaError where the database is newer than this program."""
    with database.writing() as connection:
        _refuse_newer(_current(connection))
        command.upgrade(_config(connection), "head")


def require_current(database: Database) -> None:
    """Raises :class:`db.errors.SchemaError` unless the schema is at this program's version. Writes nothing."""
    with database.reading() as connection:
        current = _current(connection)
    _refuse_newer(current)
    if current != _head():
        found = "no schema" if current is None else f"version {current}"
        raise SchemaError(f"database has {found}, this program needs {_head()}; run `eduseal init --upgrade`")


def _current(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str | None:
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def _refuse_newer(current: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(f"database has schema version {current}, which is newer than this program; install the newer release")


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
