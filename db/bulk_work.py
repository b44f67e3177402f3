"""Starting a bulk batch and carrying it on: the approval is used up, the batch started and its workflow enqueued in one transaction."""

from __future__ import annotations

import secrets
from pathlib import Path

from db.bulk import BulkBatches
from db.engine import Database
from db.registration import redeem
from db.work_queue import WorkQueue, WorkState
from pki.ports import Clock
from pki.registration.policy import RequestKind
from records.bulk import Batch, BatchState, BulkError
from records.bulk_desk import require_unchanged
from records.bulk_workflow import NAME


class BulkWork:
    def __init__(self, database: Database, queue: WorkQueue, *, clock: Clock) -> None:
        self._database = database
        self._store = BulkBatches(database)
        self._queue = queue
        self._clock = clock

    def start(self, batch_id: str, *, sheets: Path) -> Batch:
        """Raises what :func:`pki.registration.approval.redeem` raises where the batch is not approved, and :class:`records.bulk.BulkError`.

        Then nothing has happened: an unapproved batch does not start, and one that is approved starts once.
        """
        workflow_id, now = _new_id(batch_id), self._clock()
        with self._database.writing() as connection:
            batch = self._store.get(batch_id)
            if batch.state is not BatchState.SUBMITTED:
                raise BulkError(f"batch {batch_id} has been started before; `eduseal bulk resume {batch_id}` carries it on")
            if batch.request_id is None:
                raise BulkError(f"batch {batch_id} has no request for its approval; submit its files again")
            require_unchanged(batch, self._store)
            redeem(connection, batch.request_id, digest=batch.digest, at=now).require(RequestKind.BULK, batch.digest)
            self._store.start(batch_id, sheets=str(sheets), workflow_id=workflow_id, at=now)
            self._queue.enqueue(connection, NAME, workflow_id, batch_id)
        return self._store.get(batch_id)

    def resume(self, batch_id: str) -> Batch:
        """A batch that was started goes on: by itself where its workflow waits or runs, with a new one where that failed."""
        batch = self._store.get(batch_id)
        if batch.state is BatchState.SUBMITTED or batch.workflow_id is None:
            raise BulkError(f"batch {batch_id} has not been started; `eduseal bulk run {batch_id} --sheets DIR` starts it")
        if batch.state is BatchState.RUNNING and self._queue.status(batch.workflow_id).state in (WorkState.FAILED, WorkState.UNKNOWN):
            workflow_id = _new_id(batch_id)
            with self._database.writing() as connection:
                if self._store.carry_on(batch_id, workflow_id=workflow_id, instead_of=batch.workflow_id):
                    self._queue.enqueue(connection, NAME, workflow_id, batch_id)
        return self._store.get(batch_id)


def _new_id(batch_id: str) -> str:
    return f"{NAME}-{batch_id}-{secrets.token_hex(4)}"
