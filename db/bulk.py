"""Bulk batches in the database: implements :class:`records.bulk_ports.BulkStore`. What issues a chunk is in `db.bulk_chunks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.bulk_chunks import BulkChunks
from db.bulk_lapsed import release_lapsed
from db.engine import Database
from db.roster import person_of
from db.tables import blocked_people, certificates, people, personal_codes
from db.tables_bulk import bulk_batches, bulk_chunks, bulk_people
from pki.ports import CertificateState
from records.bulk import Batch, BatchState, BulkError, ChunkState, Place, Progress, Refusal, SourceFile
from records.bulk_ports import Applicant, Candidate, Chunk
from records.errors import NotFoundError

LOOKUP = 500  # ids in one IN list; SQLite allows 32,766 parameters
SHOWN = 3  # ids that a message names

_FORCE = (CertificateState.ISSUED.value, CertificateState.SUSPENDED.value)


class BulkBatches(BulkChunks):
    """Batches, their people and how far they are."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    def submit(self, batch: Batch, places: Sequence[Place]) -> None:
        """Raises :class:`records.bulk.BulkError` where a person waits in another batch."""
        row = {
            "id": batch.id,
            "files": [[file.name, file.sha256] for file in batch.files],
            "digest": batch.digest,
            "people": batch.people,
            "state": BatchState.SUBMITTED.value,
            "submitted_by": batch.submitted_by,
            "submitted_at": batch.submitted_at,
            "request_id": batch.request_id,
        }
        numbers = sorted({place.chunk for place in places})
        with self._database.writing() as connection:
            _refuse_waiting(connection, [place.person_id for place in places])
            connection.execute(sa.insert(bulk_batches), [row])
            connection.execute(
                sa.insert(bulk_chunks),
                [{"batch_id": batch.id, "number": number, "state": ChunkState.WAITING.value} for number in numbers],
            )
            connection.execute(sa.insert(bulk_people), [_place_row(batch.id, place) for place in places])
            details = {"people": batch.people, "digest": batch.digest.hex()}
            log.append(connection, kind="bulk.submitted", subject=f"bulk/{batch.id}", at=batch.submitted_at, details=details)

    def release_lapsed(self, *, at: datetime) -> None:
        with self._database.writing() as connection:
            release_lapsed(connection, at=at)

    def requested(self, batch_id: str, request_id: str) -> None:
        """Raises :class:`records.bulk.BulkError` where the batch has been started."""
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(bulk_batches)
                .where(bulk_batches.c.id == batch_id, bulk_batches.c.state == BatchState.SUBMITTED.value)
                .values(request_id=request_id)
            )
        if changed.rowcount != 1:
            raise BulkError(f"batch {batch_id} does not wait for an approval")

    def start(self, batch_id: str, *, sheets: str, workflow_id: str, at: datetime) -> None:
        """SUBMITTED to RUNNING, once, in the transaction that redeems the approval. Raises :class:`records.bulk.BulkError`."""
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(bulk_batches)
                .where(bulk_batches.c.id == batch_id, bulk_batches.c.state == BatchState.SUBMITTED.value)
                .values(state=BatchState.RUNNING.value, sheets=sheets, workflow_id=workflow_id, started_at=at)
            )
            if changed.rowcount != 1:
                raise BulkError(f"batch {batch_id} has been started before; `eduseal bulk resume {batch_id}` carries it on")
            log.append(connection, kind="bulk.started", subject=f"bulk/{batch_id}", at=at, details={})

    def carry_on(self, batch_id: str, *, workflow_id: str, instead_of: str) -> bool:
        """A new workflow in place of one that failed; False where somebody else has put one there first."""
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(bulk_batches)
                .where(bulk_batches.c.id == batch_id, bulk_batches.c.workflow_id == instead_of)
                .values(workflow_id=workflow_id)
            )
        return changed.rowcount == 1

    def finish(self, batch_id: str, *, at: datetime) -> None:
        """Marks a batch as done whose chunks all are; raises :class:`records.bulk.BulkError` where one is not."""
        with self._database.writing() as connection:
            left = connection.execute(_open_chunks(batch_id)).first()
            if left is not None:
                raise BulkError(f"batch {batch_id}: chunk {left.number} is not done")
            changed = connection.execute(
                sa.update(bulk_batches)
                .where(bulk_batches.c.id == batch_id, bulk_batches.c.state == BatchState.RUNNING.value)
                .values(state=BatchState.DONE.value, finished_at=at)
            )
            if changed.rowcount == 1:
                counts = _progress(connection, batch_id)
                details = {"issued": counts.issued, "refused": counts.refused}
                log.append(connection, kind="bulk.finished", subject=f"bulk/{batch_id}", at=at, details=details)

    def get(self, batch_id: str) -> Batch:
        """Raises :class:`records.errors.NotFoundError`."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(bulk_batches).where(bulk_batches.c.id == batch_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no bulk batch {batch_id}; `eduseal bulk status` lists them")
        return _batch(row)

    def batches(self) -> tuple[Batch, ...]:
        """Oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(bulk_batches).order_by(bulk_batches.c.submitted_at, bulk_batches.c.id)).all()
        return tuple(_batch(row) for row in rows)

    def places(self, batch_id: str, *, after: int = -1, limit: int) -> Sequence[Place]:
        """By position, from beyond `after`."""
        chosen = sa.select(bulk_people).where(bulk_people.c.batch_id == batch_id, bulk_people.c.position > after)
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(bulk_people.c.position).limit(limit)).all()
        return [_place(row._mapping) for row in rows]

    def chunk(self, batch_id: str, number: int) -> Chunk:
        chosen = sa.select(bulk_chunks).where(bulk_chunks.c.batch_id == batch_id, bulk_chunks.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(chosen).one()
        return Chunk(row.batch_id, row.number, ChunkState(row.state), row.attempt)

    def open_chunks(self, batch_id: str) -> tuple[int, ...]:
        """Numbers of the chunks that are not done, in order."""
        with self._database.reading() as connection:
            return tuple(connection.execute(_open_chunks(batch_id)).scalars())

    def applicants(self, batch_id: str, number: int, *, at: datetime) -> Sequence[Applicant]:
        """Those of a chunk who still wait, by position."""
        in_force = (
            sa.exists()
            .where(certificates.c.holder == bulk_people.c.person_id, certificates.c.state.in_(_FORCE), certificates.c.not_after > at)
            .label("certified")
        )
        place = [bulk_people.c[name].label(f"place_{name}") for name in ("position", "person_id", "chunk", "sheet", "facts")]
        chosen = (
            sa.select(*place, people, personal_codes.c.wrapped_code, blocked_people.c.person_id.label("blocked"), in_force)
            .select_from(bulk_people)
            .outerjoin(people, people.c.id == bulk_people.c.person_id)
            .outerjoin(personal_codes, personal_codes.c.person_id == bulk_people.c.person_id)
            .outerjoin(blocked_people, blocked_people.c.person_id == bulk_people.c.person_id)
            .where(bulk_people.c.batch_id == batch_id, bulk_people.c.chunk == number, bulk_people.c.state == "waiting")
            .order_by(bulk_people.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
        return [_applicant(row._mapping) for row in rows]

    def candidates(self, ids: Sequence[str], *, at: datetime) -> Sequence[Candidate]:
        """Those of `ids` whom the roster knows, sorted by id."""
        found = list[Candidate]()
        in_force = sa.exists().where(certificates.c.holder == people.c.id, certificates.c.state.in_(_FORCE), certificates.c.not_after > at)
        elsewhere = (
            sa.select(sa.func.min(bulk_people.c.batch_id))
            .where(bulk_people.c.person_id == people.c.id, bulk_people.c.state == "waiting")
            .scalar_subquery()
        )
        chosen = (
            sa.select(people, personal_codes.c.wrapped_code, blocked_people.c.person_id.label("blocked"))
            .add_columns(in_force.label("certified"), elsewhere.label("waiting_in"))
            .outerjoin(personal_codes, personal_codes.c.person_id == people.c.id)
            .outerjoin(blocked_people, blocked_people.c.person_id == people.c.id)
        )
        with self._database.reading() as connection:
            for start in range(0, len(ids), LOOKUP):
                rows = connection.execute(chosen.where(people.c.id.in_(ids[start : start + LOOKUP])))
                found += [_candidate(row._mapping) for row in rows]
        return sorted(found, key=lambda candidate: candidate.person.id)

    def progress(self, batch_id: str) -> Progress:
        with self._database.reading() as connection:
            return _progress(connection, batch_id)

    def refusals(self, batch_id: str) -> tuple[Refusal, ...]:
        """By position."""
        chosen = sa.select(bulk_people.c.person_id, bulk_people.c.reason).where(
            bulk_people.c.batch_id == batch_id, bulk_people.c.state == "refused"
        )
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(bulk_people.c.position)).all()
        return tuple(Refusal(row.person_id, row.reason) for row in rows)


def _refuse_waiting(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Nobody waits in two batches."""
    taken = list[str]()
    for start in range(0, len(ids), LOOKUP):
        found = sa.select(bulk_people.c.person_id, bulk_people.c.batch_id).where(
            bulk_people.c.person_id.in_(ids[start : start + LOOKUP]), bulk_people.c.state == "waiting"
        )
        taken += [f"{row.person_id} (batch {row.batch_id})" for row in connection.execute(found.limit(SHOWN))]
    if taken:
        raise BulkError(f"some wait in another batch already: {', '.join(taken[:SHOWN])}; let that batch end, or refuse its request")


def _progress(connection: sa.Connection, batch_id: str) -> Progress:
    counted = sa.select(bulk_people.c.state, sa.func.count()).where(bulk_people.c.batch_id == batch_id).group_by(bulk_people.c.state)
    states = {state: int(count) for state, count in connection.execute(counted)}
    counted = sa.select(bulk_chunks.c.state, sa.func.count()).where(bulk_chunks.c.batch_id == batch_id).group_by(bulk_chunks.c.state)
    chunks = {state: int(count) for state, count in connection.execute(counted)}
    return Progress(
        people=sum(states.values()),
        issued=states.get("issued", 0),
        refused=states.get("refused", 0),
        chunks=sum(chunks.values()),
        chunks_done=chunks.get(ChunkState.DONE.value, 0),
    )


def _open_chunks(batch_id: str) -> sa.Select[Any]:
    chosen = sa.select(bulk_chunks.c.number).where(bulk_chunks.c.batch_id == batch_id, bulk_chunks.c.state != ChunkState.DONE.value)
    return chosen.order_by(bulk_chunks.c.number)


def _place_row(batch_id: str, place: Place) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "position": place.position,
        "person_id": place.person_id,
        "chunk": place.chunk,
        "sheet": place.sheet,
        "facts": place.facts,
        "state": "waiting",
    }


def _place(row: sa.RowMapping, prefix: str = "") -> Place:
    return Place(
        position=row[f"{prefix}position"],
        person_id=row[f"{prefix}person_id"],
        chunk=row[f"{prefix}chunk"],
        sheet=row[f"{prefix}sheet"],
        facts=bytes(row[f"{prefix}facts"]),
    )


def _applicant(row: sa.RowMapping) -> Applicant:
    wrapped = row["wrapped_code"]
    return Applicant(
        place=_place(row, "place_"),
        person=None if row["id"] is None else person_of(row),
        wrapped_code=None if wrapped is None else bytes(wrapped),
        blocked=row["blocked"] is not None,
        certified=bool(row["certified"]),
    )


def _candidate(row: sa.RowMapping) -> Candidate:
    wrapped = row["wrapped_code"]
    return Candidate(
        person=person_of(row),
        wrapped_code=None if wrapped is None else bytes(wrapped),
        blocked=row["blocked"] is not None,
        certified=bool(row["certified"]),
        waiting_in=row["waiting_in"],
    )


def _batch(row: sa.Row[Any]) -> Batch:
    values = dict(row._mapping)
    files = tuple(SourceFile(name, sha256) for name, sha256 in values.pop("files"))
    return Batch(**{**values, "files": files, "state": BatchState(row.state), "digest": bytes(row.digest)})
