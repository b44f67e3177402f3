"""The life cycle of a record: pure moves from one :class:`RecordState` to the next.

A record opens, its teachers sign, it locks by itself at the last teacher's signature; principal and seal close it. A locked record
is revised only after a school administrator, never the one who asked, confirmed an unlock; the revision is a new version, and once
that carries every signature it supersedes the old one. Each move returns the new state and what the log keeps of it; an illegal one
raises a :class:`records.errors.LifeCycleError` and changes nothing. Nothing here reads a clock or a store.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from records.errors import (
    AlreadyLockedError,
    AlreadySignedError,
    NotCompleteError,
    NotEntitledError,
    StepOrderError,
    TeachersNotFinishedError,
    UnlockPendingError,
)
from records.guard import (
    DECIDERS,
    WRITERS,
    Move,
    checked_reason,
    entitled,
    log_entry,
    naming,
    not_withdrawn,
    revised_fields,
    whole_second,
    with_working,
)
from records.ledger import Event, LogEntry
from records.record import Record, RecordContent
from records.state import Actor, Phase, RecordState, SignedStep, Version
from records.unlock import confirm_unlock, refuse_unlock, relock, request_unlock, revise
from signing.verdict import RecordStatus
from signing.workflow import Workflow

__all__ = [
    "confirm_unlock",
    "edit",
    "lock",
    "open_record",
    "record_signature",
    "refuse_unlock",
    "relock",
    "request_unlock",
    "revise",
    "supersede",
    "withdraw",
]


def open_record(record: Record, workflow: Workflow, *, by: Actor, at: datetime) -> Move:
    """A new record, version 1, to be signed by `workflow`."""
    if record.version != 1:
        raise StepOrderError(f"record {record.id}: opens with version 1, got {record.version}")
    state = RecordState(workflow=workflow, versions=(Version(record),))
    entitled(state, by, WRITERS, "open it")
    return state, log_entry(state, Event.OPENED, by, at)


def edit(state: RecordState, content: RecordContent, *, by: Actor, at: datetime) -> Move:
    """Changes the contents of a version that nobody has signed yet; the version's number stays."""
    not_withdrawn(state)
    if state.phase is not Phase.OPEN:
        raise AlreadyLockedError(f"{naming(state)} is {state.phase}; ask for an unlock to revise it")
    if state.working.signed:
        raise AlreadySignedError(f"{naming(state)} carries signatures; ask for an unlock to revise it")
    entitled(state, by, WRITERS, "edit it")
    changes = revised_fields(state, content)
    record = replace(state.working.record, content=content, prepared_at=whole_second(at))
    return with_working(state, Version(record)), log_entry(state, Event.EDITED, by, at, changes=changes)


def record_signature(
    state: RecordState, step: str, *, by: Actor, at: datetime, document_sha256: str
) -> tuple[RecordState, tuple[LogEntry, ...]]:
    """A step has been signed. Locks by itself at the last teacher's signature, and supersedes the old version at the last of all.

    The signature itself is the signing service's business: call this with its output, and save both in one transaction.
    """
    signed, entry = _sign(state, step, by=by, at=at, document_sha256=document_sha256)
    entries = [entry]
    if signed.phase is Phase.OPEN and signed.teachers_finished:
        signed, entry = lock(signed, by=by, at=at)
        entries.append(entry)
    if signed.complete:
        signed = with_working(signed, replace(signed.working, status=RecordStatus.CURRENT))
        if len(signed.versions) > 1:
            signed, entry = supersede(signed, by=by, at=at)
            entries.append(entry)
    return signed, tuple(entries)


def lock(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """Locks a record whose teachers have all signed; :func:`record_signature` does it by itself."""
    not_withdrawn(state)
    if state.phase is not Phase.OPEN:
        raise AlreadyLockedError(f"{naming(state)} is already {state.phase}")
    if not state.teachers_finished:
        raise TeachersNotFinishedError(f"{naming(state)} still waits for {_waited_for(state)}")
    return replace(state, phase=Phase.LOCKED), log_entry(state, Event.LOCKED, by, at)


def supersede(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """The complete newest version replaces all earlier ones; :func:`record_signature` does it by itself."""
    not_withdrawn(state)
    if not state.complete:
        raise NotCompleteError(f"{naming(state)} still waits for {_waited_for(state)}")
    earlier = state.versions[:-1]
    if all(version.status is RecordStatus.SUPERSEDED for version in earlier):
        raise NotCompleteError(f"{naming(state)} has no earlier version left to supersede")
    old = next((v for v in earlier if v.status is RecordStatus.CURRENT), earlier[-1])
    versions = (*(replace(version, status=RecordStatus.SUPERSEDED) for version in earlier), state.working)
    entry = replace(log_entry(state, Event.SUPERSEDED, by, at, superseded_by=str(state.working.number)), version=old.number)
    return replace(state, versions=versions), entry


def withdraw(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """The school takes the record back: its current version is genuine but no longer counts, and nothing more is signed."""
    not_withdrawn(state)
    entitled(state, by, DECIDERS, "withdraw it")
    current = state.current
    if current is None:
        raise NotCompleteError(f"{naming(state)} has no complete version to withdraw")
    versions = tuple(replace(v, status=RecordStatus.WITHDRAWN) if v is current else v for v in state.versions)
    entry = replace(log_entry(state, Event.WITHDRAWN, by, at, reason=checked_reason(state, reason)), version=current.number)
    return replace(state, versions=versions, phase=Phase.WITHDRAWN, unlock=None), entry


def _sign(state: RecordState, step: str, *, by: Actor, at: datetime, document_sha256: str) -> Move:
    not_withdrawn(state)
    if state.phase in (Phase.UNLOCK_REQUESTED, Phase.UNLOCKED):
        raise UnlockPendingError(f"{naming(state)} is {state.phase}; it is not signed until that is settled")
    if any(done.step == step for done in state.working.signed):
        raise AlreadySignedError(f"{naming(state)}: step {step} is already signed")
    expected = next((found for found in state.open_steps if found.id == step), None)
    if expected is None:
        raise StepOrderError(f"{naming(state)}: got step {step}, expected {_waited_for(state, nobody='none')}")
    if by.role != expected.role or by.school != state.school:
        raise NotEntitledError(f"{naming(state)}: step {step} is signed by the school's {expected.role}, got {by.role} {by.id}")
    signed = SignedStep(step=step, by=by.id, at=at, document_sha256=document_sha256)
    working = replace(state.working, signed=(*state.working.signed, signed))
    return with_working(state, working), log_entry(state, Event.SIGNED, by, at, step=step, document_sha256=document_sha256)


def _waited_for(state: RecordState, *, nobody: str = "nobody") -> str:
    return " or ".join(step.id for step in state.open_steps) or nobody
