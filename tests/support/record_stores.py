"""The stores of `records.ports` in dictionaries, for tests: as strict as the database about revisions, exports and spent items."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from records.blocked import Blocked
from records.errors import AlreadySpentError, NotFoundError, StaleRecordError
from records.key_ports import HolderKey
from records.ledger import LogEntry
from records.person import Person, School, Student, Teacher
from records.ports import Document, DocumentKind, SpentItem
from records.roster_ports import Saved
from records.state import Phase, RecordState
from signing.applying.authorisation import Authorisation, AuthorisedItem
from signing.verdict import RecordStatus


class MemoryRecords:
    """:class:`records.ports.RecordStore`, DocumentStore and :class:`signing.ports.RecordBook` in one, with its authorisations."""

    def __init__(self) -> None:
        self.states: dict[str, RecordState] = {}
        self.entries: list[LogEntry] = []
        self.documents: dict[tuple[str, int, DocumentKind], Document] = {}
        self.spent: set[SpentItem] = set()
        self.authorisations = MemoryAuthorisations(self.spent)

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
        if spent is not None:
            self.authorisations.spend(spent)
        self.entries += entries
        self.documents |= {(document.record_id, document.version, document.kind): document for document in documents}
        self.states[state.record_id] = replace(state, revision=state.revision + 1)
        return self.states[state.record_id]

    def log(self, record_id: str) -> tuple[LogEntry, ...]:
        return tuple(entry for entry in self.entries if entry.record_id == record_id)

    def all(self, *, school: str | None = None, phase: Phase | None = None) -> Iterator[RecordState]:
        found = (state for _, state in sorted(self.states.items()))
        return (state for state in found if school in (None, state.school) and phase in (None, state.phase))

    def get(self, record_id: str, version: int, kind: DocumentKind) -> Document:
        try:
            return self.documents[record_id, version, kind]
        except KeyError:
            raise NotFoundError(f"record {record_id} version {version} has no {kind} document") from None

    def status(self, record_id: str, version: int) -> RecordStatus | None:
        return self.states[record_id].status_of(version) if record_id in self.states else None


class MemoryAuthorisations:
    """:class:`records.ports.AuthorisationStore`."""

    def __init__(self, spent: set[SpentItem]) -> None:
        self.spent = spent
        self.granted: dict[str, Authorisation] = {}
        self.refusals: list[tuple[str, str, str | None, str]] = []
        """Authorisation, person, record, reason."""

    def grant(self, authorisation: Authorisation) -> None:
        self.granted[authorisation.id] = authorisation

    def load(self, authorisation_id: str) -> Authorisation:
        try:
            found = self.granted[authorisation_id]
        except KeyError:
            raise NotFoundError(f"there is no authorisation {authorisation_id}") from None
        return replace(found, used=frozenset(item for item in found.items if self._key(found.id, item) in self.spent))

    def standing(self, *, at: datetime, holder: str | None = None) -> tuple[Authorisation, ...]:
        found = [self.load(each) for each in self.granted]
        return tuple(each for each in found if each.unused and each.expires_at > at and holder in (None, each.holder))

    def spend(self, item: SpentItem) -> None:
        if item in self.spent:
            raise AlreadySpentError(f"step {item.step} of record {item.record_id} is used already")
        self.spent.add(item)

    def refused(self, authorisation_id: str, *, by: str, reason: str, at: datetime, record_id: str | None = None) -> None:
        self.refusals.append((authorisation_id, by, record_id, reason))

    def _key(self, authorisation_id: str, item: AuthorisedItem) -> SpentItem:
        return SpentItem(authorisation_id, item.record_id, item.version, item.step, self.granted[authorisation_id].granted_at)


class MemoryRoster:
    """:class:`records.roster_ports.RosterStore`."""

    def __init__(self) -> None:
        self.found_schools: dict[str, School] = {}
        self.people: dict[str, Person] = {}
        self.bars: dict[str, Blocked] = {}
        self.codes: dict[str, bytes] = {}

    def save(
        self,
        *,
        schools: Sequence[School],
        people: Iterable[Person],
        blocked: Sequence[Blocked],
        wrap: Callable[[Person], bytes | None],
        at: datetime,
    ) -> Saved:
        """What it returns counts who is new, and takes everybody else as unchanged."""
        self.found_schools |= {school.id: school for school in schools}
        known, accepted = set(self.people), list(people)
        codes = {person.id: code for person in accepted if (code := wrap(person)) is not None}
        everybody = (*accepted, *(entry.person for entry in blocked))
        for person in everybody:
            self.people[person.id] = replace(person, code=None)
            self.bars.pop(person.id, None)
        self.bars |= {entry.person.id: replace(entry, person=self.people[entry.person.id]) for entry in blocked}
        self.codes |= codes
        new = sum(person.id not in known for person in everybody)
        return Saved(added=new, unchanged=len(everybody) - new)

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

    def person(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    def wrapped_code(self, person_id: str) -> bytes | None:
        return self.codes.get(person_id)

    def wrapped_codes(self, *, school_id: str | None = None) -> Iterator[tuple[str, bytes]]:
        return iter([(holder, code) for holder, code in sorted(self.codes.items()) if school_id in (None, self.people[holder].school_id)])


class MemoryHolderKeys:
    """:class:`records.key_ports.HolderKeyStore`."""

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


class MemoryPinAttempts:
    """:class:`records.key_ports.PinAttemptStore`."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], int] = {}
        self.unlocks: dict[tuple[str, int], tuple[str, bytes, int, datetime]] = {}
        self.log: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def begin(self, key: HolderKey, *, most: int, at: datetime) -> bool:
        with self._lock:
            free = self.wrong_so_far(key) < most
            self.counts[key.issuer, key.serial] = self.wrong_so_far(key) + free
            return free

    def begin_unlocking(self, key: HolderKey, *, code_sha256: bytes, at: datetime) -> bool:
        by, digest, tries, until = self.unlocks.get((key.issuer, key.serial), ("", b"", 0, at))
        if digest != code_sha256 or not tries or until <= at:
            return False
        self.unlocks[key.issuer, key.serial] = (by, digest, tries - 1, until)
        self.counts[key.issuer, key.serial] += 1
        return True

    def right(self, key: HolderKey, *, most: int, at: datetime) -> None:
        if self.counts.pop((key.issuer, key.serial)) > most:
            self.log.append(("unlocked", key.holder))
        self.unlocks.pop((key.issuer, key.serial), None)

    def wrong(self, key: HolderKey, *, most: int, at: datetime) -> None:
        self.log.append(("wrong", key.holder))

    def take_back(self, key: HolderKey) -> None:
        self.counts[key.issuer, key.serial] -= 1

    def wrong_so_far(self, key: HolderKey) -> int:
        return self.counts.get((key.issuer, key.serial), 0)

    def grant_unlock(self, key: HolderKey, *, by: str, code_sha256: bytes, tries: int, until: datetime, at: datetime) -> None:
        self.unlocks[key.issuer, key.serial] = (by, code_sha256, tries, until)
        self.log.append(("unlock_granted", key.holder))

    def reset(self, key: HolderKey, *, by: str, at: datetime) -> None:
        self.log.append(("reset", key.holder))
