"""A chunk of a bulk batch in the books: many certificates recorded, or issued, in one transaction.

`attempt` is a fence. Whoever works on a chunk first puts their own attempt into its row, comparing the one that they saw there; issuing
compares it again. So a process that was thought dead, or that slept through its own replacement, can record and sign, but never issue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.blocked_keys import refused_keys
from db.bulk_rows import insert_all
from db.engine import Database
from db.log import NewEntry
from db.tables import certificates, holder_keys
from db.tables_bulk import bulk_certificates, bulk_chunks, bulk_people
from pki.errors import DuplicateSerialError
from pki.issuing.press import PreparedCertificate
from pki.ports import CertificateState
from records.bulk import ChunkState, Refusal, SupersededError
from records.bulk_ports import Chunk, SignedCertificate

ABANDONED = "cessationOfOperation"  # RFC 5280 5.3.1: the nearest to "never handed to anybody"

_RECORDED, _ISSUED, _REVOKED = CertificateState.RECORDED.value, CertificateState.ISSUED.value, CertificateState.REVOKED.value
_FORCE = (_ISSUED, CertificateState.SUSPENDED.value)


class BulkChunks:
    """What `records.bulk_issuance` asks for between the making of keys and the publishing of sheets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, chunk: Chunk, attempt: str, prepared: Sequence[PreparedCertificate], refusals: Sequence[Refusal], *, at: datetime
    ) -> None:
        """Raises :class:`records.bulk.SupersededError`, DuplicateSerialError, BlockedKeyError or KeyTakenError; then nothing is kept."""
        with self._database.writing_alone() as connection:
            _take(connection, chunk, attempt)
            entries = _abandon(connection, chunk.attempt, at) if chunk.attempt else []
            if prepared:
                try:
                    insert_all(connection, certificates, [_recorded(each, at) for each in prepared])
                except sa.exc.IntegrityError:
                    raise DuplicateSerialError(f"{prepared[0].issuer}: one of {len(prepared)} serials is taken") from None
                theirs = [{"attempt": attempt, "issuer": each.issuer, "serial": each.serial} for each in prepared]
                insert_all(connection, bulk_certificates, theirs)
            _refuse(connection, chunk, refusals)
            entries += [_entry("certificate.recorded", each, at, profile=each.profile) for each in prepared]
            log.append_all(connection, entries)
            for error in refused_keys(connection, {each.public_key_sha256: each.holder for each in prepared}).values():
                raise error  # last: see db.blocked_keys

    def require_recorded(self, chunk: Chunk, attempt: str, prepared: Sequence[PreparedCertificate]) -> None:
        """Raises :class:`records.bulk.SupersededError` unless every one stands recorded, octet for octet, by the newest attempt."""
        with self._database.reading() as connection:
            if connection.execute(_mine(sa.select(bulk_chunks.c.number), chunk, attempt, ChunkState.RECORDED)).one_or_none() is None:
                raise _superseded(chunk)
            _require_recorded(connection, chunk, attempt, prepared)

    def issue(self, chunk: Chunk, attempt: str, signed: Sequence[SignedCertificate], *, at: datetime) -> None:
        """Raises :class:`records.bulk.SupersededError`; then nothing is kept."""
        with self._database.writing_alone() as connection:
            changed = connection.execute(
                _mine(sa.update(bulk_chunks), chunk, attempt, ChunkState.RECORDED).values(state=ChunkState.ISSUED.value)
            )
            if changed.rowcount != 1:
                raise _superseded(chunk)
            if signed:
                _issue(connection, chunk, attempt, signed, at)

    def sheets(self, batch_id: str, number: int) -> tuple[str, ...]:
        """Names of the sheets on which somebody stands to whom the chunk has issued."""
        chosen = sa.select(bulk_people.c.sheet).where(
            bulk_people.c.batch_id == batch_id, bulk_people.c.chunk == number, bulk_people.c.state == "issued"
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(chosen.distinct().order_by(bulk_people.c.sheet)).scalars())

    def done(self, batch_id: str, number: int) -> None:
        """ISSUED to DONE; nothing where it is done already."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(bulk_chunks)
                .where(bulk_chunks.c.batch_id == batch_id, bulk_chunks.c.number == number, bulk_chunks.c.state == ChunkState.ISSUED.value)
                .values(state=ChunkState.DONE.value)
            )


def _issue(connection: sa.Connection, chunk: Chunk, attempt: str, signed: Sequence[SignedCertificate], at: datetime) -> None:
    _require_recorded(connection, chunk, attempt, [each.prepared for each in signed], lock=True)
    insert_all(connection, holder_keys, [_key(each) for each in signed])
    # One statement for all: the certificates have just gone into the database beside their keys. Their state is not asked again, since
    # their rows are locked.
    changed = connection.execute(
        sa.update(certificates)
        .where(
            bulk_certificates.c.attempt == attempt,
            certificates.c.issuer == bulk_certificates.c.issuer,
            certificates.c.serial == bulk_certificates.c.serial,
            holder_keys.c.issuer == bulk_certificates.c.issuer,
            holder_keys.c.serial == bulk_certificates.c.serial,
            holder_keys.c.holder == certificates.c.holder,
        )
        .values(state=_ISSUED, certificate_der=holder_keys.c.certificate_der, issued_at=at)
    )
    if changed.rowcount != len(signed):
        raise SupersededError(f"batch {chunk.batch_id}, chunk {chunk.number}: {changed.rowcount} of {len(signed)} stand recorded")
    connection.execute(
        sa.update(bulk_people)
        .where(bulk_people.c.batch_id == chunk.batch_id, bulk_people.c.chunk == chunk.number, bulk_people.c.state == "waiting")
        .values(state="issued")
    )
    log.append_all(connection, [_entry("certificate.issued", each.prepared, at) for each in signed])
    # From here to the commit this transaction holds the log's head, and so does everything that issues: nobody can issue beside it.
    ours = {each.prepared.serial for each in signed}
    # By holder alone, and the rest here: asked for the states too, PostgreSQL would read everything that was ever issued.
    theirs = sa.select(certificates.c.holder, certificates.c.serial, certificates.c.state, certificates.c.not_after)
    for row in connection.execute(theirs.where(certificates.c.holder.in_([each.prepared.holder for each in signed]))):
        if row.state in _FORCE and row.not_after > at and row.serial not in ours:
            raise SupersededError(f"batch {chunk.batch_id}, chunk {chunk.number}: {row.holder} has got another certificate meanwhile")


def _take(connection: sa.Connection, chunk: Chunk, attempt: str) -> None:
    seen = bulk_chunks.c.attempt.is_(None) if chunk.attempt is None else bulk_chunks.c.attempt == chunk.attempt
    changed = connection.execute(
        sa.update(bulk_chunks)
        .where(
            bulk_chunks.c.batch_id == chunk.batch_id,
            bulk_chunks.c.number == chunk.number,
            bulk_chunks.c.state.in_((ChunkState.WAITING.value, ChunkState.RECORDED.value)),
            seen,
        )
        .values(state=ChunkState.RECORDED.value, attempt=attempt)
    )
    if changed.rowcount != 1:
        raise _superseded(chunk)


def _abandon(connection: sa.Connection, attempt: str, at: datetime) -> list[NewEntry]:
    """Revokes what an attempt recorded and can never issue any more; returns what the log is to say of it."""
    theirs = sa.select(bulk_certificates.c.serial).where(
        bulk_certificates.c.attempt == attempt, bulk_certificates.c.issuer == certificates.c.issuer
    )
    revoked = connection.execute(
        sa.update(certificates)
        .where(certificates.c.serial.in_(theirs), certificates.c.state == _RECORDED)
        .values(state=_REVOKED, revoked_at=at, revocation_reason=ABANDONED)
        .returning(certificates.c.issuer, certificates.c.serial)
    ).all()
    return [
        NewEntry("certificate.revoked", f"certificate/{issuer}/{serial:x}", at, {"reason": ABANDONED})
        for issuer, serial in sorted((row.issuer, row.serial) for row in revoked)
    ]


def _require_recorded(
    connection: sa.Connection, chunk: Chunk, attempt: str, prepared: Sequence[PreparedCertificate], *, lock: bool = False
) -> None:
    """With `lock` nobody else changes them before this transaction ends."""
    chosen = (
        sa.select(certificates.c.serial, certificates.c.tbs_sha256, certificates.c.state)
        .join(
            bulk_certificates,
            sa.and_(bulk_certificates.c.issuer == certificates.c.issuer, bulk_certificates.c.serial == certificates.c.serial),
        )
        .where(bulk_certificates.c.attempt == attempt)
    )
    rows = connection.execute(chosen.with_for_update(of=certificates) if lock else chosen).all()
    standing = {row.serial: bytes(row.tbs_sha256) for row in rows if row.state == _RECORDED}
    if standing != {each.serial: hashlib.sha256(each.tbs_der).digest() for each in prepared}:
        raise SupersededError(f"batch {chunk.batch_id}, chunk {chunk.number}: its certificates do not stand recorded as they were prepared")


def _refuse(connection: sa.Connection, chunk: Chunk, refusals: Sequence[Refusal]) -> None:
    if refusals:
        connection.execute(
            sa.update(bulk_people)
            .where(bulk_people.c.batch_id == chunk.batch_id, bulk_people.c.person_id == sa.bindparam("whom"))
            .values(state="refused", reason=sa.bindparam("why")),
            [{"whom": refusal.person_id, "why": refusal.reason} for refusal in refusals],
        )


def _mine(statement: Any, chunk: Chunk, attempt: str, state: ChunkState) -> Any:
    return statement.where(
        bulk_chunks.c.batch_id == chunk.batch_id,
        bulk_chunks.c.number == chunk.number,
        bulk_chunks.c.attempt == attempt,
        bulk_chunks.c.state == state.value,
    )


def _recorded(prepared: PreparedCertificate, at: datetime) -> dict[str, Any]:
    return {
        "issuer": prepared.issuer,
        "serial": prepared.serial,
        "profile": prepared.profile,
        "holder": prepared.holder,
        "state": _RECORDED,
        "tbs_sha256": hashlib.sha256(prepared.tbs_der).digest(),
        "public_key_sha256": prepared.public_key_sha256,
        "not_before": prepared.not_before,
        "not_after": prepared.not_after,
        "recorded_at": at,
    }


def _key(signed: SignedCertificate) -> dict[str, Any]:
    key = signed.key
    return {
        "holder": key.holder,
        "issuer": key.issuer,
        "serial": key.serial,
        "certificate_der": key.certificate_der,
        "wrapped_key": key.wrapped_key,
        "activated": key.activated,
        "created_at": key.created_at,
        "commitment": key.commitment,
        "wrapped_opening": key.wrapped_opening,
    }


def _entry(kind: str, prepared: PreparedCertificate, at: datetime, **details: str) -> NewEntry:
    return NewEntry(kind, f"certificate/{prepared.issuer}/{prepared.serial:x}", at, details)


def _superseded(chunk: Chunk) -> SupersededError:
    return SupersededError(f"batch {chunk.batch_id}, chunk {chunk.number}: another process has taken it over")
