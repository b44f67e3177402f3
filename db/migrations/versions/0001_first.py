"""The first schema: the authority's books and the append-only log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import CanonicalJson, Serial, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _authority()
    _log()


def _authority() -> None:
    op.create_table(
        "certificates",
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("profile", sa.String(100), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tbs_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("public_key_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("not_after", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("certificate_der", sa.LargeBinary()),
        sa.Column("issued_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("revocation_reason", sa.String(40)),
        sa.PrimaryKeyConstraint("issuer", "serial", name="pk_certificates"),
        sa.CheckConstraint("length(serial) = 40", name=op.f("ck_certificates_serial_length")),
        sa.CheckConstraint("state IN ('recorded', 'issued', 'revoked')", name=op.f("ck_certificates_state")),
        sa.CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("ck_certificates_revoked_at")),
    )
    op.create_index("ix_certificates_holder", "certificates", ["holder"])
    op.create_index("ix_certificates_public_key_sha256", "certificates", ["public_key_sha256"])
    op.create_index("ix_certificates_issuer_state", "certificates", ["issuer", "state"])
    op.create_table(
        "crl_numbers",
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "shard", name="pk_crl_numbers"),
    )


def _log() -> None:
    op.create_table(
        "log_entries",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("details", CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_log_entries"),
    )
    op.create_index("ix_log_entries_subject", "log_entries", ["subject"])
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_single_row")),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0}])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


# Whoever holds the database file can drop a trigger; it stops mistakes and faulty code, proofs over the log stop the rest.
APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER log_entries_no_{verb.lower()} BEFORE {verb} ON log_entries "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION log_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$",
        "CREATE TRIGGER log_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_entries_refuse()",
    ],
}


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it")
