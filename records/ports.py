"""What the school's books ask of the outside: stores. `db` implements them; each method is one transaction, durable when it returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pki.ports import Clock
from records.blocked import Blocked
from records.ledger import LogEntry
from records.person import Person, School, Student, Teacher
from records.state import RecordState
from signing.applying.authorisation import Authorisation
from signing.applying.renewal import Hold

__all__ = [
    "ArchiveStore",
    "ArchivedDocument",
    "AuthorisationStore",
    "Clock",
    "Document",
    "DocumentKind",
    "DocumentStore",
    "HolderKey",
    "HolderKeyStore",
    "PinAttemptStore",
    "RecordStore",
    "RosterStore",
    "Saved",
    "SpentItem",
]


class DocumentKind(StrEnum):
    EXPORT = "export"
    """The unsigned export that authorisations name by its SHA-256; kept with the first signature on it, never replaced."""
    SIGNED = "signed"
    """The export with the signatures so far; replaced by each further signature."""


@dataclass(frozen=True)
class Document:
    """A PDF of one version of a record."""

    record_id: str
    version: int
    kind: DocumentKind
    pdf: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Lower-case hexadecimal."""
        return hashlib.sha256(self.pdf).hexdigest()


@dataclass(frozen=True)
class SpentItem:
    """An item of an authorisation (design.md, idea 8): good for one signature on one version. The first four fields are its key."""

    authorisation_id: str
    record_id: str
    version: int
    step: str
    at: datetime = field(compare=False)
    """When it is used; for the log."""


class RecordStore(Protocol):
    """Records and their log."""

    def load(self, record_id: str) -> RecordState:
        """Raises :class:`records.errors.NotFoundError`."""
        ...

    def save(
        self,
        state: RecordState,
        entries: Sequence[LogEntry],
        *,
        documents: Sequence[Document] = (),
        spent: SpentItem | None = None,
    ) -> RecordState:
        """Keeps state, log entries, documents and the used item in ONE transaction; returns `state` with the next `revision`.

        Raises :class:`records.errors.StaleRecordError` unless the stored revision equals `state.revision` (0: not stored yet)
        and :class:`records.errors.AlreadySpentError` where `spent` was used before; then nothing at all is kept.
        """
        ...

    def log(self, record_id: str) -> tuple[LogEntry, ...]:
        """Oldest first; empty where the record is not known."""
        ...

    def ids(self) -> tuple[str, ...]:
        """Every record's id, sorted."""
        ...


class DocumentStore(Protocol):
    """PDFs. Writing goes through :meth:`RecordStore.save`, so that a document never stands without its state."""

    def get(self, record_id: str, version: int, kind: DocumentKind) -> Document:
        """Raises :class:`records.errors.NotFoundError`."""
        ...


@dataclass(frozen=True)
class ArchivedDocument:
    """A signed document as the books list it, and until when its outermost archive time stamp holds (None: it has none)."""

    record_id: str
    version: int
    sha256: str
    """Lower-case hexadecimal."""
    hold: Hold | None = None


class ArchiveStore(Protocol):
    """Signed documents by how long their archive time stamps hold. Each method is one transaction."""

    def unread(self, *, after: tuple[str, int], limit: int) -> Sequence[ArchivedDocument]:
        """Signed documents whose hold is not noted as they stand now, sorted by record and version, from beyond `after`."""
        ...

    def note(self, found: Sequence[ArchivedDocument]) -> None: ...

    def algorithms(self) -> Sequence[tuple[str, ...]]:
        """Every combination that a noted hold uses."""
        ...

    def ending(
        self, *, by: datetime, retiring: Sequence[tuple[str, ...]], after: tuple[str, int], limit: int
    ) -> Sequence[ArchivedDocument]:
        """Noted documents whose hold ends at or before `by`, or uses a combination in `retiring`; sorted and paged as :meth:`unread`."""
        ...

    def replace(self, old: ArchivedDocument, renewed: Document, hold: Hold, *, entry: LogEntry) -> None:
        """Keeps `renewed` in place of `old`, with its hold and the log entry, in ONE transaction.

        Raises :class:`records.errors.StaleRecordError` where the document is not `old` any more; then nothing is kept.
        """
        ...


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


@dataclass(frozen=True)
class HolderKey:
    """A person's certificate with their private key, wrapped under a PIN or activation code and under the key-encryption key."""

    holder: str
    """Roster id."""
    issuer: str
    serial: int
    certificate_der: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    """As `pki.keys.holderkey` writes it: opaque here."""
    activated: bool
    """False while the key is under its one-time activation code."""
    created_at: datetime
    commitment: bytes | None = None
    """Pseudonymous certificates: the commitment of :mod:`pki.identity.commitment`, 32 octets, as the certificate carries it."""
    wrapped_opening: bytes | None = field(default=None, repr=False)
    """The opening under the key-encryption key; given to the holder alone."""


class HolderKeyStore(Protocol):
    def put(self, key: HolderKey) -> None:
        """Adds, or replaces the entry of the same holder, issuer and serial (activation, change of PIN)."""
        ...

    def get(self, holder: str) -> HolderKey:
        """The holder's key in use: the newest that is activated and whose certificate was not revoked, else the newest of all.

        So a person signs with the old key until they have activated the one that replaces it. Raises NotFoundError where there is none.
        """
        ...

    def of_holder(self, holder: str) -> tuple[HolderKey, ...]:
        """Oldest first."""
        ...


class AuthorisationStore(Protocol):
    """What people agreed to sign. Items are marked as used by :meth:`RecordStore.save`, in the transaction that stores the output."""

    def grant(self, authorisation: Authorisation) -> None:
        """Keeps it and writes `authorisation.granted` to the log."""
        ...

    def load(self, authorisation_id: str) -> Authorisation:
        """With the items used so far. Raises :class:`records.errors.NotFoundError`."""
        ...

    def standing(self, *, at: datetime, holder: str | None = None) -> tuple[Authorisation, ...]:
        """Those not expired with something left to sign, oldest first; of one holder, or of everybody."""
        ...

    def spend(self, item: SpentItem) -> None:
        """Marks an item as used whose output the books do not keep. Raises :class:`records.errors.AlreadySpentError`."""
        ...

    def refused(self, authorisation_id: str, *, by: str, reason: str, at: datetime, record_id: str | None = None) -> None:
        """Writes `authorisation.refused` to the log: somebody tried what it does not, or no longer, permit."""
        ...


class PinAttemptStore(Protocol):
    """How often a key's PIN was tried. One count for each holder, issuer and serial: a new key starts with none."""

    def begin(self, key: HolderKey, *, most: int, at: datetime) -> bool:
        """Counts an attempt BEFORE the PIN is tried, so that no crash gives one for free; False where `most` are counted already."""
        ...

    def begin_unlocking(self, key: HolderKey, *, code_sha256: bytes, at: datetime) -> bool:
        """Takes one of the tries that :meth:`grant_unlock` gave; False where code or time is wrong, or none is left."""
        ...

    def right(self, key: HolderKey, *, most: int, at: datetime) -> None:
        """Clears the count and any unlock; `pin.unlocked` goes to the log where `most` were counted before this attempt."""
        ...

    def wrong(self, key: HolderKey, *, most: int, at: datetime) -> None:
        """Writes `pin.wrong` to the log, with `locked` true where `most` are counted now."""
        ...

    def take_back(self, key: HolderKey) -> None:
        """Uncounts an attempt whose PIN was not tried after all, for another fault."""
        ...

    def wrong_so_far(self, key: HolderKey) -> int:
        """Attempts counted since the last right one."""
        ...

    def grant_unlock(self, key: HolderKey, *, by: str, code_sha256: bytes, tries: int, until: datetime, at: datetime) -> None:
        """Replaces any earlier unlock and writes `pin.unlock_granted` to the log. The count stays."""
        ...

    def reset(self, key: HolderKey, *, by: str, at: datetime) -> None:
        """Writes `pin.reset` to the log: `key` is the new one that replaces a key whose PIN was forgotten."""
        ...
