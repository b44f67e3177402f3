"""What the record's log keeps of each move: who did what to which version, when, and for a revision what changed.

The append-only log of `db` takes :meth:`LogEntry.as_dict`; its public leaves are salted hashes, so these values stay in the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """Also the names of the webhooks."""

    OPENED = "record.opened"
    EDITED = "record.edited"
    SIGNED = "record.signed"
    LOCKED = "record.locked"
    UNLOCK_REQUESTED = "record.unlock_requested"
    UNLOCK_REFUSED = "record.unlock_refused"
    UNLOCKED = "record.unlocked"
    REVISED = "record.revised"
    SUPERSEDED = "record.superseded"
    WITHDRAWN = "record.withdrawn"
    EXPORTED = "record.exported"
    RENEWED = "record.renewed"


Scalar = str | int | bool | None


@dataclass(frozen=True)
class Change:
    """One field that differs: `path` such as `years[2025-2026].marks[Toán].hk1`; a missing side is None."""

    path: str
    old: Scalar
    new: Scalar

    def as_dict(self) -> dict[str, Any]:
        return {"path": self.path, "old": self.old, "new": self.new}


@dataclass(frozen=True)
class LogEntry:
    """One line of the log. `actor` is an opaque roster id; `at` is aware UTC; `details` are sorted pairs such as ("step", "homeroom")."""

    event: Event
    record_id: str
    version: int
    actor: str
    at: datetime
    details: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; :func:`entry_from_dict` reads it back."""
        return {
            "event": self.event.value,
            "record_id": self.record_id,
            "version": self.version,
            "actor": self.actor,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "details": dict(self.details),
            "changes": [change.as_dict() for change in self.changes],
        }


def entry_from_dict(data: Mapping[str, Any]) -> LogEntry:
    """Reads back what :meth:`LogEntry.as_dict` wrote; for the house's own stores, not for hostile input."""
    return LogEntry(
        event=Event(data["event"]),
        record_id=data["record_id"],
        version=data["version"],
        actor=data["actor"],
        at=datetime.fromisoformat(data["at"]),
        details=tuple(sorted(data["details"].items())),
        changes=tuple(Change(c["path"], c["old"], c["new"]) for c in data["changes"]),
    )
