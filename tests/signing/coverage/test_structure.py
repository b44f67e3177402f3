"""Signatures are found as they are: what each covers, which closes which revision, what was removed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signing.coverage.mdp import FieldLock, Mdp
from signing.coverage.structure import Structure, read_structure, signature_fields
from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.pdf.text import pdf_date
from signing.verdict import Coverage
from tests.corpus.edit import body, number_of, overwrite, root_number, signature, update, update_compressed
from tests.corpus.good import good_files
from tests.support.authority import MOMENT
from tests.support.signing_cases import canonical_pdf, foreign_pdf

NAMES = ("Signature-Homeroom", "Signature-Principal", "Signature-Seal", "Archive-1")


def structure(data: bytes) -> Structure:
    return read_structure(Document.parse(data))


def codes(data: bytes, name: str | None = None) -> set[str]:
    """Codes of the findings on the document, or on one signature."""
    found = structure(data)
    return {m.code for m in (found.findings if name is None else next(s for s in found.signed if s.name == name).findings)}


def field_number(document: Document, name: str) -> int:
    wanted = PdfString(name.encode())
    return next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == wanted)


def test_signatures_come_in_order_of_signing() -> None:
    found = structure(good_files().archived)
    assert tuple(s.name for s in found.signed) == NAMES
    assert [s.revision for s in found.signed] == [1, 2, 3, 4]
    assert [s.is_timestamp for s in found.signed] == [False, False, False, True]
    assert (found.findings, found.removed, found.unsigned) == ((), (), ())
    assert all(not s.findings for s in found.signed)


def test_only_the_last_signature_covers_the_entire_file() -> None:
    covered = [s.coverage for s in structure(good_files().archived).signed]
    assert covered == [Coverage.ENTIRE_REVISION] * 3 + [Coverage.ENTIRE_FILE]


def test_gap_of_a_signature_is_its_contents() -> None:
    data = good_files().stages[0]
    (found,) = signature_fields(Document.parse(data))
    assert found.contents_span is not None
    start, end = found.contents_span
    assert found.byte_range == (0, start, end, len(data) - end)
    assert data[start + 1 : end - 1].startswith(found.contents.hex().encode())


def test_claimed_time_and_form_of_the_signature_are_read() -> None:
    found = structure(good_files().archived).signed
    assert found[0].claimed_time == MOMENT
    assert [s.subfilter for s in found] == ["ETSI.CAdES.detached"] * 3 + ["ETSI.RFC3161"]


def test_locks_are_read_from_signature_and_field() -> None:
    teacher, _, seal, stamp = (s.lock for s in structure(good_files().archived).signed)
    assert set(teacher.locks) == {FieldLock("Include", ("Signature-Homeroom",))}
    assert (seal.permissions, set(seal.locks)) == (1, {FieldLock("All")})
    assert stamp == Mdp()


def test_unsigned_fields_are_listed_apart() -> None:
    found = structure(good_files().stages[0])
    assert [field.name for field in found.unsigned] == ["Signature-Principal", "Signature-Seal"]
    assert structure(canonical_pdf()).signed == ()
    assert structure(foreign_pdf()) == Structure((), (), (), (), structure(foreign_pdf()).forms)


def test_removed_signature_is_named_and_not_counted_as_unsigned_document() -> None:
    first = good_files().stages[0]
    document = Document.parse(first)
    number = field_number(document, "Signature-Homeroom")
    found = structure(update(first, {number: {k: v for k, v in body(document, number).items() if k != "V"}}))
    assert found.removed == ("Signature-Homeroom",)
    assert [m.code for m in found.findings] == ["SIGNATURE_REMOVED"]
    assert "'Signature-Homeroom' that is no longer there" in found.findings[0].text


def test_signature_that_came_back_is_out_of_place() -> None:
    first = good_files().stages[0]
    document = Document.parse(first)
    number = field_number(document, "Signature-Homeroom")
    cleared = update(first, {number: {k: v for k, v in body(document, number).items() if k != "V"}})
    assert codes(update(cleared, {number: body(document, number)})) == set()  # the same signature in the same field: nothing is gone
    other = Document.parse(cleared).size
    value = signature(first, "Signature-Homeroom").signature
    replaced = update(cleared, {number: {**body(document, number), "V": Ref(other)}, other: value})
    assert "SIGNATURE_REMOVED" in codes(replaced)
    assert "BYTE_RANGE_GAP" in codes(replaced, "Signature-Homeroom")


def test_widget_outside_the_form_is_a_finding() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    page, fresh = number_of(document, "Page"), document.size
    stray: PdfObject = {"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": PdfString(b"Stray"), "Rect": [0, 0, 9, 9]}
    found = body(document, page).get("Annots", [])
    assert isinstance(found, list)
    changed = update(data, {page: {**body(document, page), "Annots": [*found, Ref(fresh)]}, fresh: stray})
    assert codes(changed) == {"FIELD_NOT_IN_FORM"}


@pytest.mark.parametrize("subfilter", ["adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"])
def test_signature_on_sha1_is_named_and_refused(subfilter: str) -> None:
    data = good_files().stages[0]
    at = data.rindex(b"/ETSI.CAdES.detached")
    changed = overwrite(data, at, b"/" + subfilter.encode().ljust(19))
    (found,) = structure(changed).signed
    assert found.subfilter == subfilter
    assert [m.code for m in found.findings] == ["SUBFILTER_REFUSED"]


def test_unknown_signature_form_is_refused() -> None:
    data = good_files().stages[0]
    changed = overwrite(data, data.rindex(b"/ETSI.CAdES.detached"), b"/Acme.CAdES.detached")
    assert codes(changed, "Signature-Homeroom") == {"SUBFILTER_UNKNOWN"}


def test_time_stamp_under_another_type_is_refused() -> None:
    data = good_files().archived
    changed = overwrite(data, data.rindex(b"/DocTimeStamp"), b"/Sig         ")
    assert codes(changed, "Archive-1") == {"SIGNATURE_TYPE"}


def test_signature_that_is_no_dictionary_is_a_finding() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    number = field_number(document, "Signature-Seal")
    found = codes(update(data, {number: {**body(document, number), "V": Ref(9_999)}}), "Signature-Seal")
    assert {"SIGNATURE_MISSING", "BYTE_RANGE_MISSING", "CONTENTS_MISSING"} <= found


def test_signature_inside_its_field_is_refused() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    number = field_number(document, "Signature-Seal")
    value: PdfObject = {
        "Type": Name("Sig"),
        "SubFilter": Name("ETSI.CAdES.detached"),
        "Contents": PdfString(b"0"),
        "ByteRange": [0, 1, 2, 3],
    }
    assert "SIGNATURE_NOT_DIRECT" in codes(update(data, {number: {**body(document, number), "V": value}}), "Signature-Seal")


def test_signature_in_an_object_stream_is_refused() -> None:
    data = foreign_pdf(object_streams=True, form="indirect")
    document = Document.parse(data)
    value = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<00>>>"
    field = b"<</FT/Sig/T(Hidden)/V 901 0 R>>"
    header = b"900 0 901 %d " % (len(field) + 1)
    stream = Stream({"Type": Name("ObjStm"), "N": 2, "First": len(header)}, header + field + b" " + value)
    form = body(document, root_number(document))["AcroForm"]
    assert isinstance(form, Ref)
    whole = update_compressed(data, {form.number: {"Fields": [Ref(900)]}, 902: stream}, {900: (902, 0), 901: (902, 1)})
    assert "SIGNATURE_NOT_DIRECT" in codes(whole, "Hidden")


def test_certification_after_an_approval_is_a_finding() -> None:
    data = good_files().stages[1]
    changed = data[: len(good_files().stages[0])] + data[len(good_files().stages[0]) :].replace(b"/FieldMDP", b"/DocMDP  ")
    assert "CERTIFICATION_NOT_FIRST" in codes(changed, "Signature-Principal")


def test_unreadable_rules_count_as_the_strictest() -> None:
    data = good_files().sealed
    changed = overwrite(data, data.rindex(b"/Action /All"), b"/Action /Odd")
    seal = next(s for s in structure(changed).signed if s.name == "Signature-Seal")
    assert FieldLock("All") in seal.lock.locks
    assert "LOCK_MALFORMED" in {m.code for m in seal.findings}


@pytest.mark.parametrize(
    ("lock", "name", "covered"),
    [
        (FieldLock("All"), "x", True),
        (FieldLock("Include", ("a",)), "a", True),
        (FieldLock("Include", ("a",)), "a.b", True),
        (FieldLock("Include", ("a",)), "ab", False),
        (FieldLock("Exclude", ("a",)), "a.b", False),
        (FieldLock("Exclude", ("a",)), "b", True),
    ],
)
def test_lock_covers_fields_by_name(lock: FieldLock, name: str, covered: bool) -> None:
    assert lock.covers(name) is covered


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20260905150000+07'00'", datetime(2026, 9, 5, 8, tzinfo=UTC)),
        ("D:20260905150000+07'00", datetime(2026, 9, 5, 8, tzinfo=UTC)),
        ("D:20260905080000Z", datetime(2026, 9, 5, 8, tzinfo=UTC)),
        ("D:20260905080000", datetime(2026, 9, 5, 8, tzinfo=UTC)),
        ("D:20260904200000-12'00'", datetime(2026, 9, 5, 8, tzinfo=UTC)),
        ("D:20261305080000Z", None),
        ("D:00010101000000+23'00'", None),
        ("D:20260905080000+99'00'", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_pdf_date_is_read_into_utc(text: str, moment: datetime | None) -> None:
    assert pdf_date(text) == moment


def test_form_that_is_no_tree_is_refused() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    form = body(document, root_number(document))["AcroForm"]
    assert isinstance(form, Ref)
    fields = body(document, form.number)["Fields"]
    assert isinstance(fields, list)
    with pytest.raises(PdfError, match="stands twice in the form"):
        structure(update(data, {form.number: {"Fields": [*fields, fields[0]]}}))
    with pytest.raises(PdfError, match="/Fields of the form is not an array"):
        structure(update(data, {form.number: {"Fields": Name("x")}}))


def test_number_of_fields_is_bounded() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    form = body(document, root_number(document))["AcroForm"]
    assert isinstance(form, Ref)
    objects: dict[int, PdfObject | bytes] = {1000 + i: {"FT": Name("Sig"), "T": PdfString(b"%d" % i)} for i in range(1_100)}
    with pytest.raises(LimitError, match="more than 1000 fields"):
        structure(update(data, {form.number: {"Fields": [Ref(number) for number in objects]}, **objects}))


def test_field_that_was_out_of_the_form_is_read_again_when_it_is_back() -> None:
    data = canonical_pdf()
    document = Document.parse(data)
    number = field_number(document, "Signature-Seal")
    form = document.root["AcroForm"]
    assert isinstance(form, Ref)
    whole, changed = body(document, form.number), {**body(document, number), "V": Ref(number)}
    fields = whole["Fields"]
    assert isinstance(fields, list)
    without = update(data, {form.number: {**whole, "Fields": [item for item in fields if item != Ref(number)]}})
    back = update(update(without, {number: changed}), {form.number: whole})
    found = [form.named("Signature-Seal") for form in structure(back).forms]
    assert [field and field.value for field in found] == [None, None, None, Ref(number)]
