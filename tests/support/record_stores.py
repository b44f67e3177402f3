"""The stores of `records.ports` in dictionaries, for tests: as strict as the database about revisions, exports and spent items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from records.blocked import Blocked
from records.errors import AlreadySpentError, NotFoundError, StaleRecordError
from records.ledger import LogEntry
from records.person import Person, School, Student, Teacher
from records.ports import Document, DocumentKind, HolderKey, SpentItem
from records.state import RecordState
from signing.verdict import RecordStatus


class MemoryRecords:
    """:class:`records.ports.RecordStore`, :class:`records.ports.DocumentStore` and :class:`signing.ports.RecordBook` in one."""

    def __init__(self) -> None:
        self.states: dict[str, RecordState] = {}
        self.entries: list[LogEntry] = []
        self.documents: dict[tuple[str, int, DocumentKind], Document] = {}
        self.spent: set[SpentItem] = set()

    def load(self, record_id: str) -> RecordState:
        try:
            return self.states[record_id]
        except KeyError:
            raise NotFoundError(f"record {record_id} is not in the books") from None

    def save(
        self,
        state: RecordState,
        entries: Sequence[LogEntry],
        *,
        documents: Sequence[Document] = (),
        spent: SpentItem | None = None,
    ) -> RecordState:
        known = self.states[state.record_id].revision if state.record_id in self.states else 0
        if known != state.revision:
            raise StaleRecordError(f"record {state.record_id} is at revision {known}, expected {state.revision}; load it again")
        if spent in self.spent:
            raise AlreadySpentError(f"step {spent.step} of record {spent.record_id} is used already")
        self.spent |= {spent} if spent else set()
        self.entries += entries
        self.documents |= {(document.record_id, document.version, document.kind): document for document in documents}
        self.states[state.record_id] = replace(state, revision=state.revision + 1)
        return self.states[state.record_id]

    def log(self, record_id: str) -> tuple[LogEntry, ...]:
        return tuple(entry for entry in self.entries if entry.record_id == record_id)

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(self.states))

    def get(self, record_id: str, version: int, kind: DocumentKind) -> Document:
        try:
            return self.documents[record_id, version, kind]
        except KeyError:
            raise NotFoundError(f"record {record_id} version {version} has no {kind} document") from None

    def status(self, record_id: str, version: int) -> RecordStatus | None:
        return self.states[record_id].status_of(version) if record_id in self.states else None


class MemoryRoster:
    """:class:`records.ports.RosterStore`."""

    def __init__(self) -> None:
        self.found_schools: dict[str, School] = {}
        self.people: dict[str, Person] = {}
        self.bars: dict[str, Blocked] = {}
        self.codes: dict[str, bytes] = {}

    def save(
        self,
        *,
        schools: Sequence[School],
        people: Sequence[Person],
        blocked: Sequence[Blocked],
        wrapped_codes: Mapping[str, bytes],
        at: datetime,
    ) -> None:
        self.found_schools |= {school.id: school for school in schools}
        for person in (*people, *(entry.person for entry in blocked)):
            self.people[person.id] = replace(person, code=None)
            self.bars.pop(person.id, None)
        self.bars |= {entry.person.id: replace(entry, person=self.people[entry.person.id]) for entry in blocked}
        self.codes |= wrapped_codes

    def school(self, school_id: str) -> School:
        try:
            return self.found_schools[school_id]
        except KeyError:
            raise NotFoundError(f"school {school_id} is not in the roster") from None

    def schools(self) -> tuple[School, ...]:
        return tuple(self.found_schools.values())

    def teachers(self, *, school_id: str | None = None) -> tuple[Teacher, ...]:
        found = (person for _, person in sorted(self.people.items()) if isinstance(person, Teacher))
        return tuple(person for person in found if school_id in (None, person.school_id))

    def students(self, *, school_id: str | None = None, class_name: str | None = None) -> tuple[Student, ...]:
        found = (person for _, person in sorted(self.people.items()) if isinstance(person, Student))
        return tuple(p for p in found if school_id in (None, p.school_id) and class_name in (None, p.class_name))

    def blocked(self, *, school_id: str | None = None) -> tuple[Blocked, ...]:
        return tuple(entry for _, entry in sorted(self.bars.items()) if school_id in (None, entry.person.school_id))

    def wrapped_code(self, person_id: str) -> bytes | None:
        return self.codes.get(person_id)


class MemoryHolderKeys:
    """:class:`records.ports.HolderKeyStore`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, int], HolderKey] = {}

    def put(self, key: HolderKey) -> None:
        self.kept[key.holder, key.issuer, key.serial] = key

    def get(self, holder: str) -> HolderKey:
        found = self.of_holder(holder)
        if not found:
            raise NotFoundError(f"{holder} has no key here; expected one made when the certificate was issued")
        return found[-1]

    def of_holder(self, holder: str) -> tuple[HolderKey, ...]:
        return tuple(key for key in self.kept.values() if key.holder == holder)
