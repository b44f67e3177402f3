from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from pki.errors import PkiError
from pki.structures.cms import SIGNATURE_TIME_STAMP
from pki.structures.tsp import parse_time_stamp_token
from signing.applying.authorisation import Authorisation, AuthorisationError, AuthorisedItem, check
from signing.applying.batch import BatchItem, BatchResult, BatchSigner, seal_batch, sign_batch
from signing.applying.form import signature_fields
from signing.applying.recheck import BrokenSignatureError, recheck
from signing.applying.sign import sign
from signing.applying.steps import check_step
from signing.applying.writer import Update
from signing.errors import WorkflowError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref
from tests.support.authority import MOMENT
from tests.support.signing_cases import MANIFEST, SigningHouse, canonical_pdf, foreign_pdf, make_signing_house


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    return make_signing_house()


def items(step: str, documents: list[bytes]) -> list[BatchItem]:
    return [
        BatchItem(f"doc-{number}", document, replace(MANIFEST, record_id=f"R-{number}"), step) for number, document in enumerate(documents)
    ]


def signer(house: SigningHouse, step: str) -> BatchSigner:
    request = house.request(step)
    return BatchSigner(request.certificate_der, request.chain, request.key, request.appearance)


def run(house: SigningHouse, step: str, given: list[BatchItem], **changes: object) -> list[BatchResult]:
    arguments: dict[str, object] = {"signer": signer(house, step), "time_stamper": house.tsa, "clock": house.authority.clock}
    return list(sign_batch(given, **{**arguments, **changes}))  # type: ignore[arg-type]


def signed(results: list[BatchResult]) -> list[bytes]:
    assert [result.error for result in results] == [None] * len(results)
    return [result.document for result in results if result.document is not None]


def authorisation(given: list[BatchItem], at: datetime = MOMENT) -> Authorisation:
    named = tuple(AuthorisedItem(i.manifest.record_id, i.manifest.version, hashlib.sha256(i.document).digest(), i.step) for i in given)
    return Authorisation("A-1", "holder-1", at, at + timedelta(minutes=10), named)


def test_every_document_gets_a_result_in_order(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(seed) for seed in range(3)])
    results = run(house, "homeroom", given)
    assert [result.id for result in results] == ["doc-0", "doc-1", "doc-2"]
    for document in signed(results):
        parsed = Document.parse(document)
        recheck(parsed, next(field for field in signature_fields(parsed) if field.signed))


def test_an_error_stops_only_its_own_document(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(0), b"not a PDF", foreign_pdf(), canonical_pdf(1)])
    results = run(house, "homeroom", given)
    assert [result.error is None for result in results] == [True, False, False, True]
    assert "not a PDF" in str(results[1].error)
    assert "field 'Signature-Homeroom' exists 0 times" in str(results[2].error)


def test_results_come_as_they_are_asked_for(house: SigningHouse) -> None:
    asked: list[str] = []

    def feed() -> Iterator[BatchItem]:
        for item in items("homeroom", [canonical_pdf(0), canonical_pdf(1)]):
            asked.append(item.id)
            yield item

    results = sign_batch(feed(), signer=signer(house, "homeroom"), time_stamper=house.tsa, clock=house.authority.clock)
    next(results)
    assert asked == ["doc-0"]


def test_repeated_run_returns_documents_as_they_are(house: SigningHouse) -> None:
    first = signed(run(house, "homeroom", items("homeroom", [canonical_pdf(0)])))
    (again,) = run(house, "homeroom", items("homeroom", first))
    assert again.repeated
    assert again.document == first[0]


def test_step_signed_by_someone_else_is_an_error(house: SigningHouse) -> None:
    other = house.authority.issue_teacher("Đỗ Thị Lan")
    request = house.request("homeroom", certificate_der=other.certificate_der, key=other.key)
    (result,) = run(house, "homeroom", items("homeroom", [sign(canonical_pdf(), request, time_stamper=None)]))
    assert isinstance(result.error, WorkflowError)
    assert f"signed already, with certificate {other.serial:x}" in str(result.error)


def test_step_out_of_order_is_an_error(house: SigningHouse) -> None:
    (result,) = run(house, "principal", items("principal", [canonical_pdf()]))
    assert str(result.error) == "step principal is out of order: step homeroom is not signed yet"


def test_step_before_a_signed_one_is_out_of_order(house: SigningHouse) -> None:
    document = Document.parse(sign(canonical_pdf(), house.request("principal"), time_stamper=None))
    with pytest.raises(WorkflowError, match="step homeroom is out of order: step principal is signed already"):
        check_step(document, MANIFEST, "homeroom")


def test_unknown_step_is_an_error() -> None:
    with pytest.raises(WorkflowError, match="has no step 'janitor'; it has homeroom, principal, seal"):
        check_step(Document.parse(canonical_pdf()), MANIFEST, "janitor")


class Silent:
    """A time stamper that cannot be reached."""

    def __init__(self, house: SigningHouse) -> None:
        self.certificates = house.tsa.certificates

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        raise PkiError("the time-stamp authority does not answer")


def test_failing_time_stamper_is_each_documents_error(house: SigningHouse) -> None:
    results = run(house, "homeroom", items("homeroom", [canonical_pdf(0), canonical_pdf(1)]), time_stamper=Silent(house))
    assert [str(result.error) for result in results] == ["the time-stamp authority does not answer"] * 2
    assert [result.document for result in results] == [None, None]


def test_authorised_documents_are_signed(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(0), canonical_pdf(1)])
    signed(run(house, "homeroom", given, authorisation=authorisation(given)))


def test_document_that_was_not_authorised_is_not_signed(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(0), canonical_pdf(1)])
    results = run(house, "homeroom", given, authorisation=authorisation(given[:1]))
    assert results[0].error is None
    assert str(results[1].error) == "step homeroom of record R-1 version 1 was not authorised"


def test_document_changed_after_it_was_authorised_is_not_signed(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(0)])
    changed = [replace(given[0], document=canonical_pdf(1))]
    (result,) = run(house, "homeroom", changed, authorisation=authorisation(given))
    assert "is not the export that was authorised" in str(result.error)


def test_expired_authorisation_signs_nothing(house: SigningHouse) -> None:
    given = items("homeroom", [canonical_pdf(0)])
    (result,) = run(house, "homeroom", given, authorisation=authorisation(given, MOMENT - timedelta(minutes=10)))
    assert "authorisation A-1 is not in force" in str(result.error)


def test_item_is_used_once() -> None:
    given = authorisation(items("homeroom", [canonical_pdf(0)]))
    used = given.use(given.items[0], at=MOMENT)
    assert used.unused == ()
    with pytest.raises(AuthorisationError, match="was signed under it already"):
        used.use(given.items[0], at=MOMENT)


def test_export_with_workflow_signatures_is_what_was_authorised(house: SigningHouse) -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    document = canonical_pdf()
    for step in ("homeroom", "principal"):
        document = sign(document, house.request(step), time_stamper=house.tsa)
        check(document, named)


def test_export_with_another_change_is_not_what_was_authorised(house: SigningHouse) -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    update = Update(Document.parse(sign(canonical_pdf(), house.request("homeroom"), time_stamper=None)))
    root_ref = update.document.trailer["Root"]
    assert isinstance(root_ref, Ref)
    update.put(root_ref, {**update.document.root, "PageMode": Name("UseNone")})
    with pytest.raises(AuthorisationError, match="revision 2 is more than one signature"):
        check(bytes(update.close().data), named)


def test_certified_export_is_what_was_authorised(house: SigningHouse) -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    check(sign(canonical_pdf(), house.request("homeroom", certifies=True), time_stamper=None), named)


@pytest.mark.parametrize(
    "extra", [{"PageMode": Name("UseNone")}, {"Perms": {"UR3": Ref(1)}}, {"Perms": {}}], ids=["beside it", "other permissions", "none"]
)
def test_certification_that_changes_more_of_the_catalog_is_not_what_was_authorised(
    house: SigningHouse, extra: dict[str, PdfObject]
) -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    update = Update(Document.parse(canonical_pdf()))
    root_ref = update.document.trailer["Root"]
    assert isinstance(root_ref, Ref)
    field = next(signature_fields(update.document))
    update.put(field.ref, {**field.value, "V": update.add({"Contents": PdfString(b"0")})})
    update.put(root_ref, {**update.document.root, "Perms": {"DocMDP": Ref(1)}, **extra})
    with pytest.raises(AuthorisationError, match="revision 1 is more than one signature"):
        check(update.close().data, named)


def test_field_filled_without_a_signature_is_not_what_was_authorised() -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    update = Update(Document.parse(canonical_pdf()))
    field = next(signature_fields(update.document))
    update.put(field.ref, {**field.value, "V": update.add({"Contents": PdfString(b"0")})})
    with pytest.raises(BrokenSignatureError, match="in field 'Signature-Homeroom' is broken"):
        check(bytes(update.close().data), named)


def test_moved_field_is_not_what_was_authorised(house: SigningHouse) -> None:
    (named,) = authorisation(items("seal", [canonical_pdf()])).items
    update = Update(Document.parse(canonical_pdf()))
    field = next(signature_fields(update.document))
    update.put(field.ref, {**field.value, "Rect": [0, 0, 400, 300]})
    with pytest.raises(AuthorisationError, match="revision 1 changes field 'Signature-Homeroom'"):
        check(bytes(update.close().data), named)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": ()}, "an authorisation of 0 items"),
        ({"expires_at": MOMENT}, "expires before it is granted"),
    ],
)
def test_senseless_authorisation_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(AuthorisationError, match=message):
        replace(authorisation(items("seal", [canonical_pdf()])), **changes)  # type: ignore[arg-type]


class Ticking:
    """A clock that goes on by a second with every look."""

    def __init__(self, house: SigningHouse) -> None:
        self._house = house

    def __call__(self) -> datetime:
        self._house.authority.advance(seconds=1)
        return self._house.authority.clock()


def test_class_is_sealed_to_the_archive_level_with_evidence_newer_than_every_seal() -> None:
    house = make_signing_house()
    documents = [canonical_pdf(seed) for seed in range(3)]
    for step in ("homeroom", "principal"):
        documents = signed(run(house, step, items(step, documents)))
    sealing = items("seal", documents)
    results = list(
        seal_batch(sealing, signer=signer(house, "seal"), time_stamper=house.tsa, validation=house.evidence, clock=Ticking(house))
    )
    assert [result.error for result in results] == [None] * 3
    for result in results:
        assert result.document is not None
        parsed = Document.parse(result.document)
        for field in signature_fields(parsed):
            if field.name.startswith("Archive-"):
                continue
            cms, _ = recheck(parsed, field)
            (token,) = cms.unsigned_values(SIGNATURE_TIME_STAMP)
            assert all(update >= parse_time_stamp_token(token).gen_time for update in this_updates(parsed))


def this_updates(document: Document) -> list[datetime]:
    dss = document.get(document.root["DSS"])
    assert isinstance(dss, dict)
    crls, ocsps = dss["CRLs"], dss["OCSPs"]
    assert isinstance(crls, list)
    assert isinstance(ocsps, list)
    lists = [x509.load_der_x509_crl(document.get(ref).raw) for ref in crls]  # type: ignore[union-attr]
    answers = [ocsp.load_der_ocsp_response(document.get(ref).raw) for ref in ocsps]  # type: ignore[union-attr]
    return [*(each.last_update_utc for each in lists), *(next(iter(each.responses)).this_update_utc for each in answers)]


def test_repeated_sealing_neither_seals_nor_stamps_again() -> None:
    house = make_signing_house()
    document = canonical_pdf()
    for step in ("homeroom", "principal"):
        document = sign(document, house.request(step), time_stamper=house.tsa)

    def seal(given: bytes) -> BatchResult:
        arguments = {"signer": signer(house, "seal"), "time_stamper": house.tsa, "validation": house.evidence}
        (result,) = seal_batch(items("seal", [given]), clock=house.authority.clock, **arguments)  # type: ignore[arg-type]
        return result

    first = seal(document)
    assert first.document is not None
    again = seal(first.document)
    assert again.repeated
    assert again.document == first.document
