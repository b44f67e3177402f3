"""The authority's books in the database: implements :class:`pki.ports.CertificateStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from db import log
from db.blocked_keys import LateCertificateError, block, entry_of, refused_keys, require_fit
from db.engine import Database
from db.errors import DatabaseError
from db.revoked import RevokedRow, revoked_rows
from db.tables import certificates, crl_numbers
from pki.errors import AlreadyIssuedError, AlreadyRevokedError, DuplicateSerialError, IssuanceError, NotRecordedError
from pki.issuing.certificate_life import COMPROMISE, release, revoke, suspend
from pki.ports import CertificateEntry, CertificateState

PAGE = 1000  # rows fetched at a time
MAX_TRIES = 20  # to block a key; each but the last met a certificate recorded at the same moment

_Statement = TypeVar("_Statement", sa.Select[Any], sa.Update)


class Certificates:
    """Every change is durable when its method returns, and stands in the log in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, entry: CertificateEntry) -> None:
        """Raises :class:`pki.errors.DuplicateSerialError`, BlockedKeyError, KeyTakenError, and IssuanceError for one past RECORDED."""
        if entry.state is not CertificateState.RECORDED or entry.certificate_der is not None:
            raise IssuanceError(f"entry is {entry.state}; only a certificate that is not signed yet can be recorded")
        with self._database.writing_alone() as connection:
            if self._row(connection, entry.issuer, entry.serial) is not None:
                raise DuplicateSerialError(f"{entry.issuer}: serial {entry.serial:x} is taken")
            try:
                connection.execute(sa.insert(certificates).values({**asdict(entry), "state": entry.state.value}))
            except sa.exc.IntegrityError:  # another writer took it between the look and the insert
                raise DuplicateSerialError(f"{entry.issuer}: serial {entry.serial:x} is taken") from None
            _log(connection, "certificate.recorded", entry.issuer, entry.serial, at=entry.recorded_at, profile=entry.profile)
            require_fit(connection, entry.public_key_sha256, entry.holder)  # last: see db.blocked_keys

    def take_in(self, entry: CertificateEntry) -> None:
        """Keeps a certificate that was issued elsewhere, in one transaction: never half of it. Raises as :meth:`record`."""
        if entry.state is not CertificateState.ISSUED or entry.certificate_der is None:
            raise IssuanceError(f"entry is {entry.state}; only a certificate that is issued can be taken in")
        with self._database.writing_alone() as connection:
            if self._row(connection, entry.issuer, entry.serial) is not None:
                raise DuplicateSerialError(f"{entry.issuer}: serial {entry.serial:x} is taken")
            connection.execute(sa.insert(certificates).values({**asdict(entry), "state": entry.state.value}))
            _log(connection, "certificate.recorded", entry.issuer, entry.serial, at=entry.recorded_at, profile=entry.profile)
            _log(connection, "certificate.issued", entry.issuer, entry.serial, at=entry.recorded_at)
            require_fit(connection, entry.public_key_sha256, entry.holder)

    def mark_issued(self, issuer: str, serial: int, *, certificate_der: bytes, at: datetime) -> None:
        """RECORDED to ISSUED, once; raises NotRecordedError, AlreadyIssuedError, and AlreadyRevokedError where it was revoked before."""
        with self._database.writing_alone() as connection:
            changed = connection.execute(
                _one(sa.update(certificates), issuer, serial)
                .where(certificates.c.state == CertificateState.RECORDED.value)
                .values(state=CertificateState.ISSUED.value, certificate_der=certificate_der, issued_at=at)
            )
            if changed.rowcount != 1:
                row = self._known(connection, issuer, serial)
                if row.state == CertificateState.REVOKED.value:
                    raise AlreadyRevokedError(f"{issuer}: serial {serial:x} was revoked before it was issued")
                raise AlreadyIssuedError(f"{issuer}: serial {serial:x} has been issued before")
            _log(connection, "certificate.issued", issuer, serial, at=at)

    def mark_revoked(self, issuer: str, serial: int, *, reason: str, at: datetime) -> None:
        """Raises :class:`pki.errors.NotRecordedError`, AlreadyRevokedError, or IssuanceError for a reason that is none.

        For a compromise the key is blocked with it, as :meth:`block_key` does.
        """
        if reason in COMPROMISE:
            self._revoke_compromised(issuer, serial, reason=reason, at=at)
            return
        with self._database.writing_alone() as connection:
            self._move(connection, issuer, serial, lambda entry: revoke(entry, reason=reason, at=at))
            _log(connection, "certificate.revoked", issuer, serial, at=at, reason=reason)

    def mark_suspended(self, issuer: str, serial: int, *, at: datetime) -> None:
        """Raises :class:`pki.errors.NotRecordedError`, AlreadySuspendedError, AlreadyRevokedError or NotIssuedError."""
        with self._database.writing_alone() as connection:
            self._move(connection, issuer, serial, lambda entry: suspend(entry, at=at))
            _log(connection, "certificate.suspended", issuer, serial, at=at)

    def mark_released(self, issuer: str, serial: int, *, at: datetime) -> None:
        """Raises :class:`pki.errors.NotRecordedError`, NotSuspendedError or AlreadyRevokedError."""
        with self._database.writing_alone() as connection:
            self._move(connection, issuer, serial, release)
            _log(connection, "certificate.released", issuer, serial, at=at)

    def block_key(self, public_key_sha256: bytes, *, reason: str, at: datetime) -> tuple[CertificateEntry, ...]:
        """Revokes whatever stands over the key and keeps it from ever being certified again, in one transaction. Returns what it revoked.

        Repeating is safe. `reason` is one of :data:`pki.issuing.certificate_life.COMPROMISE`; raises IssuanceError for another.
        """
        if reason not in COMPROMISE:
            raise IssuanceError(f"reason to block a key: got {reason!r}, expected one of {', '.join(sorted(COMPROMISE))}")
        for _ in range(MAX_TRIES):
            try:
                with self._database.writing_alone() as connection:
                    return block(connection, public_key_sha256, reason=reason, at=at)
            except LateCertificateError:
                continue  # recorded meanwhile, before the key was blocked
        raise DatabaseError(f"certificates are being recorded over the key that is to be blocked, {MAX_TRIES} times in a row; try again")

    def refused_keys(self, holders: Mapping[bytes, str]) -> Mapping[bytes, IssuanceError]:
        """Which of many keys must not be certified, and why. `holders`: SHA-256 of the SPKI to who is to have it. As it stands now:

        `record` asks again in its own transaction.
        """
        with self._database.reading() as connection:
            return refused_keys(connection, holders)

    def get(self, issuer: str, serial: int) -> CertificateEntry | None:
        with self._database.reading() as connection:
            row = self._row(connection, issuer, serial)
        return None if row is None else entry_of(row)

    def of_holder(self, holder: str) -> tuple[CertificateEntry, ...]:
        """Oldest first."""
        chosen = sa.select(certificates).where(certificates.c.holder == holder)
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(certificates.c.recorded_at, certificates.c.serial)).all()
        return tuple(entry_of(row) for row in rows)

    def revoked(self, issuer: str, *, shard: int, shards: int) -> Iterator[RevokedRow]:
        """Every revoked or suspended certificate with serial mod `shards` == `shard`, by serial, expired ones too; read by pages."""
        return revoked_rows(self._database, issuer, shard=shard, shards=shards)

    def entries(self, issuer: str) -> Iterator[CertificateEntry]:
        """Everything that `issuer` ever recorded, by serial; read a page at a time."""
        yield from self._paged(sa.select(certificates).where(certificates.c.issuer == issuer))

    def _paged(self, chosen: sa.Select[Any]) -> Iterator[CertificateEntry]:
        """The entries of a statement over one issuer, by serial."""
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(chosen.where(certificates.c.serial > last).order_by(certificates.c.serial).limit(PAGE)).all()
            yield from (entry_of(row) for row in rows)
            if len(rows) < PAGE:
                return
            last = rows[-1].serial

    def next_crl_number(self, issuer: str, *, shard: int) -> int:
        """Strictly increasing from 1 for each issuer and shard, also between writers."""
        with self._database.writing_alone() as connection:
            while True:
                raised = connection.execute(
                    sa.update(crl_numbers)
                    .where(crl_numbers.c.issuer == issuer, crl_numbers.c.shard == shard)
                    .values(number=crl_numbers.c.number + 1)
                    .returning(crl_numbers.c.number)
                ).scalar()
                if raised is not None:
                    return int(raised)
                try:
                    with connection.begin_nested():
                        connection.execute(sa.insert(crl_numbers).values(issuer=issuer, shard=shard, number=1))
                    return 1
                except sa.exc.IntegrityError:
                    continue  # another writer made the row: raise it

    def _revoke_compromised(self, issuer: str, serial: int, *, reason: str, at: datetime) -> None:
        entry = self.get(issuer, serial)
        if entry is None:
            raise NotRecordedError(f"{issuer}: serial {serial:x} was never recorded")
        revoke(entry, reason=reason, at=at)  # raises where it is revoked already
        revoked = self.block_key(entry.public_key_sha256, reason=reason, at=at)
        if not any((each.issuer, each.serial) == (issuer, serial) for each in revoked):
            raise AlreadyRevokedError(f"{issuer}: serial {serial:x} is revoked already; a revocation is final")

    def _move(
        self, connection: sa.Connection, issuer: str, serial: int, move: Callable[[CertificateEntry], CertificateEntry]
    ) -> CertificateEntry:
        """Applies a move of :mod:`pki.issuing.certificate_life` to an entry that nobody else can change meanwhile.

        Returns what it became.
        """
        row = connection.execute(_one(sa.select(certificates), issuer, serial).with_for_update()).one_or_none()
        if row is None:
            raise NotRecordedError(f"{issuer}: serial {serial:x} was never recorded")
        moved = move(entry_of(row))
        values = {"state": moved.state.value, "revoked_at": moved.revoked_at, "revocation_reason": moved.revocation_reason}
        connection.execute(_one(sa.update(certificates), issuer, serial).values(**values))
        return moved

    def _row(self, connection: sa.Connection, issuer: str, serial: int) -> sa.Row[Any] | None:
        return connection.execute(_one(sa.select(certificates), issuer, serial)).one_or_none()

    def _known(self, connection: sa.Connection, issuer: str, serial: int) -> sa.Row[Any]:
        row = self._row(connection, issuer, serial)
        if row is None:
            raise NotRecordedError(f"{issuer}: serial {serial:x} was never recorded")
        return row


def _one(statement: _Statement, issuer: str, serial: int) -> _Statement:
    return statement.where(certificates.c.issuer == issuer, certificates.c.serial == serial)


def _log(connection: sa.Connection, kind: str, issuer: str, serial: int, *, at: datetime, **details: str) -> None:
    log.append(connection, kind=kind, subject=f"certificate/{issuer}/{serial:x}", at=at, details=details)
