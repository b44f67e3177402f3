"""The record service with real signatures: a class signed under one authorisation, sealed, unlocked, revised, superseded."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import timedelta

import pikepdf
import pytest

from certs.loader import load
from records.errors import (
    AlreadySpentError,
    LifeCycleError,
    NotEntitledError,
    NotFoundError,
    OwnRequestError,
    StaleRecordError,
    StepOrderError,
)
from records.export import Exporter
from records.ledger import Event
from records.ports import DocumentKind
from records.record import RecordSchool
from records.service import RecordService
from records.state import Actor, Phase
from signing.applying.authorisation import AuthorisationError
from signing.applying.batch import BatchSigner
from signing.applying.steps import step_fields
from signing.pdf.document import Document
from signing.policy import VerificationPolicy
from signing.trust.store import NamedAnchor, TrustStore
from signing.verdict import Entitlement, Indication, RecordReference, RecordStatus
from signing.verifying.verify import verify
from signing.workflow import parse_manifest
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER
from tests.support.record_cases import OTHER_REGISTRAR, PRINCIPAL, REGISTRAR, SEAL, TEACHER, make_content, make_record
from tests.support.record_stores import MemoryRecords
from tests.support.signing_cases import make_signing_house

HOMEROOM, HEAD, REGISTRAR_A, REGISTRAR_B, SCHOOL_SEAL = (
    replace(actor, school=SCHOOL_IDENTIFIER) for actor in (TEACHER, PRINCIPAL, REGISTRAR, OTHER_REGISTRAR, SEAL)
)
IDS = ("R-1", "R-2", "R-3")
SOON = timedelta(minutes=15)


@pytest.fixture(scope="module")
def house():
    return make_signing_house()


@pytest.fixture(scope="module")
def exporter():
    return Exporter(verify_url="https://records.example/verify")


@pytest.fixture
def store():
    return MemoryRecords()


@pytest.fixture
def service(store, house, exporter, workflow):
    service = RecordService(
        records=store, documents=store, authorisations=store.authorisations, exporter=exporter, clock=house.authority.clock
    )
    for record_id in IDS:
        record = replace(make_record(record_id), school=RecordSchool(SCHOOL_IDENTIFIER, SCHOOL, "Hà Nội"))
        service.open(record, workflow, by=HOMEROOM)
    return service


@pytest.fixture
def sign(service, house):
    """Signs a step of `ids` by whoever it belongs to."""

    def run(step: str, ids=IDS, *, service=service):
        if step == "seal":
            kind = {"time_stamper": house.tsa, "validation": house.evidence}
            return list(service.seal(ids, step="seal", by=SCHOOL_SEAL, signer=signer(house, "seal"), **kind))
        by = {"homeroom": HOMEROOM, "principal": HEAD}[step]
        authorisation = service.authorise(ids, step=step, by=by, lifetime=SOON)
        return list(service.sign(authorisation, by=by, signer=signer(house, step), time_stamper=house.tsa))

    return run


def signer(house, step: str) -> BatchSigner:
    request = house.request(step)
    return BatchSigner(request.certificate_der, request.chain, request.key, request.appearance)


def signed_fields(pdf: bytes) -> list[str]:
    manifest = parse_manifest(_record_json(pdf))
    return [field.name for field in step_fields(Document.parse(pdf), manifest) if field.signed]


def _record_json(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return opened.attachments["record.json"].get_file().read_bytes()


def test_an_authorisation_names_the_exports_by_their_octets(service):
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    assert [item.export_sha256 for item in authorisation.items] == [hashlib.sha256(service.export(i)).digest() for i in IDS]
    assert authorisation.holder == "SM-GV04"


def test_nobody_authorises_anothers_step(service):
    with pytest.raises(NotEntitledError, match="step homeroom is signed by the school's teacher, got principal SM-GV01"):
        service.authorise(IDS, step="homeroom", by=HEAD, lifetime=SOON)


def test_nobody_authorises_a_step_before_its_turn(service):
    with pytest.raises(StepOrderError, match="got step principal, expected homeroom"):
        service.authorise(IDS, step="principal", by=HEAD, lifetime=SOON)


def test_a_class_is_signed_under_one_authorisation_and_locks(sign, store):
    results = sign("homeroom")
    assert [(result.record_id, result.error) for result in results] == [(record_id, None) for record_id in IDS]
    assert {store.load(record_id).phase for record_id in IDS} == {Phase.LOCKED}


def test_a_signature_is_kept_with_its_export_its_state_and_its_log(sign, store, service):
    unsigned = service.export("R-1")
    sign("homeroom")
    assert store.get("R-1", 1, DocumentKind.EXPORT).pdf == unsigned
    kept = store.get("R-1", 1, DocumentKind.SIGNED)
    assert kept.pdf.startswith(unsigned)
    assert signed_fields(kept.pdf) == ["Signature-Homeroom"]
    assert store.load("R-1").working.signed[0].document_sha256 == kept.sha256
    assert [entry.event for entry in store.log("R-1")] == [Event.OPENED, Event.SIGNED, Event.LOCKED]


def test_three_signers_complete_a_record(sign, store, service):
    for step in ("homeroom", "principal", "seal"):
        assert [result.error for result in sign(step)] == [None] * 3
    assert store.load("R-1").status_of(1) is RecordStatus.CURRENT
    assert signed_fields(service.document("R-1")) == ["Signature-Homeroom", "Signature-Principal", "Signature-Seal"]


def test_an_edit_after_the_authorisation_is_not_signed(service, house, store):
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    service.edit("R-2", make_content(maths="10.0"), by=HOMEROOM)
    results = list(service.sign(authorisation, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))
    assert [type(result.error) for result in results] == [type(None), AuthorisationError, type(None)]
    assert "the document is not the export that was authorised" in str(results[1].error)
    assert store.load("R-2").working.signed == ()


def test_an_authorisation_that_ran_out_signs_nothing(service, house, store):
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    old = replace(authorisation, granted_at=authorisation.granted_at - SOON, expires_at=authorisation.granted_at)
    store.authorisations.granted[old.id] = old
    with pytest.raises(AuthorisationError, match=f"authorisation {old.id} is not in force: it ran until"):
        list(service.sign(old, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))
    assert [refusal[:3] for refusal in store.authorisations.refusals] == [(old.id, "SM-GV04", None)]


def test_a_run_cut_short_is_finished_under_the_same_authorisation(service, house):
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    run = service.sign(authorisation, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa)
    next(run)
    run.close()
    again = list(service.sign(authorisation, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))
    assert [(result.record_id, result.error) for result in again] == [("R-2", None), ("R-3", None)]


def test_an_item_is_used_once_even_where_the_state_would_allow_it(service, house, store):
    authorisation = service.authorise(["R-1"], step="homeroom", by=HOMEROOM, lifetime=SOON)
    before = store.load("R-1")
    list(service.sign(authorisation, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))
    store.states["R-1"] = before  # as if a backup had brought the state back, but not the used items
    with pytest.raises(AlreadySpentError, match="each of its 1 items is used already"):
        list(service.sign(authorisation, by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))


@pytest.fixture
def resume(service, house):
    """What `wanted` gets under an authorisation of all three records' homeroom step, of which R-1 is signed."""
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    kind = {"by": HOMEROOM, "signer": signer(house, "homeroom"), "time_stamper": house.tsa}
    assert [result.error for result in service.resume(authorisation.id, wanted=[("R-1", "homeroom")], **kind)] == [None]

    def run(*wanted):
        return [result.error for result in service.resume(authorisation.id, wanted=wanted, **kind)]

    return run


def test_an_item_used_twice_is_refused_and_logged(resume, store):
    (error,) = resume(("R-1", "homeroom"))
    assert isinstance(error, AuthorisationError)
    assert "step homeroom of record R-1 version 1 was signed under it already" in str(error)
    assert [(by, record_id, reason) for _, by, record_id, reason in store.authorisations.refusals] == [("SM-GV04", "R-1", str(error))]


def test_another_step_is_refused_and_logged(resume, store):
    (error,) = resume(("R-2", "principal"))
    assert str(error) == "step principal of record R-2 version 1 was not authorised"
    assert len(store.authorisations.refusals) == 1


def test_another_record_is_refused_and_logged(resume, service, workflow, store):
    other = replace(make_record("R-4"), school=RecordSchool(SCHOOL_IDENTIFIER, SCHOOL, "Hà Nội"))
    service.open(other, workflow, by=HOMEROOM)
    assert [str(error) for error in resume(("R-4", "homeroom"), ("R-2", "homeroom"))] == [
        "step homeroom of record R-4 version 1 was not authorised",
        "None",
    ]
    assert [record_id for _, _, record_id, _ in store.authorisations.refusals] == ["R-4"]


def test_another_document_is_refused_and_logged(resume, service, store):
    service.edit("R-2", make_content(maths="10.0"), by=HOMEROOM)
    (error,) = resume(("R-2", "homeroom"))
    assert str(error) == "record R-2 version 1: the document is not the export that was authorised"
    assert [record_id for _, _, record_id, _ in store.authorisations.refusals] == ["R-2"]


def test_an_unknown_authorisation_signs_nothing(service, house):
    with pytest.raises(NotFoundError, match="there is no authorisation x"):
        next(service.resume("x", by=HOMEROOM, signer=signer(house, "homeroom"), time_stamper=house.tsa))


def test_an_authorisation_for_hours_is_not_granted(service):
    with pytest.raises(AuthorisationError, match="an authorisation for 1:00:00, expected 0:30:00 at most"):
        service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=timedelta(hours=1))


def test_another_persons_authorisation_is_of_no_use(service, house, store):
    authorisation = service.authorise(IDS, step="homeroom", by=HOMEROOM, lifetime=SOON)
    colleague = Actor("SM-GV05", HOMEROOM.role, HOMEROOM.school)
    with pytest.raises(NotEntitledError, match="was granted by SM-GV04, got SM-GV05"):
        list(service.sign(authorisation, by=colleague, signer=signer(house, "homeroom"), time_stamper=house.tsa))
    assert [refusal[1] for refusal in store.authorisations.refusals] == ["SM-GV05"]


def test_sealing_refuses_what_is_not_ready_and_seals_the_rest(sign, store):
    sign("homeroom")
    sign("principal", ids=["R-1", "R-3"])
    results = sign("seal")
    assert [(result.record_id, type(result.error)) for result in results] == [
        ("R-1", type(None)),
        ("R-3", type(None)),
        ("R-2", StepOrderError),
    ]


def test_a_record_is_unlocked_by_two_people_revised_and_superseded(sign, store, service):
    for step in ("homeroom", "principal", "seal"):
        sign(step, ids=["R-1"])
    service.request_unlock("R-1", by=REGISTRAR_A, reason="Nhập nhầm điểm Toán")
    with pytest.raises(OwnRequestError):
        service.confirm_unlock("R-1", by=REGISTRAR_A)
    service.confirm_unlock("R-1", by=REGISTRAR_B)
    service.revise("R-1", make_content(maths="9.5"), by=HOMEROOM)
    for step in ("homeroom", "principal", "seal"):
        assert [result.error for result in sign(step, ids=["R-1"])] == [None]
    assert (store.status("R-1", 1), store.status("R-1", 2)) == (RecordStatus.SUPERSEDED, RecordStatus.CURRENT)
    assert parse_manifest(_record_json(service.document("R-1"))).version == 2
    revised = next(entry for entry in store.log("R-1") if entry.event is Event.REVISED)
    assert [(c.path, c.old, c.new) for c in revised.changes] == [("years[2025-2026].marks[Toán].hk1", "8.5", "9.5")]


def test_what_the_service_signs_is_what_the_verifier_passes(sign, store, service, house):
    for step in ("homeroom", "principal", "seal"):
        sign(step, ids=["R-1"])
    policy = VerificationPolicy.from_mapping(load("policies", "record"), workflows=lambda name: load("policies", name))
    trust = TrustStore((NamedAnchor(house.authority.root_der, "root"),))
    verdict = verify(service.document("R-1"), policy, trust=trust, at=house.authority.clock(), records=store)
    assert (verdict.indication, verdict.entitlement) == (Indication.TOTAL_PASSED, Entitlement.COMPLETE)
    assert verdict.record == RecordReference("R-1", 1, RecordStatus.CURRENT)


def test_a_refused_unlock_lets_signing_go_on(sign, service):
    sign("homeroom")
    service.request_unlock("R-1", by=HOMEROOM, reason="?")
    assert isinstance(sign_error(sign, "principal"), LifeCycleError)
    service.refuse_unlock("R-1", by=REGISTRAR_A, reason="Điểm đúng")
    assert sign("principal", ids=["R-1"])[0].error is None


def sign_error(sign, step: str) -> Exception | None:
    try:
        return sign(step, ids=["R-1"])[0].error
    except LifeCycleError as exc:
        return exc


def test_an_unlock_without_a_revision_locks_again(sign, service, store):
    sign("homeroom")
    service.request_unlock("R-1", by=HOMEROOM, reason="?")
    service.confirm_unlock("R-1", by=REGISTRAR_A)
    service.relock("R-1", by=REGISTRAR_A)
    assert store.load("R-1").phase is Phase.LOCKED


def test_a_withdrawn_record_is_marked(sign, service, store):
    for step in ("homeroom", "principal", "seal"):
        sign(step, ids=["R-1"])
    service.withdraw("R-1", by=HEAD, reason="Cấp nhầm")
    assert store.status("R-1", 1) is RecordStatus.WITHDRAWN


def test_who_saves_second_is_told(service, store, workflow):
    with pytest.raises(StaleRecordError, match="record R-1 is at revision 1, expected 0"):
        service.open(replace(make_record("R-1"), school=RecordSchool(SCHOOL_IDENTIFIER, SCHOOL, "Hà Nội")), workflow, by=HOMEROOM)


def test_an_unknown_record_is_not_found(service):
    with pytest.raises(NotFoundError, match="record R-9 is not in the books"):
        service.document("R-9")
