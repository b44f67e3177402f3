"""The life cycle of certificates: suspension, keys that are blocked, notices of expiry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Serial, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHECKS = {
    "ck_certificates_state": (
        "state IN ('recorded', 'issued', 'revoked')",
        "state IN ('recorded', 'issued', 'suspended', 'revoked')",
    ),
    "ck_certificates_revoked_at": (
        "(state = 'revoked') = (revoked_at IS NOT NULL)",
        "(state IN ('suspended', 'revoked')) = (revoked_at IS NOT NULL)",
    ),
}


def upgrade() -> None:
    # SQLite copies the table, and reads no CHECK constraint back: the copy is made from the first migration's own words
    with op.batch_alter_table("certificates", copy_from=_certificates()) as batch:
        for name, (_, allowed) in _CHECKS.items():
            batch.drop_constraint(op.f(name), type_="check")
            batch.create_check_constraint(op.f(name), allowed)
    op.create_table(
        "blocked_keys",
        sa.Column("public_key_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("blocked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("public_key_sha256", name="pk_blocked_keys"),
    )
    # keys whose compromise the books knew of before there was a table of them
    op.execute(
        "INSERT INTO blocked_keys (public_key_sha256, reason, blocked_at)"
        " SELECT public_key_sha256, MIN(revocation_reason), MIN(revoked_at) FROM certificates"
        " WHERE revocation_reason IN ('keyCompromise', 'cACompromise', 'aACompromise') GROUP BY public_key_sha256"
    )
    op.create_table(
        "expiry_notices",
        sa.Column("issuer", sa.String(100), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "serial", "days", name="pk_expiry_notices"),
        sa.ForeignKeyConstraint(
            ["issuer", "serial"], ["certificates.issuer", "certificates.serial"], name="fk_expiry_notices_issuer_serial_certificates"
        ),
    )


def _certificates() -> sa.Table:
    table = sa.Table(
        "certificates",
        sa.MetaData(),
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
        *(sa.CheckConstraint(before, name=op.f(name)) for name, (before, _) in _CHECKS.items()),
    )
    sa.Index("ix_certificates_holder", table.c.holder)
    sa.Index("ix_certificates_public_key_sha256", table.c.public_key_sha256)
    sa.Index("ix_certificates_issuer_state", table.c.issuer, table.c.state)
    return table


def downgrade() -> None:
    raise NotImplementedError("records have no way back")
