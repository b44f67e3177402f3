"""People's wrapped keys in the database: implements :class:`records.key_ports.HolderKeyStore`."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from db.engine import Database
from db.tables import certificates, holder_keys
from db.upsert import upsert
from pki.issuing.certificate_life import STANDING
from records.errors import NotFoundError
from records.key_ports import HolderKey


class HolderKeys:
    """Keeps what it is given: the key is wrapped twice before it comes here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: HolderKey) -> None:
        """Adds, or replaces the entry of the same holder, issuer and serial."""
        with self._database.writing() as connection:
            upsert(connection, holder_keys, [asdict(key)])

    def get(self, holder: str) -> HolderKey:
        """The holder's key in use; raises :class:`records.errors.NotFoundError`."""
        own = (certificates.c.issuer == holder_keys.c.issuer) & (certificates.c.serial == holder_keys.c.serial)
        in_use = holder_keys.c.activated & certificates.c.state.in_([state.value for state in STANDING])
        chosen = sa.select(holder_keys).outerjoin(certificates, own).where(holder_keys.c.holder == holder)
        order = (sa.case((in_use, 1), else_=0).desc(), holder_keys.c.created_at.desc(), holder_keys.c.serial.desc())
        with self._database.reading() as connection:
            row = connection.execute(chosen.order_by(*order).limit(1)).one_or_none()
        if row is None:
            raise NotFoundError(f"{holder} has no key here; expected one made when the certificate was issued")
        return HolderKey(**row._mapping)

    def of_holder(self, holder: str) -> tuple[HolderKey, ...]:
        """Oldest first."""
        chosen = sa.select(holder_keys).where(holder_keys.c.holder == holder)
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(holder_keys.c.created_at, holder_keys.c.serial)).all()
        return tuple(HolderKey(**row._mapping) for row in rows)
