"""Tables of publication: the revocation lists that the world is shown, and who is at work on what."""

from __future__ import annotations

import sqlalchemy as sa

from db.tables import ID, metadata
from db.types import UtcDateTime

# One row a shard: the newest list. `covers` is the size of the log when its entries were read: what was logged from there on is not in it.
published_crls = sa.Table(
    "published_crls",
    metadata,
    sa.Column("issuer", sa.String(100), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("this_update", UtcDateTime, nullable=False),
    sa.Column("next_update", UtcDateTime, nullable=False),
    sa.Column("covers", sa.BigInteger, nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("this_update < next_update", name="next_update"),
)

# Work that one process does for all: it is that holder's until it is given back, or its time is over.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", ID, primary_key=True),
    sa.Column("holder", ID, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
)
