"""Bulk batches in the database: implements :class:`records.bulk_ports.BulkStore`. What issues a chunk is in `db.bulk_chunks`, who is in a
batch in `db.bulk_people`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.bulk_chunks import BulkChunks
from db.bulk_lapsed import release_lapsed
from db.bulk_people import BulkPeople, place_row, refuse_waiting
from db.tables_bulk import bulk_batches, bulk_chunks, bulk_people
from records.bulk import Batch, BatchState, BulkError, ChunkState, Place, Progress, SourceFile
from records.bulk_ports import Chunk
from records.errors import NotFoundError


class BulkBatches(BulkChunks, BulkPeople):
    """Batches, their people and how far they are."""

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
            refuse_waiting(connection, [place.person_id for place in places])
            connection.execute(sa.insert(bulk_batches), [row])
            connection.execute(
                sa.insert(bulk_chunks),
                [{"batch_id": batch.id, "number": number, "state": ChunkState.WAITING.value} for number in numbers],
            )
            connection.execute(sa.insert(bulk_people), [place_row(batch.id, place) for place in places])
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

    def chunk(self, batch_id: str, number: int) -> Chunk:
        chosen = sa.select(bulk_chunks).where(bulk_chunks.c.batch_id == batch_id, bulk_chunks.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(chosen).one()
        return Chunk(row.batch_id, row.number, ChunkState(row.state), row.attempt)

    def open_chunks(self, batch_id: str) -> tuple[int, ...]:
        """Numbers of the chunks that are not done, in order."""
        with self._database.reading() as connection:
            return tuple(connection.execute(_open_chunks(batch_id)).scalars())

    def progress(self, batch_id: str) -> Progress:
        with self._database.reading() as connection:
            return _progress(connection, batch_id)


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


def _batch(row: sa.Row[Any]) -> Batch:
    values = dict(row._mapping)
    files = tuple(SourceFile(name, sha256) for name, sha256 in values.pop("files"))
    return Batch(**{**values, "files": files, "state": BatchState(row.state), "digest": bytes(row.digest)})
