"""The record service: the moves of the life cycle, each saved with its log entries in one transaction, and the signing of many records.

>>> service = RecordService(records=store, documents=store, authorisations=store, exporter=exporter, clock=now)  # doctest: +SKIP
>>> authorisation = service.authorise(ids, step="homeroom", by=teacher, lifetime=timedelta(minutes=15))         # doctest: +SKIP
>>> for result in service.sign(authorisation, by=teacher, signer=signer, time_stamper=tsa):                    # doctest: +SKIP
...     print(result.record_id, result.error or "signed")

Who a person is and whether the PIN is right have been settled before; `by` says in which role they act.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache, partial

from pki.errors import PkiError
from pki.ports import Clock, TimeStamper
from records.authorisations import Authorisations
from records.canonical import record_json
from records.contention import ATTEMPTS, retried
from records.errors import RecordsError, StaleRecordError, StepOrderError
from records.export import Exporter
from records.lifecycle import record_signature
from records.moves import RecordMoves
from records.ports import AuthorisationStore, Document, DocumentKind, DocumentStore, RecordStore, SpentItem
from records.record import Record
from records.state import Actor, RecordState
from signing.applying.appearance import AppearanceRenderer
from signing.applying.authorisation import Authorisation, AuthorisedItem
from signing.applying.batch import BatchItem, BatchResult, BatchSigner, seal_batch, sign_batch
from signing.errors import SigningError
from signing.ports import ValidationDataSource
from signing.workflow import Workflow, parse_manifest

EXPORTS_REMEMBERED = 64  # of about 100 kB: a class between its preview and its signature
_NO_SIGNATURE_YET = "0" * 64

Batch = Callable[[Iterable[BatchItem]], Iterator[BatchResult]]


@dataclass(frozen=True)
class StepResult:
    """What became of one record in a run: its new state and PDF, or why there is none."""

    record_id: str
    state: RecordState | None = None
    pdf: bytes | None = field(default=None, repr=False)
    error: RecordsError | SigningError | PkiError | None = None


class RecordService(RecordMoves):
    """Loads a state, makes a pure move, saves state and entries together. Safe to share between threads as far as its stores are."""

    def __init__(
        self, *, records: RecordStore, documents: DocumentStore, authorisations: AuthorisationStore, exporter: Exporter, clock: Clock
    ) -> None:
        super().__init__(records=records, clock=clock)
        self._documents = documents
        self.authorisations = Authorisations(authorisations, clock)
        # exporting is repeatable to the octet, so remembering it is invisible
        self._export: Callable[[Record, Workflow], bytes] = lru_cache(maxsize=EXPORTS_REMEMBERED)(exporter.export)

    def export(self, record_id: str) -> bytes:
        """The unsigned PDF of the working version: the one kept with its first signature, or, before that, set anew."""
        return self._unsigned(self._records.load(record_id))

    def document(self, record_id: str) -> bytes:
        """The PDF of the working version with the signatures so far."""
        return self._so_far(self._records.load(record_id))

    def authorise(self, record_ids: Iterable[str], *, step: str, by: Actor, lifetime: timedelta) -> Authorisation:
        """What `by` agrees to sign: exactly these exports, once each; kept and logged. Raises where a record is not ready for the step."""
        now = self._clock()
        items = []
        for record_id in record_ids:
            state = self._records.load(record_id)
            record_signature(state, step, by=by, at=now, document_sha256=_NO_SIGNATURE_YET)
            digest = hashlib.sha256(self._unsigned(state)).digest()
            items.append(AuthorisedItem(record_id, state.working.number, digest, step))
        return self.authorisations.grant(items, by=by, lifetime=lifetime)

    def sign(self, authorisation: Authorisation, *, by: Actor, signer: BatchSigner, time_stamper: TimeStamper) -> Iterator[StepResult]:
        """Signs what is authorised and not signed yet, as :meth:`resume` does."""
        return self.resume(authorisation.id, by=by, signer=signer, time_stamper=time_stamper)

    def resume(
        self,
        authorisation_id: str,
        *,
        by: Actor,
        signer: BatchSigner,
        time_stamper: TimeStamper,
        wanted: Iterable[tuple[str, str]] | None = None,
    ) -> Iterator[StepResult]:
        """Signs what is left of an authorisation, record by record, as results are asked for; an error stops only its own record.

        An item is marked as used in the transaction that stores its output, so after a crash the same authorisation finishes the rest.
        `wanted` names pairs of record and step instead; what the authorisation does not permit is refused and logged. Raises as
        :meth:`records.authorisations.Authorisations.claim`.
        """
        authorisation = self.authorisations.claim(authorisation_id, by=by)
        renderer = AppearanceRenderer()
        left = [(item.record_id, item.step) for item in authorisation.unused]
        for record_id, step in left if wanted is None else wanted:
            attempt = partial(self._sign, authorisation, record_id, step, by, signer, time_stamper, renderer)
            try:
                result = retried(attempt)
            except (RecordsError, SigningError, PkiError) as exc:
                result = StepResult(record_id, error=exc)
            if result.error is not None:
                self.authorisations.note(authorisation.id, by=by, error=result.error, record_id=record_id)
            yield result

    def certify(
        self, record_ids: Iterable[str], *, step: str, by: Actor, signer: BatchSigner, time_stamper: TimeStamper
    ) -> Iterator[StepResult]:
        """The school's opening signature, which says what may change afterwards; those that could not be begun come last."""
        batch = partial(sign_batch, signer=signer, time_stamper=time_stamper, clock=self._clock)
        return self._by_school(record_ids, step, by, batch, closes=False)

    def seal(
        self,
        record_ids: Iterable[str],
        *,
        step: str,
        by: Actor,
        signer: BatchSigner,
        time_stamper: TimeStamper,
        validation: ValidationDataSource,
    ) -> Iterator[StepResult]:
        """Closes records with the school's seal and brings them to B-LTA; those that could not be begun come last."""
        batch = partial(seal_batch, signer=signer, time_stamper=time_stamper, validation=validation, clock=self._clock)
        return self._by_school(record_ids, step, by, batch, closes=True)

    def _sign(
        self,
        authorisation: Authorisation,
        record_id: str,
        step: str,
        by: Actor,
        signer: BatchSigner,
        time_stamper: TimeStamper,
        renderer: AppearanceRenderer,
    ) -> StepResult:
        """One record, as it stands now; raises :class:`records.errors.StaleRecordError` where somebody else saved it meanwhile."""
        state = self._records.load(record_id)
        item = authorisation.find(record_id, state.working.number, step)
        authorisation.use(item, at=self._clock())
        work = self._work(state, step, by)
        results = sign_batch(
            [work], signer=signer, time_stamper=time_stamper, clock=self._clock, authorisation=authorisation, renderer=renderer
        )
        spent = SpentItem(authorisation.id, item.record_id, item.version, item.step, self._clock())
        return self._keep(state, next(results), by, spent)

    def _by_school(self, record_ids: Iterable[str], step: str, by: Actor, batch: Batch, *, closes: bool) -> Iterator[StepResult]:
        """Runs of `batch` over records as they stand, until none was saved by somebody else in between."""
        pending = list(record_ids)
        for left in reversed(range(ATTEMPTS)):
            states: dict[str, RecordState] = {}
            refused: list[StepResult] = []
            stale: list[str] = []
            for result in batch(self._works(pending, step, by, closes, states, refused)):
                try:
                    yield self._keep(states.pop(result.id), result, by, None)
                except StaleRecordError as exc:
                    if not left:
                        yield StepResult(result.id, error=exc)
                    stale.append(result.id)
                except RecordsError as exc:
                    yield StepResult(result.id, error=exc)
            yield from refused
            pending = stale
            if not pending:
                return

    def _works(
        self, record_ids: list[str], step: str, by: Actor, closes: bool, states: dict[str, RecordState], refused: list[StepResult]
    ) -> Iterator[BatchItem]:
        """What is to be signed of each record, its state put into `states`; who cannot be begun goes into `refused`."""
        for record_id in record_ids:
            try:
                state = states[record_id] = self._records.load(record_id)
                work = self._work(state, step, by)
                found = state.workflow.step(step)
                if found is None or found.seal != closes:
                    what = "does not close the record: certify it" if closes else "closes the record: seal it"
                    raise StepOrderError(f"record {record_id}: step {step} {what}")
                yield work
            except (RecordsError, SigningError) as exc:
                refused.append(StepResult(record_id, error=exc))

    def _work(self, state: RecordState, step: str, by: Actor) -> BatchItem:
        """What is to be signed of the record; raises before any key is touched where the step is not to be signed now."""
        record_signature(state, step, by=by, at=self._clock(), document_sha256=_NO_SIGNATURE_YET)
        manifest = parse_manifest(record_json(state.working.record, state.workflow))
        return BatchItem(state.record_id, self._so_far(state), manifest, step)

    def _keep(self, state: RecordState, result: BatchResult, by: Actor, spent: SpentItem | None) -> StepResult:
        if result.document is None:
            return StepResult(result.id, error=result.error)
        first = not state.working.signed
        signed = Document(state.record_id, state.working.number, DocumentKind.SIGNED, result.document)
        moved, entries = record_signature(state, result.item.step, by=by, at=self._clock(), document_sha256=signed.sha256)
        kept = [Document(state.record_id, state.working.number, DocumentKind.EXPORT, result.item.document)] if first else []
        saved = self._records.save(moved, entries, documents=[*kept, signed], spent=spent)
        return StepResult(result.id, saved, result.document)

    def _unsigned(self, state: RecordState) -> bytes:
        if state.working.signed:
            return self._documents.get(state.record_id, state.working.number, DocumentKind.EXPORT).pdf
        return self._export(state.working.record, state.workflow)

    def _so_far(self, state: RecordState) -> bytes:
        if state.working.signed:
            return self._documents.get(state.record_id, state.working.number, DocumentKind.SIGNED).pdf
        return self._export(state.working.record, state.workflow)
