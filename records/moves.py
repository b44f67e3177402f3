"""The moves of the life cycle that need no signature: each loads the record, makes the pure move, and saves it with its log entries."""

from __future__ import annotations

from pki.ports import Clock
from records.guard import Move
from records.lifecycle import confirm_unlock, edit, open_record, refuse_unlock, relock, request_unlock, revise, withdraw
from records.ports import RecordStore
from records.record import Record, RecordContent
from records.state import Actor, RecordState
from signing.workflow import Workflow


class RecordMoves:
    """Each move is one transaction; raises :class:`records.errors.LifeCycleError` for an illegal one,
    :class:`records.errors.StaleRecordError` where somebody else saved the record in between."""

    def __init__(self, *, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def open(self, record: Record, workflow: Workflow, *, by: Actor) -> RecordState:
        """A new record; raises :class:`records.errors.StaleRecordError` where one of its id stands already."""
        return self._save(open_record(record, workflow, by=by, at=self._clock()))

    def edit(self, record_id: str, content: RecordContent, *, by: Actor) -> RecordState:
        return self._save(edit(self._records.load(record_id), content, by=by, at=self._clock()))

    def request_unlock(self, record_id: str, *, by: Actor, reason: str) -> RecordState:
        return self._save(request_unlock(self._records.load(record_id), by=by, reason=reason, at=self._clock()))

    def confirm_unlock(self, record_id: str, *, by: Actor) -> RecordState:
        return self._save(confirm_unlock(self._records.load(record_id), by=by, at=self._clock()))

    def refuse_unlock(self, record_id: str, *, by: Actor, reason: str) -> RecordState:
        return self._save(refuse_unlock(self._records.load(record_id), by=by, reason=reason, at=self._clock()))

    def relock(self, record_id: str, *, by: Actor) -> RecordState:
        return self._save(relock(self._records.load(record_id), by=by, at=self._clock()))

    def revise(self, record_id: str, content: RecordContent, *, by: Actor) -> RecordState:
        return self._save(revise(self._records.load(record_id), content, by=by, at=self._clock()))

    def withdraw(self, record_id: str, *, by: Actor, reason: str) -> RecordState:
        return self._save(withdraw(self._records.load(record_id), by=by, reason=reason, at=self._clock()))

    def _save(self, move: Move) -> RecordState:
        state, entry = move
        return self._records.save(state, [entry])
