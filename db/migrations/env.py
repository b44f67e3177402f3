"""Alembic runs this file for every command: the connection comes from `db.schema`, never from an ini file."""

from __future__ import annotations

from alembic import context

from db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
