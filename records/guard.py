"""What every move of the life cycle checks and writes alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from records.differences import differences
from records.errors import AlreadyWithdrawnError, NoReasonError, NotEntitledError, NothingRevisedError
from records.ledger import Change, Event, LogEntry
from records.person import Role
from records.record import RecordContent
from records.state import Actor, Phase, RecordState, Version

Move = tuple[RecordState, LogEntry]
"""A move's outcome: the new state, and what the log keeps of it."""

WRITERS = (Role.TEACHER, Role.ADMINISTRATOR)
DECIDERS = (Role.ADMINISTRATOR, Role.PRINCIPAL)
STAFF = (Role.TEACHER, Role.PRINCIPAL, Role.ADMINISTRATOR)
MAX_REASON = 500  # characters


def revised_fields(state: RecordState, content: RecordContent) -> tuple[Change, ...]:
    """How `content` differs from the working version; raises :class:`NothingRevisedError`."""
    changes = differences(state.working.record.content, content)
    if not changes:
        raise NothingRevisedError(f"{naming(state)}: the new contents differ in no field")
    return changes


def entitled(state: RecordState, by: Actor, roles: tuple[Role, ...], what: str) -> None:
    """Raises :class:`NotEntitledError` unless `by` has one of `roles` at the record's own school."""
    if by.role not in roles or by.school != state.school:
        raise NotEntitledError(f"{naming(state)}: {by.role} {by.id} may not {what}; expected {' or '.join(roles)} of {state.school}")


def not_withdrawn(state: RecordState) -> None:
    if state.phase is Phase.WITHDRAWN:
        raise AlreadyWithdrawnError(f"{naming(state)} has been withdrawn")


def with_working(state: RecordState, version: Version) -> RecordState:
    return replace(state, versions=(*state.versions[:-1], version))


def log_entry(state: RecordState, event: Event, by: Actor, at: datetime, *, changes: tuple[Change, ...] = (), **details: str) -> LogEntry:
    return LogEntry(event, state.record_id, state.working.number, by.id, at, tuple(sorted(details.items())), changes)


def whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def naming(state: RecordState) -> str:
    return f"record {state.record_id} version {state.working.number}"


def checked_reason(state: RecordState, reason: str) -> str:
    """The reason without white space around it; raises :class:`NoReasonError`."""
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        raise NoReasonError(f"{naming(state)}: expected a reason of 1 to {MAX_REASON} characters, got {len(reason)}")
    return reason
