from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from pki.structures.tsp import parse_time_stamp_token
from signing.applying.archive import archive, time_stamp_document
from signing.applying.dss import (
    EvidenceError,
    GatheredOnce,
    ValidationData,
    add_validation_data,
    certificates_of,
    contents,
    der_prefix,
)
from signing.applying.form import signature_fields
from signing.applying.recheck import recheck
from signing.applying.sign import sign
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from tests.support.signing_cases import SigningHouse, canonical_pdf, foreign_pdf, make_signing_house


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    return make_signing_house()


@pytest.fixture(scope="module")
def sealed(house: SigningHouse) -> bytes:
    document = canonical_pdf()
    for step in ("homeroom", "principal", "seal"):
        document = sign(document, house.request(step), time_stamper=house.tsa)
    return document


@pytest.fixture(scope="module")
def archived(house: SigningHouse, sealed: bytes) -> bytes:
    return archive(sealed, time_stamper=house.tsa, validation=house.evidence)


def store_of(document: bytes) -> dict[str, list[bytes]]:
    parsed = Document.parse(document)
    dss = parsed.get(parsed.root["DSS"])
    assert isinstance(dss, dict)
    found: dict[str, list[bytes]] = {}
    for key in ("Certs", "CRLs", "OCSPs"):
        refs = dss.get(key, [])
        assert isinstance(refs, list)
        streams = [parsed.get(ref) for ref in refs]
        found[key] = [parsed.stream_data(stream) for stream in streams if isinstance(stream, Stream)]
    return found


def time_stamp(document: bytes, name: str = "Archive-1") -> tuple[Document, dict[str, PdfObject]]:
    parsed = Document.parse(document)
    value = parsed.get(next(field for field in signature_fields(parsed) if field.name == name).value["V"])
    assert isinstance(value, dict)
    return parsed, value


def test_one_revision_holds_evidence_and_time_stamp(sealed: bytes, archived: bytes) -> None:
    assert archived.startswith(sealed)
    assert len(Document.parse(archived).revisions) == len(Document.parse(sealed).revisions) + 1


def test_signatures_still_verify(archived: bytes) -> None:
    parsed = Document.parse(archived)
    for field in signature_fields(parsed):
        if not field.name.startswith("Archive-"):
            recheck(parsed, field)


def test_time_stamp_is_over_the_whole_file_but_its_gap(archived: bytes) -> None:
    parsed, value = time_stamp(archived)
    _, start, end, length = value["ByteRange"]  # type: ignore[misc,union-attr]
    assert end + length == len(archived)
    token = parse_time_stamp_token(contents(parsed, value))
    assert token.imprint == hashlib.sha256(archived[:start] + archived[end:]).digest()


def test_time_stamp_dictionary_says_what_pades_wants(archived: bytes) -> None:
    _, value = time_stamp(archived)
    assert (value["Type"], value["SubFilter"]) == ("DocTimeStamp", "ETSI.RFC3161")
    assert "M" not in value


def test_time_stamp_has_an_invisible_widget_on_the_first_page(archived: bytes) -> None:
    parsed = Document.parse(archived)
    field = next(field for field in signature_fields(parsed) if field.name == "Archive-1")
    assert field.value["Rect"] == [0, 0, 0, 0]
    page = parsed.get(field.value["P"])
    assert isinstance(page, dict)
    annotations = parsed.get(page["Annots"])
    assert isinstance(annotations, list)
    assert field.ref in annotations


def test_store_holds_every_certificate_of_signers_and_time_stamps(house: SigningHouse, archived: bytes) -> None:
    wanted = {
        *(credential.certificate_der for credential in (house.teacher, house.principal, house.seal)),
        *house.tsa.certificates,
        house.authority.ocsp_der,
        house.authority.root_der,
    }
    assert wanted <= set(store_of(archived)["Certs"])


def test_store_holds_a_response_for_each_end_entity_and_the_roots_list(archived: bytes) -> None:
    store = store_of(archived)
    assert (len(store["OCSPs"]), len(store["CRLs"])) == (4, 1)


def test_only_catalog_form_and_first_page_are_changed(sealed: bytes, archived: bytes) -> None:
    parsed = Document.parse(archived)
    root, form = parsed.trailer["Root"], parsed.root["AcroForm"]
    page = next(field for field in signature_fields(parsed) if field.name == "Archive-1").value["P"]
    changed = {number for number in parsed.revisions[-1].entries if Document.parse(sealed).entry(number)}
    assert changed == {ref.number for ref in (root, form, page) if isinstance(ref, Ref)}


def test_extension_of_pdf_1_7_is_declared(archived: bytes) -> None:
    assert Document.parse(archived).root["Extensions"] == {"ESIC": {"BaseVersion": "1.7", "ExtensionLevel": 1}}


def test_renewal_keeps_the_evidence_and_adds_what_is_new() -> None:
    house = make_signing_house()
    first = archive(sign(canonical_pdf(), house.request("seal"), time_stamper=house.tsa), time_stamper=house.tsa, validation=house.evidence)
    house.authority.advance(days=3)
    renewed = archive(first, time_stamper=house.tsa, validation=house.evidence)
    before, after = store_of(first), store_of(renewed)
    assert after["Certs"] == before["Certs"]
    assert after["OCSPs"][: len(before["OCSPs"])] == before["OCSPs"]
    assert len(after["OCSPs"]) == 2 * len(before["OCSPs"])
    parsed, value = time_stamp(renewed, "Archive-2")
    assert parse_time_stamp_token(contents(parsed, value)).gen_time - house.authority.clock() < timedelta(seconds=1)


def test_same_evidence_is_not_stored_twice(house: SigningHouse, sealed: bytes) -> None:
    data = ValidationData.gather(house.evidence, certificates_of(Document.parse(sealed)))
    twice = add_validation_data(add_validation_data(sealed, data), data)
    assert store_of(twice) == store_of(add_validation_data(sealed, data))


def test_foreign_document_is_archived_whatever_its_cross_references(house: SigningHouse) -> None:
    for document in (foreign_pdf(), foreign_pdf(object_streams=True, form="indirect"), foreign_pdf(linearize=True)):
        signed = sign(document, house.request("seal", field="Seal", create=True), time_stamper=house.tsa)
        parsed, value = time_stamp(archive(signed, time_stamper=house.tsa, validation=house.evidence))
        parse_time_stamp_token(contents(parsed, value))


def test_document_without_signature_can_be_time_stamped(house: SigningHouse) -> None:
    parsed, value = time_stamp(time_stamp_document(foreign_pdf(), time_stamper=house.tsa))
    parse_time_stamp_token(contents(parsed, value))


def test_unreadable_signature_is_named(house: SigningHouse, sealed: bytes) -> None:
    start = sealed.index(b"/Contents <") + len(b"/Contents <")
    broken = sealed[:start] + b"ff" + sealed[start + 2 :]
    with pytest.raises(EvidenceError, match="signature field 'Signature-Homeroom'"):
        archive(broken, time_stamper=house.tsa, validation=house.evidence)


class Counting:
    def __init__(self) -> None:
        self.asked: list[tuple[bytes, ...]] = []

    def gather(self, certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
        self.asked.append(certificates)
        return certificates, (), ()


def test_source_is_asked_once_for_a_set_of_certificates() -> None:
    source = Counting()
    once = GatheredOnce(source)
    assert once.gather((b"a", b"b")) == once.gather((b"b", b"a"))
    once.gather((b"c",))
    assert len(source.asked) == 2


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\x30\x02ab\x00\x00", b"\x30\x02ab"),
        (b"\x30\x81\x02ab\x00", b"\x30\x81\x02ab"),
        (b"\x30\x80\x00\x00", b""),
        (b"\x30\x05ab", b""),
        (b"\x30\x85\x00\x00\x00\x00\x01a", b""),
        (b"\x30", b""),
        (b"", b""),
    ],
)
def test_der_element_is_cut_by_its_own_length(octets: bytes, expected: bytes) -> None:
    assert der_prefix(octets) == expected
