"""What bulk issuance asks of the outside: a store, and a workshop that makes keys. `db.bulk` and `records.bulk_workshop` are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pki.issuing.press import PreparedCertificate
from records.bulk import Batch, ChunkState, Place, Progress, Refusal
from records.bulk_making import Job, Made, NotMade
from records.key_ports import HolderKey
from records.person import Person


@dataclass(frozen=True)
class Applicant:
    """A person of a chunk as the roster has them now. `person` is None where it knows them no more."""

    place: Place
    person: Person | None
    wrapped_code: bytes | None = field(repr=False)
    blocked: bool
    certified: bool
    """Has a certificate in force: issued or suspended, and not at its end."""


@dataclass(frozen=True)
class Candidate:
    """A person who may come into a batch, as the books have them now. `waiting_in` is another batch in which they wait."""

    person: Person
    wrapped_code: bytes | None = field(repr=False)
    blocked: bool
    certified: bool
    """As for :class:`Applicant`."""
    waiting_in: str | None


@dataclass(frozen=True)
class Chunk:
    """What is left to do of a chunk. `attempt` is the newest that was made at it."""

    batch_id: str
    number: int
    state: ChunkState
    attempt: str | None


@dataclass(frozen=True)
class SignedCertificate:
    """What goes into the books in the end: the certificate and the wrapped key that goes with it."""

    prepared: PreparedCertificate
    certificate_der: bytes
    key: HolderKey


class BulkStore(Protocol):
    """Batches and their chunks. Each method is one transaction, durable when it returns."""

    def submit(self, batch: Batch, places: Sequence[Place]) -> None:
        """Raises :class:`records.bulk.BulkError` where a person waits in another batch."""
        ...

    def get(self, batch_id: str) -> Batch:
        """Raises :class:`records.errors.NotFoundError`."""
        ...

    def batches(self) -> tuple[Batch, ...]:
        """Oldest first."""
        ...

    def release_lapsed(self, *, at: datetime) -> None:
        """Who waits in a batch that can start no more, because nobody approved it, waits no longer: another batch may take them."""
        ...

    def candidates(self, ids: Sequence[str], *, at: datetime) -> Sequence[Candidate]:
        """Those of `ids` whom the roster knows, sorted by id."""
        ...

    def requested(self, batch_id: str, request_id: str) -> None:
        """Notes the request for its approval; raises :class:`records.bulk.BulkError` where the batch has been started."""
        ...

    def start(self, batch_id: str, *, sheets: str, workflow_id: str, at: datetime) -> None:
        """SUBMITTED to RUNNING, once, in the transaction that redeems the approval. Raises :class:`records.bulk.BulkError`."""
        ...

    def carry_on(self, batch_id: str, *, workflow_id: str, instead_of: str) -> bool:
        """A new workflow in place of one that failed; False where somebody else has put one there first."""
        ...

    def places(self, batch_id: str, *, after: int = -1, limit: int) -> Sequence[Place]:
        """By position, from beyond `after`."""
        ...

    def chunk(self, batch_id: str, number: int) -> Chunk: ...

    def open_chunks(self, batch_id: str) -> tuple[int, ...]:
        """Numbers of the chunks that are not done, in order."""
        ...

    def applicants(self, batch_id: str, number: int, *, at: datetime) -> Sequence[Applicant]:
        """Those of a chunk who still wait, by position."""
        ...

    def record(
        self, chunk: Chunk, attempt: str, prepared: Sequence[PreparedCertificate], refusals: Sequence[Refusal], *, at: datetime
    ) -> None:
        """Move 2 for a whole chunk, in ONE transaction: enters every certificate, and makes `attempt` the chunk's newest.

        What the attempt before it recorded and did not issue is revoked. Raises :class:`records.bulk.SupersededError` where the chunk
        is not as `chunk` says any more, and :class:`pki.errors.DuplicateSerialError`; then nothing is kept.
        """
        ...

    def require_recorded(self, chunk: Chunk, attempt: str, prepared: Sequence[PreparedCertificate]) -> None:
        """Asked before anything is signed. Raises :class:`records.bulk.SupersededError` unless all stand recorded, octet for octet."""
        ...

    def issue(self, chunk: Chunk, attempt: str, signed: Sequence[SignedCertificate], *, at: datetime) -> None:
        """Move 3 for a whole chunk, in ONE transaction: certificates, wrapped keys, log entries, and what became of each person.

        Raises :class:`records.bulk.SupersededError` where `attempt` is not the newest, a certificate is no longer merely recorded, or
        somebody has got another certificate meanwhile; then nothing is kept.
        """
        ...

    def sheets(self, batch_id: str, number: int) -> tuple[str, ...]:
        """Names of the sheets on which somebody stands to whom the chunk has issued."""
        ...

    def done(self, batch_id: str, number: int) -> None:
        """An issued chunk's sheets are in place."""
        ...

    def finish(self, batch_id: str, *, at: datetime) -> None:
        """Marks a batch as done whose chunks all are; raises :class:`records.bulk.BulkError` where one is not."""
        ...

    def progress(self, batch_id: str) -> Progress: ...

    def refusals(self, batch_id: str) -> tuple[Refusal, ...]:
        """By position."""
        ...


class Workshop(Protocol):
    """Makes keys and to-be-signed certificates, several chunks at a time."""

    def begin(self, jobs: Sequence[Job], *, at: datetime) -> Future[list[Made | NotMade]]: ...
