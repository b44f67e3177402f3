"""Unlocking a locked record for one revision: asked for by staff, decided by a school administrator who did not ask.

Part of the life cycle; `records.lifecycle` tells the whole story.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from records.canonical import record_sha256
from records.errors import (
    NotLockedError,
    NotUnlockedError,
    NoUnlockRequestError,
    OwnRequestError,
    UnlockPendingError,
)
from records.guard import (
    DECIDERS,
    STAFF,
    WRITERS,
    Move,
    checked_reason,
    entitled,
    log_entry,
    naming,
    not_withdrawn,
    revised_fields,
    whole_second,
)
from records.ledger import Event
from records.record import PreviousVersion, RecordContent
from records.state import Actor, Phase, RecordState, UnlockRequest, Version


def request_unlock(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """Asks for a revision of a locked record (or of one that carries some of its teachers' signatures); signing pauses."""
    not_withdrawn(state)
    if state.phase in (Phase.UNLOCK_REQUESTED, Phase.UNLOCKED):
        raise UnlockPendingError(f"{naming(state)} is already {state.phase}")
    if state.phase is Phase.OPEN and not state.working.signed:
        raise NotLockedError(f"{naming(state)} is open: edit it, no unlock is needed")
    entitled(state, by, STAFF, "ask for an unlock")
    reason = checked_reason(state, reason)
    request = UnlockRequest(by=by.id, reason=reason, at=at)
    return replace(state, phase=Phase.UNLOCK_REQUESTED, unlock=request), log_entry(state, Event.UNLOCK_REQUESTED, by, at, reason=reason)


def confirm_unlock(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """A school administrator who is not the requester opens the record for one revision."""
    request = _decidable(state, by)
    return replace(state, phase=Phase.UNLOCKED), log_entry(state, Event.UNLOCKED, by, at, requested_by=request.by)


def refuse_unlock(state: RecordState, *, by: Actor, reason: str, at: datetime) -> Move:
    """Back to where the record stood before the request. The requester may not decide this way, either."""
    request = _decidable(state, by)
    phase = Phase.LOCKED if state.teachers_finished else Phase.OPEN
    entry = log_entry(state, Event.UNLOCK_REFUSED, by, at, requested_by=request.by, reason=checked_reason(state, reason))
    return replace(state, phase=phase, unlock=None), entry


def relock(state: RecordState, *, by: Actor, at: datetime) -> Move:
    """An unlock that turned out to need no revision ends: the version stands as it was."""
    not_withdrawn(state)
    if state.phase is not Phase.UNLOCKED:
        raise NotUnlockedError(f"{naming(state)} is {state.phase}; there is no unlock to end")
    entitled(state, by, STAFF, "lock it again")
    phase = Phase.LOCKED if state.teachers_finished else Phase.OPEN
    return replace(state, phase=phase, unlock=None), log_entry(state, Event.LOCKED, by, at)


def revise(state: RecordState, content: RecordContent, *, by: Actor, at: datetime) -> Move:
    """A new version with new contents, linked to the old by number and digest; it is signed from the first step on."""
    not_withdrawn(state)
    if state.phase is not Phase.UNLOCKED:
        raise NotUnlockedError(f"{naming(state)} is {state.phase}; a revision needs a confirmed unlock")
    entitled(state, by, WRITERS, "revise it")
    changes = revised_fields(state, content)
    old = state.working.record
    record = replace(
        old,
        version=old.version + 1,
        prepared_at=whole_second(at),
        content=content,
        previous=PreviousVersion(old.version, record_sha256(old, state.workflow)),
    )
    revised = replace(state, versions=(*state.versions, Version(record)), phase=Phase.OPEN, unlock=None)
    return revised, log_entry(revised, Event.REVISED, by, at, changes=changes, previous=str(old.version))


def _decidable(state: RecordState, by: Actor) -> UnlockRequest:
    not_withdrawn(state)
    if state.phase is not Phase.UNLOCK_REQUESTED or state.unlock is None:
        raise NoUnlockRequestError(f"{naming(state)} is {state.phase}; there is no unlock request to decide on")
    entitled(state, by, DECIDERS, "decide on an unlock")
    if by.id == state.unlock.by:
        raise OwnRequestError(f"{naming(state)}: {by.id} asked for the unlock and may not decide on it; another administrator must")
    return state.unlock
