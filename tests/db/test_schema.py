from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import db.tables_bulk
import db.tables_life
import db.tables_log
import db.tables_outside
import db.tables_publication
import db.tables_records
import db.tables_registration  # noqa: F401 - tables of the same metadata
from db.engine import Database
from db.errors import DatabaseError, SchemaError
from db.schema import require_current, upgrade
from db.tables import metadata


def test_migrations_make_exactly_the_tables_that_the_code_declares(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_upgrade_twice_changes_nothing(database: Database) -> None:
    upgrade(database)
    require_current(database)


def test_a_database_without_schema_is_refused_with_the_next_step(empty_database: Database) -> None:
    with pytest.raises(SchemaError, match=r"database has no schema, this program needs [0-9]{4}; run `eduseal init --upgrade`"):
        require_current(empty_database)


def test_a_database_from_a_newer_program_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (upgrade, require_current):
        with pytest.raises(SchemaError, match="schema version 9999, which is newer than this program"):
            use(database)


def test_a_failed_upgrade_leaves_no_half_made_schema(empty_database: Database) -> None:
    with empty_database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE log_head (id INTEGER)"))
    with pytest.raises(DatabaseError, match="log_head"):
        upgrade(empty_database)
    with empty_database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == ["log_head"]
