"""What records, their documents and authorisations ask of the outside: stores. `db` implements them; each method is one transaction,
durable when it returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pki.ports import Clock
from records.ledger import LogEntry
from records.state import Phase, RecordState
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
    "RecordStore",
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

    def all(self, *, school: str | None = None, phase: Phase | None = None) -> Iterator[RecordState]:
        """Every record, sorted by id and read a page at a time; or only a school's (its organizationIdentifier), or those in a phase."""
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
