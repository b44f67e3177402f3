"""The first schema: the authority's books, the append-only log, the roster, people's keys, records and their documents."""

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
    _roster()
    _keys()
    _records()


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


def _roster() -> None:
    op.create_table(
        "schools",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("identifier", sa.String(200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("locality", sa.Text(), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schools"),
        sa.UniqueConstraint("identifier", name="uq_schools_identifier"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("school_id", sa.String(200), nullable=False),
        sa.Column("surname", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("sex", sa.String(10), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("birth_place", sa.Text()),
        sa.Column("class_name", sa.Text()),
        sa.Column("role", sa.String(20)),
        sa.Column("homeroom", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_people_school_id_schools"),
        sa.CheckConstraint("kind IN ('teacher', 'student')", name=op.f("ck_people_kind")),
        sa.CheckConstraint("(kind = 'teacher') = (role IS NOT NULL)", name=op.f("ck_people_role")),
        sa.CheckConstraint("(kind = 'student') = (class_name IS NOT NULL)", name=op.f("ck_people_class_name")),
    )
    op.create_index("ix_people_school_id", "people", ["school_id"])
    op.create_table(
        "blocked_people",
        sa.Column("person_id", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_blocked_people"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_blocked_people_person_id_people"),
    )
    op.create_table(
        "personal_codes",
        sa.Column("person_id", sa.String(200), nullable=False),
        sa.Column("wrapped_code", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_personal_codes"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_personal_codes_person_id_people"),
    )


def _keys() -> None:
    op.create_table(
        "holder_keys",
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("certificate_der", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("activated", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(32)),
        sa.Column("wrapped_opening", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("holder", "issuer", "serial", name="pk_holder_keys"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("school_id", sa.String(200), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_api_keys_school_id_schools"),
    )
    op.create_index("ix_api_keys_school_id", "api_keys", ["school_id"])


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("school", sa.String(200), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_records_revision")),
    )
    op.create_index("ix_records_school", "records", ["school"])
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20)),
        sa.PrimaryKeyConstraint("record_id", "version", name="pk_record_versions"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_record_versions_record_id_records"),
    )
    op.create_table(
        "documents",
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version", "kind", name="pk_documents"),
        sa.ForeignKeyConstraint(
            ["record_id", "version"],
            ["record_versions.record_id", "record_versions.version"],
            name="fk_documents_record_id_version_record_versions",
        ),
    )
    op.create_table(
        "spent_items",
        sa.Column("authorisation_id", sa.String(200), nullable=False),
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_id", "record_id", "version", "step", name="pk_spent_items"),
    )


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it")
