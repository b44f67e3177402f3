"""The life cycle of a record: pure moves from one :class:`RecordState` to the next.

A record opens, its teachers sign, it locks by itself at the last teacher's signature; principal and seal close it. A locked record
is revised only after a school administrator, never the one who asked, confirmed an unlock; the revision is a new version, and once
that carries every signature it supersedes the old one. Each move returns the new state and what the log keeps of it; an illegal one
raises a :class:`records.errors.LifeCycleError` and changes nothing. Nothing here reads a clock or a store.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from records.canonical import record_sha256
from records.differences import differences
from records.errors import (
    AlreadyLockedError,
    AlreadySignedError,
    AlreadyWithdrawnError,
    NotCompleteError,
    NotEntitledError,
    NothingRevisedError,
    NotLockedError,
    NotUnlockedError,
    NoUnlockRequestError,
    OwnRequestError,
    StepOrderError,
    TeachersNotFinishedError,
    UnlockPendingError,
)
from records.ledger import Change, Event, LogEntry
from records.person import Role
from records.record import PreviousVersion, Record, RecordContent
from records.state import Actor, Phase, RecordState, SignedStep, UnlockRequest, Version
from signing.verdict import RecordStatus
from signing.workflow import Workflow

WRITERS = (Role.TEACHER, Role.ADMINISTRATOR)
DECIDERS = (Role.ADMINISTRATOR, Role.PRINCIPAL)
STAFF = (Role.TEACHER, Role.PRINCIPAL, Role.ADMINISTRATOR)
MAX_REASON = 500

Move = tuple[RecordState, LogEntry]


def open_record(record: Record, workflow: Workflow, *, by: Actor, at: datetime) -> Move:
    """A new record, version 1, to be signed by `workflow`."""
    if record.version != 1:
        raise StepOrderError(f"record {record.id}: opens with version 1, got {record.version}")
    state = RecordState(workflow=workflow, versions=(Version(record),))
    _entitled(state, by, WRITERS, "open it")
    return state, _entry(state, Event.OPENED, by, at)


def edit(state: RecordState, content: RecordContent, *, by: Actor, at: datetime) -> Move:
    """Changes the contents of a version that nobody has signed yet; the version's number stays."""
    _not_withdrawn(state)
    if state.phase is not Phase.OPEN:
        raise AlreadyLockedError(f"{_name(state)} is {state.phase}; ask for an unlock to revise it")
    if state.working.signed:
        raise AlreadySignedError(f"{_name(state)} carries signatures; ask for an unlock to revise it")
    _entitled(state, by, WRITERS, "edit it")
    changes = _changes(state, content)
    record = replace(state.working.record, content=content, prepared_at=_whole_second(at))
    return _with_working(state, Version(record)), _entry(state, Event.EDITED, by, at, changes=changes)


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
        signed = _with_working(signed, replace(signed.working, status=RecordStatus.CURRENT))
        if len(signed.versions) > 1:
            signed, entry = supersede(signed, by=by, at=at)
            entries.append(entry)
    return signed, tuple(entries)


def lock(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """Locks a record whose teachers have all signed; :func:`record_signature` does it by itself."""
    _not_withdrawn(state)
    if state.phase is not Phase.OPEN:
        raise AlreadyLockedError(f"{_name(state)} is already {state.phase}")
    if not state.teachers_finished:
        raise TeachersNotFinishedError(f"{_name(state)} still waits for {state.next_step.id if state.next_step else 'nobody'}")
    return replace(state, phase=Phase.LOCKED), _entry(state, Event.LOCKED, by, at)


def request_unlock(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """Asks for a revision of a locked record (or of one that carries some of its teachers' signatures); signing pauses."""
    _not_withdrawn(state)
    if state.phase in (Phase.UNLOCK_REQUESTED, Phase.UNLOCKED):
        raise UnlockPendingError(f"{_name(state)} is already {state.phase}")
    if state.phase is Phase.OPEN and not state.working.signed:
        raise NotLockedError(f"{_name(state)} is open: edit it, no unlock is needed")
    _entitled(state, by, STAFF, "ask for an unlock")
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        raise NotLockedError(f"{_name(state)}: an unlock needs a reason of 1 to {MAX_REASON} characters, got {len(reason)}")
    request = UnlockRequest(by=by.id, reason=reason, at=at)
    return replace(state, phase=Phase.UNLOCK_REQUESTED, unlock=request), _entry(state, Event.UNLOCK_REQUESTED, by, at, reason=reason)


def confirm_unlock(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """A school administrator who is not the requester opens the record for one revision."""
    request = _decidable(state, by)
    return replace(state, phase=Phase.UNLOCKED), _entry(state, Event.UNLOCKED, by, at, requested_by=request.by)


def refuse_unlock(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """Back to where the record stood before the request. The requester may not decide this way, either."""
    request = _decidable(state, by)
    phase = Phase.LOCKED if state.teachers_finished else Phase.OPEN
    entry = _entry(state, Event.UNLOCK_REFUSED, by, at, requested_by=request.by, reason=reason.strip()[:MAX_REASON])
    return replace(state, phase=phase, unlock=None), entry


def revise(state: RecordState, content: RecordContent, *, by: Actor, at: datetime) -> Move:
    """A new version with new contents, linked to the old by number and digest; it is signed from the first step on."""
    _not_withdrawn(state)
    if state.phase is not Phase.UNLOCKED:
        raise NotUnlockedError(f"{_name(state)} is {state.phase}; a revision needs a confirmed unlock")
    _entitled(state, by, WRITERS, "revise it")
    changes = _changes(state, content)
    old = state.working.record
    record = replace(
        old,
        version=old.version + 1,
        prepared_at=_whole_second(at),
        content=content,
        previous=PreviousVersion(old.version, record_sha256(old, state.workflow)),
    )
    revised = replace(state, versions=(*state.versions, Version(record)), phase=Phase.OPEN, unlock=None)
    return revised, _entry(revised, Event.REVISED, by, at, changes=changes, previous=str(old.version))


def supersede(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """The complete newest version replaces all earlier ones; :func:`record_signature` does it by itself."""
    _not_withdrawn(state)
    if not state.complete:
        raise NotCompleteError(f"{_name(state)} still waits for {state.next_step.id if state.next_step else 'nobody'}")
    earlier = state.versions[:-1]
    if all(version.status is RecordStatus.SUPERSEDED for version in earlier):
        raise NotCompleteError(f"{_name(state)} has no earlier version left to supersede")
    old = next((v for v in earlier if v.status is RecordStatus.CURRENT), earlier[-1])
    versions = (*(replace(version, status=RecordStatus.SUPERSEDED) for version in earlier), state.working)
    entry = replace(_entry(state, Event.SUPERSEDED, by, at, superseded_by=str(state.working.number)), version=old.number)
    return replace(state, versions=versions), entry


def withdraw(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """The school takes the record back: its current version is genuine but no longer counts, and nothing more is signed."""
    _not_withdrawn(state)
    _entitled(state, by, DECIDERS, "withdraw it")
    current = state.current
    if current is None:
        raise NotCompleteError(f"{_name(state)} has no complete version to withdraw")
    versions = tuple(replace(v, status=RecordStatus.WITHDRAWN) if v is current else v for v in state.versions)
    entry = replace(_entry(state, Event.WITHDRAWN, by, at, reason=reason.strip()[:MAX_REASON]), version=current.number)
    return replace(state, versions=versions, phase=Phase.WITHDRAWN, unlock=None), entry


def _sign(state: RecordState, step: str, *, by: Actor, at: datetime, document_sha256: str) -> Move:
    _not_withdrawn(state)
    if state.phase in (Phase.UNLOCK_REQUESTED, Phase.UNLOCKED):
        raise UnlockPendingError(f"{_name(state)} is {state.phase}; it is not signed until that is settled")
    if any(done.step == step for done in state.working.signed):
        raise AlreadySignedError(f"{_name(state)}: step {step} is already signed")
    expected = state.next_step
    if expected is None or expected.id != step:
        raise StepOrderError(f"{_name(state)}: got step {step}, expected {expected.id if expected else 'none'}")
    if by.role != expected.role or by.school != state.school:
        raise NotEntitledError(f"{_name(state)}: step {step} is signed by the school's {expected.role}, got {by.role} {by.id}")
    signed = SignedStep(step=step, by=by.id, at=at, document_sha256=document_sha256)
    working = replace(state.working, signed=(*state.working.signed, signed))
    return _with_working(state, working), _entry(state, Event.SIGNED, by, at, step=step, document_sha256=document_sha256)


def _decidable(state: RecordState, by: Actor) -> UnlockRequest:
    _not_withdrawn(state)
    if state.phase is not Phase.UNLOCK_REQUESTED or state.unlock is None:
        raise NoUnlockRequestError(f"{_name(state)} is {state.phase}; there is no unlock request to decide on")
    _entitled(state, by, DECIDERS, "decide on an unlock")
    if by.id == state.unlock.by:
        raise OwnRequestError(f"{_name(state)}: {by.id} asked for the unlock and may not decide on it; another administrator must")
    return state.unlock


def _changes(state: RecordState, content: RecordContent) -> tuple[Change, ...]:
    changes = differences(state.working.record.content, content)
    if not changes:
        raise NothingRevisedError(f"{_name(state)}: the new contents differ in no field")
    return changes


def _entitled(state: RecordState, by: Actor, roles: tuple[Role, ...], what: str) -> None:
    if by.role not in roles or by.school != state.school:
        raise NotEntitledError(f"{_name(state)}: {by.role} {by.id} may not {what}; expected {' or '.join(roles)} of {state.school}")


def _not_withdrawn(state: RecordState) -> None:
    if state.phase is Phase.WITHDRAWN:
        raise AlreadyWithdrawnError(f"{_name(state)} has been withdrawn")


def _with_working(state: RecordState, version: Version) -> RecordState:
    return replace(state, versions=(*state.versions[:-1], version))


def _entry(state: RecordState, event: Event, by: Actor, at: datetime, *, changes: tuple[Change, ...] = (), **details: str) -> LogEntry:
    return LogEntry(event, state.record_id, state.working.number, by.id, at, tuple(sorted(details.items())), changes)


def _whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _name(state: RecordState) -> str:
    return f"record {state.record_id} version {state.working.number}"
