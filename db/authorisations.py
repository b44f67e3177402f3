"""What people agreed to sign, in the database: implements :class:`records.ports.AuthorisationStore`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables_records import authorisation_items, authorisations, spent_items
from db.types import canonical_json
from records.errors import AlreadySpentError, NotFoundError
from records.ports import SpentItem
from signing.applying.authorisation import Authorisation, AuthorisedItem


class Authorisations:
    """Grants and refusals go to the log; so does every use, by :func:`spend`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def grant(self, authorisation: Authorisation) -> None:
        """The log's entry holds the number of items and the SHA-256 of their canonical JSON: it commits to each."""
        items = [_row(authorisation.id, position, item) for position, item in enumerate(authorisation.items)]
        plain = [[item.record_id, item.version, item.step, item.export_sha256.hex()] for item in authorisation.items]
        details = {
            "holder": authorisation.holder,
            "expires_at": authorisation.expires_at.isoformat(),
            "items": len(items),
            "items_sha256": hashlib.sha256(canonical_json(plain).encode()).hexdigest(),
        }
        with self._database.writing() as connection:
            connection.execute(
                sa.insert(authorisations).values(
                    id=authorisation.id,
                    holder=authorisation.holder,
                    granted_at=authorisation.granted_at,
                    expires_at=authorisation.expires_at,
                )
            )
            connection.execute(sa.insert(authorisation_items), items)
            _log(connection, "granted", authorisation.id, authorisation.granted_at, details)

    def load(self, authorisation_id: str) -> Authorisation:
        """With the items used so far. Raises :class:`records.errors.NotFoundError`."""
        with self._database.reading() as connection:
            found = _load(connection, authorisations.c.id == authorisation_id)
        if not found:
            raise NotFoundError(f"there is no authorisation {authorisation_id[:40]}; `eduseal record authorisations` lists those in force")
        return found[0]

    def standing(self, *, at: datetime, holder: str | None = None) -> tuple[Authorisation, ...]:
        """Those not expired with something left to sign, oldest first; of one holder, or of everybody."""
        chosen = authorisations.c.expires_at > at
        if holder is not None:
            chosen &= authorisations.c.holder == holder
        with self._database.reading() as connection:
            return tuple(each for each in _load(connection, chosen) if each.unused)

    def spend(self, item: SpentItem) -> None:
        """Raises :class:`records.errors.AlreadySpentError`."""
        with self._database.writing() as connection:
            spend(connection, item)

    def refused(self, authorisation_id: str, *, by: str, reason: str, at: datetime, record_id: str | None = None) -> None:
        details = {"by": by, "reason": reason, **({"record_id": record_id} if record_id is not None else {})}
        with self._database.writing() as connection:
            _log(connection, "refused", authorisation_id, at, details)


def spend(connection: sa.Connection, item: SpentItem) -> None:
    """Marks an item as used, inside the transaction that stores its output; the primary key refuses a second time."""
    key = {"authorisation_id": item.authorisation_id, "record_id": item.record_id, "version": item.version, "step": item.step}
    try:
        connection.execute(sa.insert(spent_items).values(key))
    except sa.exc.IntegrityError:
        raise AlreadySpentError(
            f"authorisation {item.authorisation_id}: step {item.step} of record {item.record_id} version {item.version} is used already"
        ) from None
    _log(connection, "used", item.authorisation_id, item.at, {"record_id": item.record_id, "version": item.version, "step": item.step})


def _load(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> list[Authorisation]:
    heads = connection.execute(sa.select(authorisations).where(chosen).order_by(authorisations.c.granted_at, authorisations.c.id)).all()
    ids = sa.select(authorisations.c.id).where(chosen)
    items, used = authorisation_items, spent_items
    by_id: dict[str, list[AuthorisedItem]] = defaultdict(list)
    for row in connection.execute(sa.select(items).where(items.c.authorisation_id.in_(ids)).order_by(items.c.position)):
        by_id[row.authorisation_id].append(AuthorisedItem(row.record_id, row.version, row.export_sha256, row.step))
    gone = {tuple(row) for row in connection.execute(sa.select(used).where(used.c.authorisation_id.in_(ids)))}
    return [
        Authorisation(
            id=head.id,
            holder=head.holder,
            granted_at=head.granted_at,
            expires_at=head.expires_at,
            items=tuple(by_id[head.id]),
            used=frozenset(item for item in by_id[head.id] if (head.id, item.record_id, item.version, item.step) in gone),
        )
        for head in heads
    ]


def _row(authorisation_id: str, position: int, item: AuthorisedItem) -> Mapping[str, Any]:
    return {
        "authorisation_id": authorisation_id,
        "position": position,
        "record_id": item.record_id,
        "version": item.version,
        "step": item.step,
        "export_sha256": item.export_sha256,
    }


def _log(connection: sa.Connection, what: str, authorisation_id: str, at: datetime, details: Mapping[str, Any]) -> None:
    log.append(connection, kind=f"authorisation.{what}", subject=f"authorisation/{authorisation_id}", at=at, details=details)
