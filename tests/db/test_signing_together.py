"""Teachers who sign one record at the same moment: every signature ends up in it, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from db.authorisations import Authorisations
from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database
from db.records import Records
from records.errors import StaleRecordError
from records.export import Exporter
from records.lifecycle import open_record
from records.person import Role
from records.ports import Document, DocumentKind, SpentItem
from records.record import Record, RecordSchool
from records.service import RecordService, StepResult
from records.state import Actor, Phase, RecordState
from signing.applying.batch import BatchSigner
from signing.verdict import Indication
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER
from tests.support.record_cases import NOW, TEACHER, make_record
from tests.support.subject_cases import SUBJECTS, VERIFY_PAGE, SubjectHouse, make_subject_house
from tests.support.verify_cases import RecordHouse

SEAL = Actor("seal", Role.SCHOOL_SEAL, SCHOOL_IDENTIFIER)
PARALLEL = [step.id for step in SUBJECTS.steps if step.after == ("export",)]


class Together:
    """A :class:`records.ports.RecordStore` in which nobody saves before all of `party` have loaded: the worst moment, every time."""

    def __init__(self, records: Records, party: int) -> None:
        self._records = records
        self._barrier = threading.Barrier(party)
        self.stale = 0
        self._first = threading.local()

    def load(self, record_id: str) -> RecordState:
        return self._records.load(record_id)

    def save(self, state: RecordState, entries, *, documents=(), spent: SpentItem | None = None) -> RecordState:  # type: ignore[no-untyped-def]
        if not getattr(self._first, "done", False) and spent is not None:
            self._first.done = True
            self._barrier.wait(timeout=60)
        try:
            return self._records.save(state, entries, documents=documents, spent=spent)
        except StaleRecordError:
            self.stale += 1
            raise


@pytest.fixture(scope="module")
def house() -> SubjectHouse:
    return make_subject_house(minutes=False)


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> tuple[Records, Documents, Authorisations]:
    content = ContentFolder(tmp_path / "documents")
    return Records(database, content), Documents(database, content), Authorisations(database)


def service_over(records: object, kept: tuple[Records, Documents, Authorisations], house: SubjectHouse) -> RecordService:
    return RecordService(
        records=records,  # type: ignore[arg-type]  # a store of ours around the real one
        documents=kept[1],
        authorisations=kept[2],
        exporter=Exporter(verify_url=VERIFY_PAGE),
        clock=house.house.authority.clock,
    )


def actor(step: str) -> Actor:
    role = SUBJECTS.step(step)
    assert role is not None
    return Actor(f"who-signs-{step}", Role(role.role), SCHOOL_IDENTIFIER)


def signer(house: SubjectHouse, step: str) -> BatchSigner:
    found = SUBJECTS.step(step)
    assert found is not None
    request = house.request(found)
    return BatchSigner(request.certificate_der, request.chain, request.key, request.appearance)


def signed(service: RecordService, house: SubjectHouse, record_id: str, step: str) -> StepResult:
    by = actor(step)
    authorisation = service.authorise([record_id], step=step, by=by, lifetime=timedelta(minutes=15))
    (result,) = service.sign(authorisation, by=by, signer=signer(house, step), time_stamper=house.house.tsa)
    return result


def certified(service: RecordService, house: SubjectHouse) -> str:
    record = make_record()
    school = RecordSchool(SCHOOL_IDENTIFIER, SCHOOL, "Thành phố Hà Nội")
    record = Record(record.id, 1, school, record.prepared_at, record.content)
    service.open(record, SUBJECTS, by=actor("literature"))
    (result,) = service.certify([record.id], step="export", by=SEAL, signer=signer(house, "export"), time_stamper=house.house.tsa)
    assert result.error is None
    return record.id


@pytest.mark.parametrize("party", [2, len(PARALLEL)], ids=["two", "twelve"])
def test_signatures_of_the_same_moment_all_end_up_in_the_record(
    kept: tuple[Records, Documents, Authorisations], house: SubjectHouse, party: int
) -> None:
    record_id = certified(service_over(kept[0], kept, house), house)
    together = Together(kept[0], party)
    service = service_over(together, kept, house)
    with ThreadPoolExecutor(party) as threads:
        results = list(threads.map(lambda step: signed(service, house, record_id, step), PARALLEL[:party]))
    assert [result.error for result in results] == [None] * party
    assert together.stale >= party - 1  # they did collide
    state = kept[0].load(record_id)
    assert {done.step for done in state.working.signed} == {"export", *PARALLEL[:party]}
    verdict = RecordHouse(house.house).judge(service.document(record_id))
    assert len(verdict.signatures) == party + 1
    assert verdict.entitlement.value == "incomplete"
    assert [m.code for m in verdict.messages] == ["STEPS_MISSING"]  # nothing else is wrong
    assert all(s.indication is Indication.INDETERMINATE and s.messages[0].code == "ENTITLEMENT_INCOMPLETE" for s in verdict.signatures)


def test_the_same_step_signed_twice_at_once_stands_once(kept: tuple[Records, Documents, Authorisations], house: SubjectHouse) -> None:
    record_id = certified(service_over(kept[0], kept, house), house)
    service = service_over(Together(kept[0], 2), kept, house)
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda step: signed(service, house, record_id, step), ["music", "music"]))
    errors = [str(result.error) for result in results if result.error is not None]
    assert len(errors) == 1
    assert "step music is already signed" in errors[0]


def test_a_whole_record_is_signed_and_locks_at_the_homeroom_teacher(
    kept: tuple[Records, Documents, Authorisations], house: SubjectHouse
) -> None:
    service = service_over(kept[0], kept, house)
    record_id = certified(service, house)
    for step in reversed(PARALLEL):
        assert signed(service, house, record_id, step).error is None
        assert kept[0].load(record_id).phase is Phase.OPEN
    result = signed(service, house, record_id, "homeroom")
    assert result.state is not None
    assert result.state.phase is Phase.LOCKED
    assert signed(service, house, record_id, "principal").error is None
    (sealed,) = service.seal(
        [record_id], step="seal", by=SEAL, signer=signer(house, "seal"), time_stamper=house.house.tsa, validation=house.house.evidence
    )
    assert sealed.error is None
    verdict = RecordHouse(house.house).judge(service.document(record_id))
    assert verdict.indication is Indication.TOTAL_PASSED
    assert {one.level for one in verdict.signatures} == {"PAdES-BASELINE-LTA"}


def test_a_store_that_is_always_stale_is_given_up(kept: tuple[Records, Documents, Authorisations], house: SubjectHouse) -> None:
    class Stale:
        def load(self, record_id: str) -> RecordState:
            return kept[0].load(record_id)

        def save(self, *_: object, documents: tuple[Document, ...] = (), spent: SpentItem | None = None) -> RecordState:
            raise StaleRecordError("somebody else was first")

    record_id = certified(service_over(kept[0], kept, house), house)
    result = signed(service_over(Stale(), kept, house), house, record_id, "music")
    assert isinstance(result.error, StaleRecordError)


def test_certifying_is_not_sealing(kept: tuple[Records, Documents, Authorisations], house: SubjectHouse) -> None:
    service = service_over(kept[0], kept, house)
    record_id = certified(service, house)
    (result,) = service.certify([record_id], step="export", by=SEAL, signer=signer(house, "export"), time_stamper=house.house.tsa)
    assert "step export is already signed" in str(result.error)
    (result,) = service.seal(
        [record_id], step="seal", by=SEAL, signer=signer(house, "seal"), time_stamper=house.house.tsa, validation=house.house.evidence
    )
    assert "got step seal, expected literature or mathematics or" in str(result.error)


def test_a_document_that_is_replaced_while_it_is_read_is_read_anew(database: Database, tmp_path: Path) -> None:
    content = ContentFolder(tmp_path / "documents")
    records = Records(database, content)
    state = records.save(open_record(make_record(), SUBJECTS, by=TEACHER, at=NOW)[0], [])
    name = state.record_id
    state = records.save(state, [], documents=[Document(name, 1, DocumentKind.SIGNED, b"%PDF first")])

    class Overtaken:
        """The folder, in which the document is replaced right before it is first read."""

        done = False

        def get(self, path: PurePosixPath, *, sha256: str) -> bytes:
            if not self.done:
                self.done = True
                records.save(state, [], documents=[Document(name, 1, DocumentKind.SIGNED, b"%PDF second")])
            return content.get(path, sha256=sha256)

    read = Documents(database, Overtaken())  # type: ignore[arg-type]  # a folder of ours around the real one
    assert read.get(name, 1, DocumentKind.SIGNED).pdf == b"%PDF second"
