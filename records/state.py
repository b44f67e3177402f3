"""Where a record stands: its versions, the signatures on each, and whether it is open, locked or being unlocked.

Frozen values; `records.lifecycle` holds the moves between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from records.person import Role
from records.record import Record
from signing.verdict import RecordStatus
from signing.workflow import Step, Workflow


class Phase(StrEnum):
    """Of the working version, the last of :attr:`RecordState.versions`."""

    OPEN = "open"
    LOCKED = "locked"
    UNLOCK_REQUESTED = "unlock-requested"
    UNLOCKED = "unlocked"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Actor:
    """Who makes a move: an opaque id, the role they act in, and the organizationIdentifier of their school."""

    id: str
    role: Role
    school: str


@dataclass(frozen=True)
class SignedStep:
    """A step that carries its signature. `document_sha256` is of the PDF with it, lower-case hexadecimal."""

    step: str
    by: str
    at: datetime
    document_sha256: str


@dataclass(frozen=True)
class UnlockRequest:
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Version:
    """One version. `status` is None until every step is signed or a later version supersedes it."""

    record: Record
    signed: tuple[SignedStep, ...] = ()
    status: RecordStatus | None = None

    @property
    def number(self) -> int:
        return self.record.version


@dataclass(frozen=True)
class RecordState:
    """A record with its versions, oldest first. `revision` counts saves (0: never saved) and belongs to the store."""

    workflow: Workflow
    versions: tuple[Version, ...]
    phase: Phase = Phase.OPEN
    unlock: UnlockRequest | None = None
    revision: int = 0

    @property
    def record_id(self) -> str:
        return self.working.record.id

    @property
    def working(self) -> Version:
        """The newest version: the only one that moves."""
        return self.versions[-1]

    @property
    def school(self) -> str:
        return self.working.record.school.identifier

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """The steps that may sign now, in the workflow's order; none where the working version is complete."""
        return self.workflow.open_steps(self._signed)

    @property
    def next_step(self) -> Step | None:
        """The first of :attr:`open_steps`; None where the working version is complete."""
        return next(iter(self.open_steps), None)

    @property
    def teachers_finished(self) -> bool:
        return all(step.id in self._signed for step in self.workflow.steps if step.role == Role.TEACHER)

    @property
    def _signed(self) -> frozenset[str]:
        return frozenset(step.step for step in self.working.signed)

    @property
    def complete(self) -> bool:
        return self.next_step is None

    @property
    def current(self) -> Version | None:
        """The version that an outsider should hold; None before the first is complete and after a withdrawal."""
        return next((version for version in self.versions if version.status is RecordStatus.CURRENT), None)

    def status_of(self, version: int) -> RecordStatus | None:
        """What the books say of version number `version`; None where it never became official or does not exist."""
        return next((found.status for found in self.versions if found.number == version), None)
