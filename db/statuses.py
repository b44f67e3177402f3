"""The status of certificates, looked up many at a time: implements :class:`pki.status.ocsp_status.StatusBook`.

Three columns of the row, by primary key: the certificate itself, which is most of it, stays where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import islice

import sqlalchemy as sa

from db.engine import Database
from db.tables import certificates
from pki.ports import CertificateState
from pki.status.ocsp_status import CertificateName, CertificateStatus

CHUNK = 500  # serial numbers in one statement: SQLite before 3.32 takes 999 parameters

_COLUMNS = (certificates.c.serial, certificates.c.state, certificates.c.revoked_at, certificates.c.revocation_reason)
_CHOSEN = sa.select(*_COLUMNS).where(
    certificates.c.issuer == sa.bindparam("issuer"), certificates.c.serial.in_(sa.bindparam("serials", expanding=True))
)
_STATES = {state.value: state for state in CertificateState}


class Statuses:
    """Nothing is remembered: every call asks the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def statuses(self, asked: Collection[CertificateName]) -> Mapping[CertificateName, CertificateStatus]:
        """Raises :class:`db.errors.DatabaseError`."""
        serials: dict[str, set[int]] = defaultdict(set)
        for issuer, serial in asked:
            serials[issuer].add(serial)
        found: dict[CertificateName, CertificateStatus] = {}
        for issuer, wanted in serials.items():
            rest = iter(wanted)
            while chunk := list(islice(rest, CHUNK)):
                with self._database.glancing() as connection:
                    rows = connection.execute(_CHOSEN, {"issuer": issuer, "serials": chunk}).all()
                for serial, state, revoked_at, reason in rows:
                    found[issuer, serial] = CertificateStatus(_STATES[state], revoked_at, reason)
        return found
