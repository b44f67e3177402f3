"""What the roster asks of the outside: a store. `db.roster` implements it; each method is one transaction, durable when it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from records.blocked import Blocked
from records.person import Person, School, Student, Teacher


@dataclass(frozen=True)
class Saved:
    """What an import changed in the books: people who were not there, and people of whom something, or their code, differs now."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class RosterStore(Protocol):
    """Schools and people. Personal codes are kept apart, encrypted: people read back carry `code=None`."""

    def save(
        self,
        *,
        schools: Sequence[School],
        people: Iterable[Person],
        blocked: Sequence[Blocked],
        wrap: Callable[[Person], bytes | None],
        at: datetime,
    ) -> Saved:
        """Adds or replaces by id, all or nothing. `people` are those accepted, `blocked` those who get no certificate.

        The blocked are kept as people, too; a person's earlier block is lifted by being accepted. `people` may be many and is walked
        through once; of each `wrap` gives the code under the key-encryption key, or None where the books are to keep what they have.
        """
        ...

    def school(self, school_id: str) -> School:
        """Raises :class:`records.errors.NotFoundError`."""
        ...

    def schools(self) -> tuple[School, ...]: ...

    def teachers(self, *, school_id: str | None = None) -> tuple[Teacher, ...]:
        """Sorted by id; blocked ones included."""
        ...

    def students(self, *, school_id: str | None = None, class_name: str | None = None) -> tuple[Student, ...]:
        """Sorted by id; blocked ones included."""
        ...

    def blocked(self, *, school_id: str | None = None) -> tuple[Blocked, ...]:
        """Sorted by the person's id."""
        ...

    def person(self, person_id: str) -> Person | None:
        """Whoever has this id, blocked or not."""
        ...

    def wrapped_code(self, person_id: str) -> bytes | None: ...

    def wrapped_codes(self, *, school_id: str | None = None) -> Iterator[tuple[str, bytes]]:
        """(person id, code as stored), sorted by id and read a page at a time."""
        ...
