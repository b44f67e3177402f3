"""Tables of certificates, people and keys, and what the tables of all `tables_*` share. `migrations/` makes them; a test holds the two
against each other.
"""

from __future__ import annotations

import sqlalchemy as sa

from db.types import CanonicalJson, Serial, UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = sa.String(200)
SHA256 = sa.LargeBinary(32)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
    sa.Column("profile", sa.String(100), nullable=False),
    sa.Column("holder", ID, nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("tbs_sha256", SHA256, nullable=False),
    sa.Column("public_key_sha256", SHA256, nullable=False, index=True),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("certificate_der", sa.LargeBinary),
    sa.Column("issued_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revocation_reason", sa.String(40)),
    sa.CheckConstraint("length(serial) = 40", name="serial_length"),
    sa.CheckConstraint("state IN ('recorded', 'issued', 'suspended', 'revoked')", name="state"),
    sa.CheckConstraint("(state IN ('suspended', 'revoked')) = (revoked_at IS NOT NULL)", name="revoked_at"),
    sa.Index("ix_certificates_issuer_state", "issuer", "state"),
    # all that a revocation list needs, without the certificates beside it
    sa.Index(
        "ix_certificates_revoked",
        *("issuer", "serial", "revoked_at", "revocation_reason"),
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_certificates_waiting",
        "recorded_at",
        postgresql_where=sa.text("state = 'recorded'"),
        sqlite_where=sa.text("state = 'recorded'"),
    ),
)

crl_numbers = sa.Table(
    "crl_numbers",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

schools = sa.Table(
    "schools",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("identifier", ID, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("short_name", sa.Text, nullable=False),
    sa.Column("locality", sa.Text, nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
)

# Teachers and students share one space of ids: a key, a certificate and a log entry name their holder by it.
people = sa.Table(
    "people",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("school_id", ID, sa.ForeignKey("schools.id"), nullable=False, index=True),
    sa.Column("surname", sa.Text, nullable=False),
    sa.Column("given_name", sa.Text, nullable=False),
    sa.Column("sex", sa.String(10), nullable=False),
    sa.Column("birth_date", sa.Date, nullable=False),
    sa.Column("birth_place", sa.Text),
    sa.Column("class_name", sa.Text),
    sa.Column("role", sa.String(20)),
    sa.Column("homeroom", sa.Text),
    sa.CheckConstraint("kind IN ('teacher', 'student')", name="kind"),
    sa.CheckConstraint("(kind = 'teacher') = (role IS NOT NULL)", name="role"),
    sa.CheckConstraint("(kind = 'student') = (class_name IS NOT NULL)", name="class_name"),
)

blocked_people = sa.Table(
    "blocked_people",
    metadata,
    sa.Column("person_id", ID, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

# Codes lie apart from names, and only under the key-encryption key.
personal_codes = sa.Table(
    "personal_codes",
    metadata,
    sa.Column("person_id", ID, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("wrapped_code", sa.LargeBinary, nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
)

holder_keys = sa.Table(
    "holder_keys",
    metadata,
    sa.Column("holder", ID, primary_key=True),
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
    sa.Column("certificate_der", sa.LargeBinary, nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("activated", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("commitment", SHA256),
    sa.Column("wrapped_opening", sa.LargeBinary),
)

# Wrong PINs since the last right one, and what an administrator gave to end a lock.
pin_attempts = sa.Table(
    "pin_attempts",
    metadata,
    sa.Column("holder", ID, primary_key=True),
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("serial", Serial, primary_key=True),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("unlock_by", ID),
    sa.Column("unlock_code_sha256", SHA256),
    sa.Column("unlock_until", UtcDateTime),
    sa.Column("unlock_tries", sa.Integer, nullable=False),
    sa.CheckConstraint("wrong >= 0", name="wrong"),
    sa.ForeignKeyConstraint(["holder", "issuer", "serial"], ["holder_keys.holder", "holder_keys.issuer", "holder_keys.serial"]),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("secret_sha256", SHA256, nullable=False),
    sa.Column("school_id", ID, sa.ForeignKey("schools.id"), nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
)

# A signature that waits for a key held elsewhere. Once used, or once its time is over, only the row stays: a replay is told apart.
prepared_signatures = sa.Table(
    "prepared_signatures",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("api_key_id", sa.String(32), sa.ForeignKey("api_keys.id"), nullable=False, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("used_at", UtcDateTime),
    sa.Column("purpose", CanonicalJson, nullable=False),
    sa.Column("certificate_der", sa.LargeBinary, nullable=False),
    sa.Column("chain", CanonicalJson, nullable=False),
    sa.Column("gap_start", sa.BigInteger, nullable=False),
    sa.Column("gap_end", sa.BigInteger, nullable=False),
    sa.Column("document", sa.LargeBinary),
    sa.CheckConstraint("created_at < expires_at", name="expires_at"),
    sa.CheckConstraint("(used_at IS NULL) = (document IS NOT NULL)", name="document"),
)
