"""The demonstration's working day: a class exported, signed by its teacher and principal, sealed; one record unlocked and revised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from cli._demo_school import BASE_URL, ROLES, Cast
from config.workflows import load_workflow
from pki.keys.pin import Pin
from records.errors import OwnRequestError
from records.export import Exporter
from records.look import school_look
from records.person import Teacher
from records.record import RecordContent
from records.sample import sample_records
from records.service import RecordService, StepResult
from records.state import RecordState
from signing.applying.batch import BatchSigner

VERIFY_URL = f"{BASE_URL}/verify"
LIFETIME = timedelta(minutes=15)
Advance = Callable[[], None]


@dataclass(frozen=True)
class Office:
    """A class on its way: the service that keeps its records, the people's PINs, the seal."""

    cast: Cast
    service: RecordService
    pins: dict[str, Pin]
    seal: BatchSigner

    def open_class(self) -> tuple[str, ...]:
        """A record for each pupil of the class; returns their ids."""
        cast = self.cast
        records = sample_records(
            cast.school,
            cast.pupils,
            homeroom_teacher=cast.homeroom.name,
            prepared_at=cast.house.clock().replace(microsecond=0),
            commitments=cast.commitments(),
        )
        for record in records:
            self.service.open(record, load_workflow("school-record"), by=cast.actor(cast.homeroom))
        return tuple(record.id for record in records)

    def sign(self, ids: Sequence[str], step: str, who: Teacher, advance: Advance) -> None:
        """One authorisation, one PIN, the whole class; then the key is closed again."""
        by = self.cast.actor(who)
        authorisation = self.service.authorise(ids, step=step, by=by, lifetime=LIFETIME)
        with self.cast.holders.opened(who.id, self.pins[who.id]) as (held, key):
            look = school_look(who.name, role=ROLES[who.role], organization=self.cast.school.short_name, verify_url=VERIFY_URL)
            signer = BatchSigner(held.certificate_der, (self.cast.house.authority.issuing_der,), key, look)
            _all_done(self.service.sign(authorisation, by=by, signer=signer, time_stamper=self.cast.house.tsa), advance)

    def seal_all(self, ids: Sequence[str], advance: Advance) -> None:
        """The school's seal, then validation data and an archive time stamp: B-LTA."""
        house = self.cast.house
        results = self.service.seal(
            ids, step="seal", by=self.cast.seal, signer=self.seal, time_stamper=house.tsa, validation=house.evidence
        )
        _all_done(results, advance)

    def revise(self, record_id: str, content: RecordContent, *, reason: str) -> str:
        """The teacher asks, an administrator confirms, the teacher revises. Returns what an administrator hears who confirms their own."""
        cast, (registrar, deputy) = self.cast, self.cast.administrators
        self.service.request_unlock(record_id, by=cast.actor(registrar), reason=reason)
        try:
            self.service.confirm_unlock(record_id, by=cast.actor(registrar))
        except OwnRequestError as exc:
            refusal = str(exc)
        else:
            raise AssertionError("the requester confirmed their own unlock request")
        self.service.confirm_unlock(record_id, by=cast.actor(deputy))
        self.service.revise(record_id, content, by=cast.actor(cast.homeroom))
        return refusal

    def state(self, record_id: str) -> RecordState:
        return self.cast.house.stores.records.load(record_id)


def open_office(cast: Cast, seal: BatchSigner) -> Office:
    house = cast.house
    service = RecordService(
        records=house.stores.records,
        documents=house.stores.documents,
        authorisations=house.stores.authorisations,
        exporter=Exporter(verify_url=VERIFY_URL),
        clock=house.clock,
    )
    pins = {who.id: cast.choose_pin(who.id) for who in (cast.homeroom, cast.principal)}
    return Office(cast, service, pins, seal)


def better_mark(content: RecordContent) -> RecordContent:
    """The contents with the year's first marked subject put right: one mark, as after a complaint."""
    year = content.years[-1]
    index = next(place for place, marks in enumerate(year.marks) if marks.hk2 and marks.hk2[0].isdigit() and float(marks.hk2) <= 9)
    marks = year.marks[index]
    raised = f"{float(marks.hk2 or 0) + 0.5:.1f}"
    mended = replace(year, marks=(*year.marks[:index], replace(marks, hk2=raised), *year.marks[index + 1 :]))
    return replace(content, years=(*content.years[:-1], mended))


def write_signed(office: Office, ids: Iterable[str], folder: Path) -> None:
    """The sealed PDFs as files, named by record and version."""
    folder.mkdir(parents=True, exist_ok=True)
    for record_id in ids:
        number = office.state(record_id).working.number
        (folder / f"{record_id}.v{number}.pdf").write_bytes(office.service.document(record_id))


def _all_done(results: Iterable[StepResult], advance: Advance) -> None:
    for result in results:
        if result.error is not None:
            raise result.error
        advance()
