from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509

from pki.keys.softkey import SoftwareKey
from pki.structures.cms import SIGNATURE_TIME_STAMP, SIGNING_TIME, parse_signed_data
from pki.structures.tsp import parse_time_stamp_token
from signing.applying.container import ContainerError
from signing.applying.dss import contents
from signing.applying.form import FieldError, SignatureField, signature_fields
from signing.applying.locks import LockedError
from signing.applying.recheck import BrokenSignatureError, recheck
from signing.applying.sign import SignerError, complete, pdf_date, prepare, sign
from signing.errors import EncryptedPdfError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref
from tests.support.signing_cases import SigningHouse, canonical_pdf, encrypted_pdf, foreign_pdf, make_signing_house

STEPS = ("homeroom", "principal", "seal")
FOREIGN: dict[str, Callable[[], bytes]] = {
    "no form, table": lambda: foreign_pdf(),
    "no form, cross-reference stream": lambda: foreign_pdf(object_streams=True),
    "form in the catalog": lambda: foreign_pdf(form="direct"),
    "form by reference": lambda: foreign_pdf(form="indirect"),
    "form by reference, object streams": lambda: foreign_pdf(form="indirect", object_streams=True),
    "linearised": lambda: foreign_pdf(linearize=True),
}


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    return make_signing_house()


@pytest.fixture(scope="module")
def signed_b(house: SigningHouse) -> bytes:
    return sign(canonical_pdf(), house.request("homeroom", reason="Lý do", location="Hà Nội"), time_stamper=None)


@pytest.fixture(scope="module")
def signed_by_all(house: SigningHouse) -> bytes:
    document = canonical_pdf()
    for step in STEPS:
        document = sign(document, house.request(step), time_stamper=house.tsa)
    return document


def field_of(document: Document, name: str) -> SignatureField:
    return next(field for field in signature_fields(document) if field.name == name)


def signature(document: bytes, name: str = "Signature-Homeroom") -> dict[str, PdfObject]:
    parsed = Document.parse(document)
    value = parsed.get(field_of(parsed, name).value["V"])
    assert isinstance(value, dict)
    return value


def test_document_before_is_kept_octet_for_octet(signed_b: bytes) -> None:
    assert signed_b.startswith(canonical_pdf())


def test_byte_range_is_everything_but_the_contents(signed_b: bytes) -> None:
    zero, start, end, length = signature(signed_b)["ByteRange"]  # type: ignore[misc,union-attr]  # shown to be four integers below
    assert zero == 0
    assert end + length == len(signed_b)
    gap = signed_b[start:end]
    assert (gap[:1], gap[-1:]) == (b"<", b">")
    assert all(octet in b"0123456789abcdef" for octet in gap[1:-1])


def test_only_the_field_and_new_objects_are_written(signed_b: bytes) -> None:
    parsed = Document.parse(signed_b)
    before = set(parsed.revisions[0].entries)
    assert set(parsed.revisions[1].entries) & before == {field_of(parsed, "Signature-Homeroom").ref.number}


def test_signature_verifies_under_the_signers_key(house: SigningHouse, signed_b: bytes) -> None:
    parsed = Document.parse(signed_b)
    _, certificate = recheck(parsed, field_of(parsed, "Signature-Homeroom"))
    assert certificate.serial_number == house.teacher.serial


def test_dictionary_says_what_pades_wants(signed_b: bytes) -> None:
    value = signature(signed_b)
    assert (value["Type"], value["Filter"], value["SubFilter"]) == ("Sig", "Adobe.PPKLite", "ETSI.CAdES.detached")
    assert value["M"] == b"D:20260905080000+00'00'"
    assert value["Reason"] == b"\xfe\xff" + "Lý do".encode("utf-16-be")
    assert "Cert" not in value
    assert "Name" not in value


def test_there_is_no_signing_time_attribute(signed_b: bytes) -> None:
    parsed = Document.parse(signed_b)
    cms = parse_signed_data(contents(parsed, signature(signed_b)))
    assert cms.signed_values(SIGNING_TIME) == ()


def test_container_carries_the_path_below_the_root(house: SigningHouse, signed_b: bytes) -> None:
    cms = parse_signed_data(contents(Document.parse(signed_b), signature(signed_b)))
    assert set(cms.certificates) == {house.teacher.certificate_der, house.authority.issuing_der}


def test_time_stamp_is_over_the_signature_value(signed_by_all: bytes) -> None:
    parsed = Document.parse(signed_by_all)
    for field in signature_fields(parsed):
        cms, _ = recheck(parsed, field)
        (token,) = cms.unsigned_values(SIGNATURE_TIME_STAMP)
        assert parse_time_stamp_token(token).imprint == hashlib.sha256(cms.signature).digest()


def test_earlier_signatures_still_verify_after_each_later_one(house: SigningHouse) -> None:
    document = canonical_pdf()
    for count, step in enumerate(STEPS, 1):
        document = sign(document, house.request(step), time_stamper=house.tsa)
        parsed = Document.parse(document)
        filled = [field for field in signature_fields(parsed) if field.signed]
        assert len(filled) == count
        for field in filled:
            recheck(parsed, field)


def test_lock_of_an_approval_covers_its_own_field(signed_by_all: bytes) -> None:
    (reference,) = signature(signed_by_all)["Reference"]  # type: ignore[misc,union-attr]
    assert reference["TransformMethod"] == "FieldMDP"  # type: ignore[index,call-overload]
    assert reference["TransformParams"] == {  # type: ignore[index,call-overload]
        "Type": "TransformParams",
        "V": "1.2",
        "Action": "Include",
        "Fields": [b"Signature-Homeroom"],
    }
    assert reference["Data"] == Document.parse(signed_by_all).trailer["Root"]  # type: ignore[index,call-overload]


def test_lock_of_the_seal_covers_everything(signed_by_all: bytes) -> None:
    (reference,) = signature(signed_by_all, "Signature-Seal")["Reference"]  # type: ignore[misc,union-attr]
    parameters = reference["TransformParams"]  # type: ignore[index,call-overload]
    assert (parameters["Action"], parameters["P"]) == ("All", 1)  # type: ignore[index,call-overload]


def test_nothing_is_signed_after_the_seal(house: SigningHouse) -> None:
    sealed = sign(canonical_pdf(), house.request("seal"), time_stamper=None)
    with pytest.raises(LockedError, match="'Signature-Seal' closed the document"):
        sign(sealed, house.request("principal"), time_stamper=None)


def test_signed_field_is_refused(house: SigningHouse, signed_b: bytes) -> None:
    with pytest.raises(FieldError, match="'Signature-Homeroom' is signed already"):
        sign(signed_b, house.request("homeroom"), time_stamper=None)


def test_missing_field_is_refused(house: SigningHouse) -> None:
    with pytest.raises(FieldError, match="no signature field 'Nobody'"):
        sign(canonical_pdf(), house.request("homeroom", field="Nobody"), time_stamper=None)


@pytest.mark.parametrize("shape", FOREIGN)
def test_field_is_created_in_a_foreign_document_where_asked(house: SigningHouse, shape: str) -> None:
    document = sign(FOREIGN[shape](), house.request("seal", field="Seal", create=True), time_stamper=house.tsa)
    parsed = Document.parse(document)
    field = field_of(parsed, "Seal")
    recheck(parsed, field)
    form = parsed.get(parsed.root["AcroForm"])
    assert isinstance(form, dict)
    assert form["SigFlags"] == 3
    page = parsed.get(field.value["P"])
    assert isinstance(page, dict)
    assert parsed.get(page["Annots"]) == [field.ref]


@pytest.mark.parametrize("shape", FOREIGN)
def test_second_signature_in_a_foreign_document_keeps_the_first(house: SigningHouse, shape: str) -> None:
    document = FOREIGN[shape]()
    for name in ("First", "Second"):
        document = sign(document, house.request("seal", field=name, create=True), time_stamper=None)
    parsed = Document.parse(document)
    for field in signature_fields(parsed):
        recheck(parsed, field)
    assert [field.name for field in signature_fields(parsed)] == ["First", "Second"]


def test_what_is_no_pdf_is_refused(house: SigningHouse) -> None:
    with pytest.raises(PdfError, match="not a PDF"):
        sign(b"PK\x03\x04", house.request("seal"), time_stamper=None)


def test_encrypted_document_is_refused(house: SigningHouse) -> None:
    with pytest.raises(EncryptedPdfError, match="encrypted"):
        sign(encrypted_pdf(), house.request("seal", create=True), time_stamper=None)


def test_key_of_another_certificate_is_refused(house: SigningHouse) -> None:
    with pytest.raises(SignerError, match="the key is not that of certificate"):
        sign(canonical_pdf(), house.request("homeroom", key=SoftwareKey.generate()), time_stamper=None)


def test_expired_certificate_is_refused(house: SigningHouse) -> None:
    late = x509.load_der_x509_certificate(house.teacher.certificate_der).not_valid_after_utc + timedelta(seconds=1)
    with pytest.raises(SignerError, match=r"is valid from .* to .* UTC, not at"):
        sign(canonical_pdf(), house.request("homeroom", claimed_time=late), time_stamper=None)


def test_time_without_zone_is_refused(house: SigningHouse) -> None:
    with pytest.raises(SignerError, match="no time zone"):
        sign(canonical_pdf(), house.request("homeroom", claimed_time=datetime(2026, 9, 5)), time_stamper=None)  # noqa: DTZ001


class Talkative:
    """A time stamper whose tokens hold more than its certificates told."""

    def __init__(self, house: SigningHouse) -> None:
        self._house = house
        self.certificates = house.tsa.certificates[:1]

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        return self._house.tsa.stamp(digest, algorithm=algorithm)


def test_token_larger_than_foreseen_gets_its_room(house: SigningHouse) -> None:
    document = sign(canonical_pdf(), house.request("homeroom"), time_stamper=Talkative(house))
    parsed = Document.parse(document)
    recheck(parsed, field_of(parsed, "Signature-Homeroom"))


def test_room_left_is_small(signed_by_all: bytes) -> None:
    parsed = Document.parse(signed_by_all)
    value = signature(signed_by_all)
    room = value["Contents"]
    assert isinstance(room, bytes)
    assert len(room) - len(contents(parsed, value)) < 1024


def test_two_halves_make_the_whole(house: SigningHouse) -> None:
    request = house.request("homeroom")
    prepared = prepare(canonical_pdf(), request, token_size=0)
    document = complete(prepared, house.teacher.key.sign(prepared.container.to_be_signed), None)
    parsed = Document.parse(document)
    recheck(parsed, field_of(parsed, "Signature-Homeroom"))


def test_container_too_large_for_its_room_is_refused(house: SigningHouse) -> None:
    prepared = prepare(canonical_pdf(), house.request("homeroom"), token_size=0)
    with pytest.raises(ContainerError, match="octets, expected at most"):
        complete(prepared, bytes(5000), None)


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_every_curve_signs_with_its_own_digest(house: SigningHouse, curve: str) -> None:
    credential = house.authority.issue_teacher("Phạm Văn Đông", curve=curve)
    request = house.request("homeroom", certificate_der=credential.certificate_der, key=credential.key)
    parsed = Document.parse(sign(canonical_pdf(), request, time_stamper=house.tsa))
    cms, _ = recheck(parsed, field_of(parsed, "Signature-Homeroom"))
    assert cms.digest is credential.key.algorithm.digest


def test_recheck_finds_a_changed_octet(signed_b: bytes) -> None:
    changed = bytearray(signed_b)
    changed[canonical_pdf().index(b"/Annots") + 1] ^= 0x20
    parsed = Document.parse(bytes(changed))
    with pytest.raises(BrokenSignatureError, match="digest is not that of the document"):
        recheck(parsed, field_of(parsed, "Signature-Homeroom"))


def test_recheck_finds_a_foreign_container(signed_by_all: bytes, signed_b: bytes) -> None:
    parsed, other = Document.parse(signed_by_all), signature(signed_b)
    field = field_of(parsed, "Signature-Homeroom")
    assert isinstance(field.value["V"], Ref)
    forged = SignatureField(field.name, field.ref, {**field.value, "V": {**signature(signed_by_all), "Contents": other["Contents"]}}, None)
    with pytest.raises(BrokenSignatureError, match="gap in its byte range is not its contents"):
        recheck(parsed, forged)


def test_date_carries_its_zone() -> None:
    assert pdf_date(datetime(2026, 5, 29, 8, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))) == b"D:20260529083000-03'30'"
    assert pdf_date(datetime(2026, 5, 29, 8, 30, tzinfo=UTC)) == b"D:20260529083000+00'00'"
