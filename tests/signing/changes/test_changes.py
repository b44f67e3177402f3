"""Change analysis: what an honest update is, and that everything else is undefined."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.applying.archive import archive, time_stamp_document
from signing.applying.dss import ValidationData, add_validation_data
from signing.applying.sign import sign
from signing.changes.analysis import ChangeAnalysis, ChangeReport, changes_after
from signing.coverage.mdp import FieldLock, Mdp
from signing.coverage.structure import read_structure
from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.verdict import Changes
from tests.corpus.edit import body, number_of, root_number, signature, stamp_annotation, update, update_compressed
from tests.corpus.good import good_files, good_house
from tests.support.mutation import FUZZ
from tests.support.signing_cases import canonical_pdf, foreign_pdf

FAKE_SIGNATURE: dict[str, PdfObject] = {"Type": Name("Sig"), "ByteRange": [0, 1, 2, 3], "Contents": PdfString(b"\0" * 8)}
FORM: dict[str, PdfObject] = {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 9, 9]}


def after(data: bytes, revision: int, **options: object) -> ChangeReport:
    return changes_after(Document.parse(data), revision, **options)  # type: ignore[arg-type]


def codes(report: ChangeReport) -> set[str]:
    return {message.code for message in report.findings}


def last_codes(data: bytes, *, strict: bool = True) -> set[str]:
    """Codes of the findings on the last update; it must be undefined."""
    document = Document.parse(data)
    found = ChangeAnalysis(document, strict).update(len(document.revisions) - 1)
    assert found.kind is Changes.UNDEFINED
    return {message.code for message in found.findings}


def last_kind(data: bytes, *, strict: bool = True) -> Changes:
    document = Document.parse(data)
    found = ChangeAnalysis(document, strict).update(len(document.revisions) - 1)
    assert found.findings == ()
    return found.kind


def catalog(data: bytes, **entries: PdfObject) -> dict[int, PdfObject | bytes]:
    document = Document.parse(data)
    number = root_number(document)
    return {number: {**body(document, number), **entries}}


def dss(data: bytes) -> int:
    ref = Document.parse(data).root["DSS"]
    assert isinstance(ref, Ref)
    return ref.number


def form_number(document: Document) -> int:
    ref = document.root["AcroForm"]
    assert isinstance(ref, Ref)
    return ref.number


def fields(document: Document) -> list[PdfObject]:
    found = body(document, form_number(document))["Fields"]
    assert isinstance(found, list)
    return found


def field_number(document: Document, name: str) -> int:
    wanted = PdfString(name.encode())
    return next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == wanted)


def fill(data: bytes, name: str = "Signature-Seal", *, extra: dict[int, PdfObject] | None = None, **entries: PdfObject) -> bytes:
    """The field filled with a signature dictionary of the right layout, its other entries as given."""
    document = Document.parse(data)
    number, fresh = field_number(document, name), document.size
    changed: PdfObject = {**body(document, number), "V": Ref(fresh), **entries}
    return update(data, {number: changed, fresh: FAKE_SIGNATURE, **{fresh + 1 + i: v for i, v in (extra or {}).items()}})


# what honest updates are


def test_record_signed_by_three_and_archived_is_form_filling_then_lta() -> None:
    document = Document.parse(good_files().archived)
    structure = read_structure(document)
    analysis = ChangeAnalysis(document, forms=structure.forms)
    reports = [analysis.after(s.revision, mdp=s.lock) for s in structure.signed]
    assert [r.kind for r in reports] == [Changes.FORM_FILLING, Changes.FORM_FILLING, Changes.LTA, Changes.NONE]
    assert [r.filled_fields for r in reports] == [("Signature-Principal", "Signature-Seal"), ("Signature-Seal",), (), ()]
    assert all(r.findings == () and not r.violates_mdp for r in reports)


def test_each_update_is_judged_once() -> None:
    analysis = ChangeAnalysis(Document.parse(good_files().archived))
    assert analysis.update(3) is analysis.update(3)


def test_renewed_archive_is_lta() -> None:
    house = good_house()
    renewed = archive(good_files().archived, time_stamper=house.tsa, validation=house.evidence)
    assert after(renewed, 3).kind is Changes.LTA


def test_validation_data_and_time_stamp_in_two_revisions_are_lta() -> None:
    with_dss = add_validation_data(good_files().sealed, ValidationData((b"certificate",), (b"crl",), (b"ocsp",)))
    assert last_kind(with_dss) is Changes.LTA
    more = add_validation_data(with_dss, ValidationData((b"another",)))
    assert last_kind(more) is Changes.LTA
    assert last_kind(time_stamp_document(more, time_stamper=good_house().tsa)) is Changes.LTA


def test_vri_entries_are_lta() -> None:
    data = good_files().archived
    document = Document.parse(data)
    number, fresh = dss(data), document.size
    entry: PdfObject = {"Type": Name("VRI"), "Cert": [Ref(fresh)], "CRL": Ref(fresh + 1), "TU": PdfString(b"D:20260905080000Z")}
    vri: PdfObject = {"A" * 40: entry}
    changed: PdfObject = {**body(document, number), "VRI": vri}
    assert (
        last_kind(update(data, {number: changed, fresh: Stream({}, b"c"), fresh + 1: [Ref(fresh + 2)], fresh + 2: Stream({}, b"l")}))
        is Changes.LTA
    )


def test_validation_data_inside_an_object_stream_are_lta() -> None:
    data = foreign_pdf(object_streams=True)
    document = Document.parse(data)
    root = root_number(document)
    members = b"<</Type/DSS/Certs[901 0 R]>>"
    stream = Stream({"Type": Name("ObjStm"), "N": 1, "First": 6}, b"900 0 " + members)
    changed: dict[int, PdfObject] = {root: {**body(document, root), "DSS": Ref(900)}, 901: Stream({}, b"der"), 902: stream}
    assert last_kind(update_compressed(data, changed, {900: (902, 0)})) is Changes.LTA


def test_unchanged_cross_reference_entries_may_be_repeated() -> None:
    data = good_files().archived
    document = Document.parse(data)
    entries = {n: e.offset for n in document.numbers() if (e := document.entry(n)) and e.kind == "offset"}
    assert last_kind(update(data, {}, point=entries)) is Changes.NONE


# what only the `ades` policy lets pass


def test_information_is_left_alone_under_the_record_policy_only() -> None:
    data = good_files().archived
    document = Document.parse(data)
    info = document.trailer.get("Info")
    assert isinstance(info, Ref)
    changed = update(data, {info.number: {**body(document, info.number), "Title": PdfString(b"x")}})
    assert last_codes(changed) == {"METADATA_CHANGED"}
    assert last_kind(changed, strict=False) is Changes.LTA


def _with_text_field(data: bytes) -> bytes:
    document = Document.parse(data)
    page, form, fresh = number_of(document, "Page"), form_number(document), document.size
    annots = body(document, page).get("Annots", [])
    assert isinstance(annots, list)
    widget: PdfObject = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Tx"), "T": PdfString(b"Note"), "F": 4},
        **{"Rect": [0, 0, 9, 9], "P": Ref(page)},
    }
    objects: dict[int, PdfObject | bytes] = {
        fresh: widget,
        page: {**body(document, page), "Annots": [*annots, Ref(fresh)]},
        form: {**body(document, form), "Fields": [*fields(document), Ref(fresh)]},
    }
    return update(data, objects)


def test_text_field_is_filled_under_the_ades_policy_only() -> None:
    data = _with_text_field(canonical_pdf())
    document = Document.parse(data)
    number, fresh = field_number(document, "Note"), document.size
    filled: PdfObject = {**body(document, number), "V": PdfString(b"10"), "AP": {"N": Ref(fresh)}}
    changed = update(data, {number: filled, fresh: Stream(FORM, b"")})
    assert "FORM_FIELD_FILLED" in last_codes(changed)
    assert last_kind(changed, strict=False) is Changes.FORM_FILLING


def _with_signature_field(
    data: bytes, rect: list[PdfObject], *, value: dict[str, PdfObject] = FAKE_SIGNATURE, **entries: PdfObject
) -> bytes:
    document = Document.parse(data)
    page, form, fresh = number_of(document, "Page"), form_number(document), document.size
    annots = body(document, page).get("Annots", [])
    assert isinstance(annots, list)
    widget: dict[str, PdfObject] = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": PdfString(b"Guest")},
        **{"Rect": rect, "P": Ref(page), "V": Ref(fresh + 1), "F": 132, **entries},
    }
    objects: dict[int, PdfObject | bytes] = {
        fresh: {key: item for key, item in widget.items() if item is not None},
        fresh + 1: value,
        page: {**body(document, page), "Annots": [*annots, Ref(fresh)]},
        form: {**body(document, form), "Fields": [*fields(document), Ref(fresh)]},
    }
    return update(data, objects)


def test_signature_field_is_added_under_the_ades_policy_only() -> None:
    changed = _with_signature_field(good_files().stages[0], [0, 0, 0, 0])
    assert last_codes(changed) == {"SIGNATURE_FIELD_ADDED"}
    assert last_kind(changed, strict=False) is Changes.FORM_FILLING
    assert last_kind(_with_signature_field(good_files().stages[0], [0, 0, 90, 90]), strict=False) is Changes.ANNOTATION


def _with_annotation(data: bytes, **entries: PdfObject) -> bytes:
    document = Document.parse(data)
    page, fresh = number_of(document, "Page"), document.size
    annots = body(document, page).get("Annots", [])
    assert isinstance(annots, list)
    note: PdfObject = {**stamp_annotation(Ref(page)), "AP": {"N": Ref(fresh + 1)}, **entries}
    changed: PdfObject = {**body(document, page), "Annots": [*annots, Ref(fresh)]}
    return update(data, {page: changed, fresh: note, fresh + 1: Stream(FORM, b"")})


@pytest.mark.parametrize("strict", [True, False])
def test_markup_is_annotation_and_more_than_any_policy_permits(strict: bool) -> None:
    document = Document.parse(_with_annotation(good_files().archived))
    report = ChangeAnalysis(document, strict).after(3, mdp=Mdp(permissions=3))
    assert report.kind is Changes.ANNOTATION
    assert codes(report) == {"ANNOTATION_ADDED"}
    assert not report.allows(Changes.FORM_FILLING)
    assert report.allows(Changes.ANNOTATION)
    assert codes(ChangeAnalysis(document, strict).after(3, mdp=Mdp(permissions=1))) == {"ANNOTATION_ADDED", "DOCMDP_VIOLATED"}


@pytest.mark.parametrize(
    "entries",
    [
        {"Subtype": Name("Redact")},
        {"Subtype": Name("Link")},
        {"Subtype": Name("Widget")},
        {"A": {"S": Name("URI")}},
        {"OC": {}},
        {"AA": {}},
    ],
)
def test_annotation_that_does_more_than_mark_up_is_undefined(entries: dict[str, PdfObject]) -> None:
    assert last_codes(_with_annotation(good_files().archived, **entries), strict=False) & {"ANNOTATION_ADDED", "ACTIVE_CONTENT"}


# what is always undefined


def _altered(value: PdfObject) -> PdfObject:
    if isinstance(value, Stream):
        return Stream(value.dictionary, value.raw + b" ")
    if isinstance(value, dict):
        return {**value, "Altered": True}
    return [*value, 0] if isinstance(value, list) else 0


def test_no_object_of_the_record_can_be_redefined() -> None:
    data = good_files().archived
    document = Document.parse(data)
    passed = []
    for number in document.numbers():
        for strict in (True, False):
            changed = Document.parse(update(data, {number: _altered(document.get(Ref(number)))}))
            report = ChangeAnalysis(changed, strict).update(len(changed.revisions) - 1)
            if report.kind is not Changes.UNDEFINED and not (report.kind is Changes.LTA and number in _metadata(document) and not strict):
                passed.append((number, strict, report))
    assert passed == []


def _metadata(document: Document) -> set[int]:
    return {ref.number for ref in (document.trailer.get("Info"), document.root.get("Metadata")) if isinstance(ref, Ref)}


def test_no_object_of_the_record_can_be_freed_or_moved() -> None:
    data = good_files().archived
    document = Document.parse(data)
    for number in document.numbers():
        try:
            freed = Document.parse(update(data, {}, free=(number,)))
            assert after(freed.data, 4).kind is Changes.UNDEFINED, number
        except PdfError:
            continue
        old = document.entry(number, 0)
        now = document.entry(number)
        if old is not None and now is not None and old != now:
            assert "XREF_REPOINTED" in last_codes(update(data, {}, point={number: old.offset}))


@pytest.mark.parametrize(
    "entries",
    [
        {"Extensions": {"ADBE": {"BaseVersion": Name("1.7"), "ExtensionLevel": 99}}},
        {"Extensions": {"Evil": {"BaseVersion": Name("1.7"), "ExtensionLevel": 1}}},
        {"Extensions": {"ESIC": {"BaseVersion": Name("1.7"), "ExtensionLevel": 1, "URL": PdfString(b"x")}}},
        {"Version": Name("2.0")},
        {"Outlines": {}},
        {"Lang": PdfString(b"en")},
        {"Perms": {}},
        {"Collection": {}},
    ],
)
def test_catalog_takes_no_other_entries(entries: dict[str, PdfObject]) -> None:
    data = good_files().archived
    assert last_codes(update(data, catalog(data, **entries))) == {"CATALOG_CHANGED"}


def test_known_extensions_are_let_through() -> None:
    data = good_files().sealed
    entries: PdfObject = {"ADBE": {"BaseVersion": Name("1.7"), "ExtensionLevel": 8}}
    assert last_kind(update(data, catalog(data, Extensions=entries))) is Changes.NONE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Certs": []}, "DSS_REDUCED"),
        ({"Certs": None}, "DSS_REDUCED"),
        ({"Evil": 1}, "DSS_MALFORMED"),
        ({"CRLs": [1]}, "DSS_REDUCED"),
        ({"VRI": {"short": {}}}, "DSS_MALFORMED"),
        ({"VRI": {"B" * 40: {"Evil": 1}}}, "DSS_MALFORMED"),
        ({"VRI": 7}, "DSS_MALFORMED"),
    ],
)
def test_validation_data_only_grow(change: dict[str, PdfObject], code: str) -> None:
    data = good_files().archived
    number = dss(data)
    changed = {key: value for key, value in {**body(Document.parse(data), number), **change}.items() if value is not None}
    assert code in last_codes(update(data, {number: changed}))


def test_validation_data_are_plain_streams() -> None:
    data = good_files().archived
    document = Document.parse(data)
    number, fresh = dss(data), document.size
    certs = body(document, number)["Certs"]
    assert isinstance(certs, list)
    changed: PdfObject = {**body(document, number), "Certs": [*certs, Ref(fresh)]}
    odd = Stream({"Type": Name("XObject"), "Subtype": Name("Form")}, b"")
    assert "DSS_MALFORMED" in last_codes(update(data, {number: changed, fresh: odd}))
    assert "DANGLING_REFERENCE" in last_codes(update(data, {number: changed}))


def test_validation_data_may_not_move_to_an_object_signed_before() -> None:
    data = good_files().sealed
    document = Document.parse(data)
    page = number_of(document, "Page")
    changed: dict[int, PdfObject | bytes] = {**catalog(data, DSS=Ref(page)), page: {"Certs": []}}
    assert "OBJECT_REDEFINED" in last_codes(update(data, changed))


def test_new_object_that_fills_a_dangling_reference_is_refused() -> None:
    base = update(canonical_pdf(), catalog(canonical_pdf(), PieceInfo={"Hole": Ref(950)}))
    signed = good_files().sign(base, "homeroom")
    changed = update(signed, {**catalog(signed, DSS=Ref(951)), 951: {"Certs": [Ref(950)]}, 950: Stream({}, b"der")})
    assert last_codes(changed) == {"DANGLING_REFERENCE_FILLED"}


@pytest.mark.parametrize("spelling", [b"950            0 R", b"950%\n0%\nR", b"950\x000\x0cR", b"0950 00 R"])
def test_dangling_reference_is_found_however_it_is_spelled(spelling: bytes) -> None:
    base = update(canonical_pdf(), {940: b"[" + spelling + b"]"})
    changed = update(base, {**catalog(base, DSS=Ref(951)), 951: {"Certs": [Ref(950)]}, 950: Stream({}, b"der")})
    assert last_codes(changed) == {"DANGLING_REFERENCE_FILLED"}


def test_redefined_object_that_serves_elsewhere_too_is_refused() -> None:
    document = Document.parse(canonical_pdf())
    field = field_number(document, "Signature-Seal")
    base = update(canonical_pdf(), catalog(canonical_pdf(), PieceInfo={"Also": Ref(field)}))
    assert last_codes(fill(base)) == {"OBJECT_SHARED"}


@pytest.mark.parametrize(
    "entries",
    [
        {"Rect": [0, 0, 400, 300]},
        {"T": PdfString(b"Other")},
        {"Lock": None},
        {"MK": {}},
        {"F": 2},
        {"F": 6},
        {"P": None},
        {"AA": {}},
        {"Kids": []},
    ],
)
def test_filled_field_changes_in_value_and_appearance_alone(entries: dict[str, PdfObject]) -> None:
    document = Document.parse(canonical_pdf())
    number = field_number(document, "Signature-Seal")
    changed = {k: v for k, v in {**body(document, number), "V": Ref(document.size), **entries}.items() if v is not None}
    assert last_codes(update(canonical_pdf(), {number: changed, document.size: FAKE_SIGNATURE})) & {"FIELD_CHANGED", "FORM_CHANGED"}


def test_filling_with_an_inert_appearance_is_form_filling() -> None:
    size = Document.parse(canonical_pdf()).size
    font: PdfObject = {"Type": Name("Font"), "Subtype": Name("Type1"), "BaseFont": Name("Helvetica")}
    form = Stream({**FORM, "Resources": {"Font": {"F0": Ref(size + 2)}}}, b"BT ET")
    assert last_kind(fill(canonical_pdf(), extra={0: form, 1: font}, AP={"N": Ref(size + 1)})) is Changes.FORM_FILLING


@pytest.mark.parametrize(
    "form",
    [
        Stream({**FORM, "OC": {"Type": Name("OCG")}}, b""),
        Stream({**FORM, "Resources": {"Properties": {"L": {"Type": Name("OCG"), "Name": PdfString(b"x")}}}}, b""),
        Stream({**FORM, "AA": {"O": {"S": Name("JavaScript"), "JS": PdfString(b"1")}}}, b""),
        Stream({**FORM, "F": PdfString(b"elsewhere")}, b""),
        Stream({**FORM, "Subtype": Name("PS")}, b""),
        Stream({**FORM, "PieceInfo": {"Type": Name("Action"), "S": Name("Launch")}}, b""),
        Stream({**FORM, "Resources": Ref(99_999)}, b""),
    ],
)
def test_appearance_that_acts_hides_or_dangles_is_refused(form: Stream) -> None:
    size = Document.parse(canonical_pdf()).size
    assert last_codes(fill(canonical_pdf(), extra={0: form}, AP={"N": Ref(size + 1)})) & {"ACTIVE_CONTENT", "DANGLING_REFERENCE"}


def test_value_signed_before_may_not_fill_a_field() -> None:
    first = good_files().stages[0]
    document = Document.parse(first)
    number = field_number(document, "Signature-Seal")
    taken = signature(first, "Signature-Homeroom").signature_ref
    assert "SIGNATURE_REUSED" in last_codes(update(first, {number: {**body(document, number), "V": taken}}))


@pytest.mark.parametrize(
    ("rect", "entries", "code"),
    [
        ([0, 0, 0, 0], {"V": None}, "FIELD_ADDED"),
        ([0, 0, 0, 0], {"FT": Name("Tx")}, "FIELD_ADDED"),
        ([0, 0, 0, 0], {"T": PdfString(b"Signature-Seal")}, "FIELD_NAME_TWICE"),
        ([0, 0, 0, 0], {"A": {"S": Name("Launch")}}, "FIELD_ADDED"),
        ([0, 0, 0, 0], {"Subtype": Name("Link")}, "FIELD_ADDED"),
    ],
)
def test_field_added_is_nothing_but_a_signature(rect: list[PdfObject], entries: dict[str, PdfObject], code: str) -> None:
    for strict in (True, False):
        assert code in last_codes(_with_signature_field(good_files().stages[0], rect, **entries), strict=strict)


@pytest.mark.parametrize("stamp_type", ["DocTimeStamp", "Sig"])
def test_visible_document_time_stamp_is_refused(stamp_type: str) -> None:
    stamp: dict[str, PdfObject] = {**FAKE_SIGNATURE, "Type": Name(stamp_type), "SubFilter": Name("ETSI.RFC3161")}
    invisible = _with_signature_field(good_files().sealed, [0, 0, 0, 0], value=stamp)
    if stamp_type == "DocTimeStamp":
        assert last_kind(invisible) is Changes.LTA
        assert last_codes(_with_signature_field(good_files().sealed, [0, 0, 90, 90], value=stamp), strict=False) == {
            "SIGNATURE_FIELD_ADDED"
        }
    else:
        assert last_codes(invisible) == {"SIGNATURE_FIELD_ADDED"}


def test_object_stream_may_hold_only_what_the_update_names() -> None:
    data = foreign_pdf(object_streams=True)
    document = Document.parse(data)
    root = root_number(document)
    stream = Stream({"Type": Name("ObjStm"), "N": 2, "First": 12}, b"900 0 950 29<</Type/DSS/Certs[901 0 R]>> 17")
    changed: dict[int, PdfObject] = {root: {**body(document, root), "DSS": Ref(900)}, 901: Stream({}, b"der"), 902: stream}
    assert "OBJECT_STREAM_OVERRIDE" in last_codes(update_compressed(data, changed, {900: (902, 0)}))


def test_redefined_object_stream_is_refused() -> None:
    data = foreign_pdf(object_streams=True)
    document = Document.parse(data)
    holder = next(e.stream_number for n in document.numbers() if (e := document.entry(n)) and e.kind == "compressed")
    stream = document.get(Ref(holder))
    assert isinstance(stream, Stream)
    assert "OBJECT_REDEFINED" in last_codes(update(data, {holder: Stream(stream.dictionary, stream.raw + b"\n")}))


def test_comment_in_an_update_is_unexplained() -> None:
    data = good_files().archived
    whole = update(data, catalog(data))
    assert last_codes(update(data, {}, between=b"% hello\n")) == {"UNEXPLAINED_BYTES"}
    assert last_codes(data + whole[len(data) :].replace(b"trailer\n<<", b"trailer %x\n<<")) == {"UNEXPLAINED_BYTES"}
    assert last_codes(update(data, {dss(data): b"<</Certs[]%x\n>>"})) >= {"UNEXPLAINED_BYTES"}


def test_percent_sign_inside_a_string_is_no_comment() -> None:
    document = Document.parse(canonical_pdf())
    number = field_number(document, "Signature-Seal")
    reason: PdfObject = {**FAKE_SIGNATURE, "Reason": PdfString(b"100 % sure")}
    changed = update(canonical_pdf(), {number: {**body(document, number), "V": Ref(document.size)}, document.size: reason})
    assert last_kind(changed) is Changes.FORM_FILLING


@pytest.mark.parametrize("trailer", [{"Root": Ref(2)}, {"Info": Ref(1)}, {"ID": [PdfString(b"x"), PdfString(b"y")]}, {"Evil": 1}])
def test_trailer_stays_as_it_was(trailer: dict[str, PdfObject]) -> None:
    data = good_files().archived
    assert last_codes(update(data, {}, trailer=trailer)) & {"TRAILER_CHANGED", "UPDATE_UNREADABLE"}


def test_unreadable_update_is_undefined_and_says_why() -> None:
    data = good_files().archived
    found = Document.parse(update(data, {dss(data): b"<</Certs [1 0 R"}))
    report = ChangeAnalysis(found).after(3)
    assert report.kind is Changes.UNDEFINED
    assert codes(report) == {"UPDATE_UNREADABLE"}


def test_number_of_changed_objects_is_bounded() -> None:
    data = canonical_pdf()
    changed = update(data, {}, point=dict.fromkeys(range(20_000, 31_000), 20))
    with pytest.raises(PdfError, match="which is not where it stands"):
        Document.parse(changed)
    many: dict[int, PdfObject | bytes] = dict.fromkeys(range(20_000, 31_000), 0)
    assert last_codes(update(data, many)) == {"UPDATE_UNREADABLE"}


# a signature's own rules


@pytest.mark.parametrize(
    ("mdp", "violated"),
    [
        (Mdp(), set()),
        (Mdp(permissions=1), {"DOCMDP_VIOLATED"}),
        (Mdp(permissions=2), set()),
        (Mdp(locks=(FieldLock("All"),)), {"FIELDMDP_VIOLATED"}),
        (Mdp(locks=(FieldLock("Include", ("Signature-Seal",)),)), {"FIELDMDP_VIOLATED"}),
        (Mdp(locks=(FieldLock("Include", ("Signature-Homeroom",)),)), set()),
        (Mdp(locks=(FieldLock("Exclude", ("Signature-Seal", "Signature-Principal")),)), set()),
        (Mdp(locks=(FieldLock("Exclude", ("Signature-Seal",)),)), {"FIELDMDP_VIOLATED"}),
    ],
)
def test_rules_of_the_first_signature_bind_what_follows(mdp: Mdp, violated: set[str]) -> None:
    report = after(good_files().archived, 1, mdp=mdp)
    assert codes(report) == violated
    assert report.allows(Changes.FORM_FILLING) is not violated or not violated
    assert report.violates_mdp is bool(violated)


def test_validation_data_and_time_stamps_are_permitted_after_a_closing_seal() -> None:
    report = after(good_files().archived, 3, mdp=Mdp(permissions=1, locks=(FieldLock("All"),)))
    assert report.allows(Changes.LTA)


def test_report_allows_up_to_its_kind_and_no_broken_rule() -> None:
    assert ChangeReport(Changes.LTA).allows(Changes.FORM_FILLING)
    assert not ChangeReport(Changes.FORM_FILLING).allows(Changes.LTA)
    assert not ChangeReport(Changes.NONE, violates_mdp=True).allows(Changes.UNDEFINED)


@settings(FUZZ, max_examples=150)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_damaged_updates_raise_nothing_and_pass_for_nothing_better(at: int, octets: bytes) -> None:
    sealed, whole = good_files().sealed, good_files().archived
    at = len(sealed) + at % (len(whole) - len(sealed))
    damaged = whole[:at] + octets + whole[at + len(octets) :]
    try:
        document = Document.parse(damaged)
        structure = read_structure(document)
    except PdfError:
        return
    for found in structure.signed:
        report = ChangeAnalysis(document, forms=structure.forms).after(found.revision, mdp=found.lock)
        assert report.kind in Changes


def remarked(data: bytes, remark: bytes) -> bytes:
    """With a comment between the last trailer and its startxref."""
    head, word, tail = data.rpartition(b"startxref")
    return head + remark + word + tail


def test_writer_that_signs_its_trailer_with_its_name_is_read() -> None:
    house = good_house()
    base = remarked(foreign_pdf(), b"%iText-7.1.9\n")
    signed = sign(base, house.request("homeroom", create=True, appearance=None), time_stamper=house.tsa)
    assert after(archive(signed, time_stamper=house.tsa, validation=house.evidence), 1).kind is Changes.LTA


def test_remark_after_the_trailer_of_an_update_is_for_other_peoples_documents() -> None:
    data = good_files().archived
    update_with_remark = remarked(update(data, catalog(data)), b"%iText-7.1.9\n")
    assert "CLOSING_MALFORMED" in last_codes(update_with_remark)
    assert last_kind(update_with_remark, strict=False) is Changes.NONE


@pytest.mark.parametrize("remark", [b"%" + b"x" * 81 + b"\n", b"%a\n%b\n", b"%\x80\n"])
def test_remark_that_no_writer_makes_is_malformed(remark: bytes) -> None:
    data = good_files().archived
    assert "CLOSING_MALFORMED" in last_codes(remarked(update(data, catalog(data)), remark), strict=False)
