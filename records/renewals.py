"""Keeping the archive: every signed document gets its next archive time stamp in time, once.

    for result in Renewals(archive=store, documents=documents, time_stamper=tsa, validation=evidence, clock=utc_now).run():
        print(result.record_id, result.renewal, result.error or "")

There is no queue. What is to be done is read off the documents themselves, and each is replaced in one transaction on the condition that
it is still the one that was read: a run that dies loses the document at hand and no other, and the next run goes on from what stands
(docs/adr/0010-renewal-without-a-queue.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pki.errors import PkiError
from pki.ports import Clock, TimeStamper
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy
from records.errors import RecordsError, StaleRecordError
from records.ledger import Event, LogEntry
from records.ports import ArchivedDocument, ArchiveStore, Document, DocumentKind, DocumentStore
from signing.applying.archive import renew
from signing.applying.renewal import HORIZON, Hold, Renewal, decide, hold_of_certificates, hold_of_document
from signing.errors import SigningError
from signing.pdf.document import Document as Pdf
from signing.ports import ValidationDataSource

PAGE = 200  # documents listed at a time
ACTOR = "renewal"  # in the log: nobody's doing, the clock's
_START = ("", 0)


@dataclass(frozen=True)
class RenewalResult:
    """What became of one document whose time stamp ends soon. `renewal` DUE without an error: it has the next one, until `until`."""

    record_id: str
    version: int
    renewal: Renewal | None
    until: datetime | None = None
    error: RecordsError | SigningError | PkiError | None = None

    @property
    def renewed(self) -> bool:
        return self.renewal is Renewal.DUE and self.error is None


@dataclass(frozen=True)
class Renewals:
    """Safe to run twice at once, and to kill: a document gets one new time stamp however often it is tried."""

    archive: ArchiveStore
    documents: DocumentStore
    time_stamper: TimeStamper
    validation: ValidationDataSource
    clock: Clock
    policy: AlgorithmPolicy = MODERN

    def run(self, *, horizon: timedelta = HORIZON, look_only: bool = False) -> Iterator[RenewalResult]:
        """Documents whose time stamp ends within `horizon`, as they are dealt with. An error stops only its own.

        With `look_only` no document is changed.
        """
        yield from self._read_new()
        offered = hold_of_certificates(self.time_stamper.certificates)
        by = self.clock() + horizon
        endless = datetime.max.replace(tzinfo=by.tzinfo)
        retiring = [names for names in self.archive.algorithms() if Hold(endless, names).until(self.policy) <= by]

        def page(after: tuple[str, int]) -> Sequence[ArchivedDocument]:
            return self.archive.ending(by=by, retiring=retiring, after=after, limit=PAGE)

        for found in _all(page):
            if found.hold is None:
                continue
            decision = decide(found.hold, offered=offered, at=self.clock(), horizon=horizon, policy=self.policy)
            if decision is Renewal.HOLDS:
                continue
            if decision is not Renewal.DUE or look_only:
                yield RenewalResult(found.record_id, found.version, decision, found.hold.until(self.policy))
            elif (result := self._renew(found, offered)) is not None:
                yield result

    def _read_new(self) -> Iterator[RenewalResult]:
        """Notes the holds of documents that were signed, or renewed elsewhere, since the last run."""
        for found in _all(lambda after: self.archive.unread(after=after, limit=PAGE)):
            try:
                pdf = self.documents.get(found.record_id, found.version, DocumentKind.SIGNED)
                self.archive.note([ArchivedDocument(found.record_id, found.version, pdf.sha256, hold_of_document(Pdf.parse(pdf.pdf)))])
            except (RecordsError, SigningError, PkiError) as exc:
                yield RenewalResult(found.record_id, found.version, None, error=exc)

    def _renew(self, found: ArchivedDocument, offered: Hold) -> RenewalResult | None:
        """None where another run was quicker."""
        try:
            old = self.documents.get(found.record_id, found.version, DocumentKind.SIGNED)
            if old.sha256 != found.sha256:
                return None
            pdf = renew(old.pdf, time_stamper=self.time_stamper, validation=self.validation)
            renewed = Document(found.record_id, found.version, DocumentKind.SIGNED, pdf)
            hold = hold_of_document(Pdf.parse(pdf)) or offered
            details = (("document_sha256", renewed.sha256), ("previous_sha256", old.sha256))
            entry = LogEntry(Event.RENEWED, found.record_id, found.version, ACTOR, self.clock(), details)
            self.archive.replace(found, renewed, hold, entry=entry)
        except StaleRecordError:
            return None
        except (RecordsError, SigningError, PkiError) as exc:
            return RenewalResult(found.record_id, found.version, Renewal.DUE, error=exc)
        return RenewalResult(found.record_id, found.version, Renewal.DUE, hold.until(self.policy))


def _all(page: Callable[[tuple[str, int]], Sequence[ArchivedDocument]]) -> Iterator[ArchivedDocument]:
    after = _START
    while found := page(after):
        yield from found
        after = (found[-1].record_id, found[-1].version)
