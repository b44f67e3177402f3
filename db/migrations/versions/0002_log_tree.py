"""The log's Merkle tree: a salt and a leaf beside every entry, kept subtree roots, the newest signed checkpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.log_leaf import canonical_entry, leaf_of, new_salt
from db.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_TRIGGERS = {
    verb: f"CREATE TRIGGER log_entries_no_{verb.lower()} BEFORE {verb} ON log_entries "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
    for verb in ("UPDATE", "DELETE")
}
PAGE = 1000


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for verb in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER log_entries_no_{verb.lower()}")
    else:
        op.execute("ALTER TABLE log_entries DISABLE TRIGGER log_entries_append_only")
    for name in ("salt", "leaf"):
        op.add_column("log_entries", sa.Column(name, sa.LargeBinary(32)))
    _fill(op.get_bind())
    with op.batch_alter_table("log_entries") as entries:
        for name in ("salt", "leaf"):
            entries.alter_column(name, existing_type=sa.LargeBinary(32), nullable=False)
    if sqlite:
        for statement in SQLITE_TRIGGERS.values():
            op.execute(statement)
    else:
        op.execute("ALTER TABLE log_entries ENABLE TRIGGER log_entries_append_only")
    _make_tables()


def _fill(connection: sa.Connection) -> None:
    """Leaves for entries that stand already."""
    columns = [sa.column("position"), sa.column("kind"), sa.column("subject"), sa.column("at", UtcDateTime()), sa.column("details")]
    table = sa.table("log_entries", *columns, sa.column("salt"), sa.column("leaf"))
    after = -1
    while rows := connection.execute(
        sa.select(*columns).select_from(table).where(table.c.position > after).order_by(table.c.position).limit(PAGE)
    ).all():
        after = rows[-1].position
        for row in rows:
            salt = new_salt()
            entry = canonical_entry(position=row.position, kind=row.kind, subject=row.subject, at=row.at, details_json=row.details)
            values = {"salt": salt, "leaf": leaf_of(salt, entry)}
            connection.execute(sa.update(table).where(table.c.position == row.position).values(**values))


def _make_tables() -> None:
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name="pk_log_nodes"),
    )
    seal = op.create_table(
        "log_seal",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_log_seal"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_seal_single_row")),
    )
    op.bulk_insert(seal, [{"id": 1, "size": 0, "note": None}])


def downgrade() -> None:
    raise NotImplementedError("a log that has been sealed stays sealed")
