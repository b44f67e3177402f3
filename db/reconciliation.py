"""Reconciliation: a certificate that was recorded and never issued is revoked, so that whatever a crash left signed cannot be used.

Issuing takes well under a second, a chunk of a bulk batch a few; what is not issued after :data:`WAIT` never will be. It is a revocation as
any other, logged with its cause. Of two who come at the same moment, this and the one who issues, the database lets one through: a row that
somebody is about to change is left for the next time, and `mark_issued` refuses what was revoked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables import certificates
from pki.ports import CertificateState, Clock

WAIT = timedelta(minutes=5)  # of the ten minutes within which it is promised; docs/cps.md 4.3
CHUNK = 500  # certificates revoked in one transaction, which holds up every writer of the log
REASON = "cessationOfOperation"  # RFC 5280 section 5.3.1: the nearest to "never handed to anybody"
CAUSE = "never issued"


class Reconciliation:
    """Implements the house's promise that nothing stays recorded for ten minutes: call :meth:`run` every minute."""

    def __init__(self, database: Database, *, clock: Clock, wait: timedelta = WAIT) -> None:
        self._database = database
        self._clock = clock
        self._wait = wait

    def run(self) -> tuple[tuple[str, int], ...]:
        """Revokes what was recorded more than `wait` ago and is not issued; returns issuers and serials. Raises DatabaseError."""
        revoked: list[tuple[str, int]] = []
        now = self._clock()
        while found := self._chunk(now):
            revoked += found
        return tuple(revoked)

    def _chunk(self, now: datetime) -> list[tuple[str, int]]:
        waiting = certificates.c.state == CertificateState.RECORDED.value
        chosen = (
            sa.select(certificates.c.issuer, certificates.c.serial)
            .where(waiting, certificates.c.recorded_at < now - self._wait)
            .order_by(certificates.c.recorded_at)
            .limit(CHUNK)
            .with_for_update(skip_locked=True)
        )
        one = sa.update(certificates).where(
            waiting, certificates.c.issuer == sa.bindparam("of"), certificates.c.serial == sa.bindparam("number")
        )
        revocation = {"state": CertificateState.REVOKED.value, "revoked_at": now, "revocation_reason": REASON}
        with self._database.writing_alone() as connection:
            found = [(row.issuer, row.serial) for row in connection.execute(chosen)]
            if found:
                connection.execute(one.values(revocation), [{"of": issuer, "number": serial} for issuer, serial in found])
                log.append_all(connection, [_entry(issuer, serial, now) for issuer, serial in found])
        return found


def _entry(issuer: str, serial: int, at: datetime) -> log.NewEntry:
    details = {"reason": REASON, "cause": CAUSE}
    return log.NewEntry("certificate.revoked", f"certificate/{issuer}/{serial:x}", at, details)
