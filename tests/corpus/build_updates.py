"""Attack classes 6 to 14, 18 to 20 and 43: updates after (or between) honest signatures."""

from __future__ import annotations

import zlib

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from signing.pdf.serialize import serialize
from tests.corpus.case import GoodFiles, case
from tests.corpus.edit import (
    Name,
    PdfString,
    Ref,
    Stream,
    body,
    number_of,
    overwrite,
    root_number,
    signature,
    stamp_annotation,
    update,
    update_compressed,
)

SAVING = "ISO 32000-2 7.5.6; incremental saving attack (Mladenov et al. 2019)"
SHADOW = "shadow attack (Mainka et al. 2021)"
CONTENT = Stream({}, b"BT /F0 24 Tf 30 200 Td (10,0) Tj ET")


def _page_content(document: Document, page: int) -> int:
    content = body(document, page)["Contents"]
    content = content[0] if isinstance(content, list) else content
    assert isinstance(content, Ref)
    return content.number


def _catalog(good: bytes, **entries: PdfObject) -> bytes:
    document = Document.parse(good)
    number = root_number(document)
    return update(good, {number: {**body(document, number), **entries}})


def _field_number(document: Document, name: str) -> int:
    wanted = PdfString(name.encode())
    return next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == wanted)


@case("06-content-update", 6, "OBJECT_REDEFINED", clause=SAVING, reason="a page's content was replaced after the archive time stamp")
def content_update(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    return update(good.archived, {_page_content(document, number_of(document, "Page")): CONTENT})


@case("06-content-new-object", 6, "PAGE_CHANGED", "OBJECT_UNEXPLAINED", clause=SAVING, reason="a page points to new content")
def content_new_object(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    page, fresh = number_of(document, "Page"), document.size
    return update(good.archived, {page: {**body(document, page), "Contents": Ref(fresh)}, fresh: CONTENT})


@case(
    "06-copied-signature",
    6,
    "SIGNATURE_CHANGED",
    "BYTE_RANGE_GAP",
    "SIGNATURE_REMOVED",
    clause=SAVING,
    reason="a copy of the signature travels with the edit",
)
def copied_signature(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    seal = signature(good.sealed, "Signature-Seal")
    fresh = document.size
    objects: dict[int, PdfObject | bytes] = {
        _page_content(document, number_of(document, "Page")): CONTENT,
        seal.ref.number: {**seal.dictionary, "V": Ref(fresh)},
        fresh: seal.signature,
    }
    return update(good.sealed, objects)


@case(
    "06-commented-close",
    6,
    "UNEXPLAINED_BYTES",
    "OBJECT_UNEXPLAINED",
    "OBJECT_REDEFINED",
    clause=SAVING,
    reason="a comment hides the end of an object from some readers",
)
def commented_close(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {catalog: serialize(body(document, catalog)) + b"\n%endobj 3 0 obj"})


@case("07-no-xref", 7, "TRAILING_BYTES", clause=SAVING, reason="objects and trailer without a cross-reference, for readers in repair mode")
def no_xref(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    return update(good.archived, {_page_content(document, number_of(document, "Page")): CONTENT}, with_xref=False)


@case("07-no-trailer", 7, "TRAILING_BYTES", clause=SAVING, reason="objects alone, for readers in repair mode")
def no_trailer(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    objects: dict[int, PdfObject | bytes] = {_page_content(document, number_of(document, "Page")): CONTENT}
    return update(good.archived, objects, with_xref=False, with_trailer=False, with_eof=False)


@case("07-no-eof", 7, "PDF_BROKEN", clause=SAVING, reason="an update without its end", refusal="is not followed by startxref and %%EOF")
def no_eof(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    return update(good.archived, {_page_content(document, number_of(document, "Page")): CONTENT}, with_eof=False)


@case("07-trailing-bytes", 7, "TRAILING_BYTES", clause="no octet is left unexplained", reason="octets after the last %%EOF")
def trailing_bytes(good: GoodFiles) -> bytes:
    return good.archived + b"hello"


@case(
    "07-trailing-newline", 7, "TRAILING_BYTES", clause="no octet is left unexplained", reason="even white space after the end is not signed"
)
def trailing_newline(good: GoodFiles) -> bytes:
    return good.archived + b"\n\n"


@case("07-trailing-eof", 7, "TRAILING_BYTES", clause=SAVING, reason="octets and a second %%EOF")
def trailing_eof(good: GoodFiles) -> bytes:
    return good.archived + b"1 0 obj\n<<>>\nendobj\n%%EOF\n"


@case("07-unlisted-object", 7, "UNEXPLAINED_BYTES", clause=SAVING, reason="an object in the update that its cross-reference does not name")
def unlisted_object(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {catalog: body(document, catalog)}, between=b"3 0 obj\n<< /Type /Page >>\nendobj\n")


def _with_evidence(good: GoodFiles, octets: bytes, **changes: object) -> bytes:
    """The archived record with one more stream of validation data: what anybody may append after the last signature."""
    document = Document.parse(good.archived)
    ref, fresh = document.root["DSS"], document.size
    assert isinstance(ref, Ref)
    store = body(document, ref.number)
    certificates = store["Certs"]
    assert isinstance(certificates, list)
    objects: dict[int, PdfObject | bytes] = {ref.number: {**store, "Certs": [*certificates, Ref(fresh)]}, fresh: Stream({}, octets)}
    return update(good.archived, objects, **changes)  # type: ignore[arg-type]


def _hidden_content(good: GoodFiles, between: bytes = b"\n") -> bytes:
    """A page's content written anew, as octets for a reader in repair mode to find."""
    document = Document.parse(good.archived)
    number = _page_content(document, number_of(document, "Page"))
    assert isinstance(CONTENT, Stream)
    return b"\n%d" % number + between + b"0" + between + b"obj\n" + serialize(CONTENT) + b"\nendobj\n"


@case(
    "07-object-in-validation-data",
    7,
    "HIDDEN_OBJECT",
    clause=SAVING,
    reason="new page content inside a stream of validation data, for readers in repair mode",
)
def object_in_validation_data(good: GoodFiles) -> bytes:
    return _with_evidence(good, _hidden_content(good))


@case(
    "07-object-head-in-comments",
    7,
    "HIDDEN_OBJECT",
    clause=SAVING,
    reason="the same, its head torn apart by comments, and without an end",
)
def object_head_in_comments(good: GoodFiles) -> bytes:
    return _with_evidence(good, _hidden_content(good, b" %x\n%y\n ").partition(b"<<")[0] + b"<</Length 3>>")


@case(
    "07-trailer-in-validation-data",
    7,
    "HIDDEN_OBJECT",
    clause=SAVING,
    reason="another catalog named in a stream, for readers in repair mode",
)
def trailer_in_validation_data(good: GoodFiles) -> bytes:
    return _with_evidence(good, b"\ntrailer %x\n<</Root 17 0 R>>\n")


@case("07-object-in-trailer", 7, "HIDDEN_OBJECT", clause=SAVING, reason="an object inside a string of the trailer")
def object_in_trailer(good: GoodFiles) -> bytes:
    identifiers = Document.parse(good.archived).trailer["ID"]
    assert isinstance(identifiers, list)
    whole = update(good.archived, {}, trailer={"ID": [identifiers[0], PdfString(b"here")]})
    return whole.replace(b"(here)", b"(\n3 0 obj\n<<>>\n)")


@case(
    "07-startxref-after-nul",
    7,
    "CLOSING_MALFORMED",
    clause=SAVING,
    reason="a closing that poppler does not read, so that it gathers objects by itself",
)
def startxref_after_nul(good: GoodFiles) -> bytes:
    whole = _with_evidence(good, b"0")
    at = whole.rindex(b"startxref\n")
    return overwrite(whole, at + 9, b"\0")


@case(
    "07-startxref-far-from-the-end",
    7,
    "CLOSING_MALFORMED",
    clause="ISO 32000-2 annex C: %%EOF and startxref in the last octets",
    reason="a closing beyond the octets that readers search for it",
)
def startxref_far_from_the_end(good: GoodFiles) -> bytes:
    whole = _with_evidence(good, b"0")
    at = whole.rindex(b"%%EOF")
    return whole[:at] + b"\n" * 6000 + whole[at:]


@case("08-page-added", 8, "OBJECT_REDEFINED", clause=SAVING, reason="a page was added")
def page_added(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    tree, page, fresh = number_of(document, "Pages"), number_of(document, "Page"), document.size
    kids, count = body(document, tree)["Kids"], body(document, tree)["Count"]
    assert isinstance(kids, list)
    assert isinstance(count, int)
    changed: dict[str, PdfObject] = {**body(document, tree), "Kids": [*kids, Ref(fresh)], "Count": count + 1}
    added = {key: value for key, value in body(document, page).items() if key not in ("Annots", "StructParents")}
    return update(good.archived, {tree: changed, fresh: added})


@case("08-page-removed", 8, "OBJECT_REDEFINED", clause=SAVING, reason="a page was removed")
def page_removed(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    tree = number_of(document, "Pages")
    kids = body(document, tree)["Kids"]
    assert isinstance(kids, list)
    return update(good.archived, {tree: {**body(document, tree), "Kids": kids[1:], "Count": len(kids) - 1}})


@case("08-pages-swapped", 8, "OBJECT_REDEFINED", clause=SAVING, reason="pages were swapped")
def pages_swapped(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    tree = number_of(document, "Pages")
    kids = body(document, tree)["Kids"]
    assert isinstance(kids, list)
    return update(good.archived, {tree: {**body(document, tree), "Kids": kids[::-1]}})


@case("08-page-tree-replaced", 8, "CATALOG_CHANGED", clause=SAVING, reason="the catalog points to another page tree")
def page_tree_replaced(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    root, tree, fresh = root_number(document), number_of(document, "Pages"), document.size
    objects: dict[int, PdfObject | bytes] = {root: {**body(document, root), "Pages": Ref(fresh)}, fresh: body(document, tree)}
    return update(good.archived, objects)


@case("08-page-media-box", 8, "PAGE_CHANGED", clause=SAVING, reason="a page was cropped")
def page_media_box(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    page = number_of(document, "Page")
    return update(good.archived, {page: {**body(document, page), "MediaBox": [0, 0, 100, 100]}})


@case("09-font-replaced", 9, "OBJECT_REDEFINED", clause=SAVING, reason="a font that draws other digits")
def font_replaced(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    font = number_of(document, "Type0")
    return update(good.archived, {font: {**body(document, font), "Encoding": Name("Identity-V")}})


@case("09-font-program", 9, "OBJECT_REDEFINED", clause=SAVING, reason="the font's program was replaced")
def font_program(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    number = next(
        ref.number
        for n in document.numbers()
        if isinstance(v := document.get(Ref(n)), dict)
        for key in ("FontFile2", "FontFile3", "FontFile")
        if isinstance(ref := v.get(key), Ref)
    )
    found = document.get(Ref(number))
    assert isinstance(found, Stream)
    return update(good.archived, {number: Stream(found.dictionary, zlib.compress(b"another program"))})


@case("10-open-action", 10, "CATALOG_CHANGED", clause=SAVING, reason="JavaScript runs when the document opens")
def open_action(good: GoodFiles) -> bytes:
    return _catalog(good.archived, OpenAction={"S": Name("JavaScript"), "JS": PdfString(b"app.alert(1)")})


@case("10-names-javascript", 10, "CATALOG_CHANGED", clause=SAVING, reason="JavaScript through the name tree")
def names_javascript(good: GoodFiles) -> bytes:
    action = {"S": Name("JavaScript"), "JS": PdfString(b"app.alert(1)")}
    return _catalog(good.archived, Names={"JavaScript": {"Names": [PdfString(b"a"), action]}})


@case("10-page-action", 10, "PAGE_CHANGED", clause=SAVING, reason="an action on opening a page")
def page_action(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    page = number_of(document, "Page")
    action: PdfObject = {"O": {"S": Name("JavaScript"), "JS": PdfString(b"1")}}
    return update(good.archived, {page: {**body(document, page), "AA": action}})


@case("10-xfa", 10, "FORM_CHANGED", clause=SAVING, reason="an XFA form laid over the document")
def xfa(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    fresh = document.size
    return update(good.archived, {ref.number: {**body(document, ref.number), "XFA": Ref(fresh)}, fresh: Stream({}, b"<xdp/>")})


@case("10-need-appearances", 10, "FORM_CHANGED", clause="ISO 32000-2 table 224", reason="the viewer draws the fields anew")
def need_appearances(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    return update(good.archived, {ref.number: {**body(document, ref.number), "NeedAppearances": True}})


@case(
    "11-value-cleared",
    11,
    "SIGNATURE_REMOVED",
    clause="universal signature forgery; signature removed",
    reason="the seal's field lost its value",
)
def value_cleared(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    seal = _field_number(document, "Signature-Seal")
    return update(good.sealed, {seal: {k: v for k, v in body(document, seal).items() if k != "V"}})


@case(
    "11-all-values-cleared", 11, "SIGNATURE_REMOVED", clause="signature removed, not unsigned", reason="the only signature was taken away"
)
def all_values_cleared(good: GoodFiles) -> bytes:
    first = good.stages[0]
    document = Document.parse(first)
    field = _field_number(document, "Signature-Homeroom")
    return update(first, {field: {k: v for k, v in body(document, field).items() if k != "V"}})


@case(
    "11-field-detached",
    11,
    "SIGNATURE_REMOVED",
    clause="signature removed, not unsigned",
    reason="the form no longer lists the seal's field",
)
def field_detached(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    fields = body(document, ref.number)["Fields"]
    assert isinstance(fields, list)
    return update(good.sealed, {ref.number: {**body(document, ref.number), "Fields": fields[:-1]}})


@case("11-form-removed", 11, "SIGNATURE_REMOVED", clause="signature removed, not unsigned", reason="the catalog lost its form")
def form_removed(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    root = root_number(document)
    return update(good.sealed, {root: {k: v for k, v in body(document, root).items() if k != "AcroForm"}})


@case("11-signature-freed", 11, "SIGNATURE_MISSING", "OBJECT_FREED", clause="ISO 32000-2 7.5.4", reason="the signature object was freed")
def signature_freed(good: GoodFiles) -> bytes:
    return update(good.sealed, {}, free=(signature(good.sealed, "Signature-Seal").signature_ref.number,))


@case("11-type-changed", 11, "SIGNATURE_REMOVED", clause="signature removed, not unsigned", reason="the seal's field became a text field")
def type_changed(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    seal = _field_number(document, "Signature-Seal")
    return update(good.sealed, {seal: {**body(document, seal), "FT": Name("Tx"), "V": PdfString(b"signed")}})


@case(
    "11-rolled-back",
    11,
    "TRAILING_BYTES",
    clause="ISO 32000-2 7.5.5",
    reason="a last startxref leads back to the first signature's revision",
)
def rolled_back(good: GoodFiles) -> bytes:
    offset = Document.parse(good.archived).revisions[1].xref_offset
    return good.archived + b"startxref\n%d\n%%%%EOF\n" % offset


@case(
    "11-rolled-back-to-unsigned",
    11,
    "TRAILING_BYTES",
    clause="signature removed, not unsigned",
    reason="a last startxref hides every signature",
)
def rolled_back_to_unsigned(good: GoodFiles) -> bytes:
    offset = Document.parse(good.archived).revisions[0].xref_offset
    return good.archived + b"startxref\n%d\n%%%%EOF\n" % offset


@case(
    "11-all-revisions-skipped",
    11,
    verdict="TOTAL-FAILED/FORMAT_FAILURE SIGNATURE_REMOVED",
    clause="signature removed, not unsigned",
    reason="/Prev jumps over every signed revision",
)
def all_revisions_skipped(good: GoodFiles) -> bytes:
    first = Document.parse(good.archived).revisions[0]
    root = root_number(Document.parse(good.archived))
    catalog = {key: value for key, value in body(Document.parse(good.unsigned), root).items() if key != "DSS"}
    return update(good.archived, {root: catalog}, trailer={"Prev": first.xref_offset})


@case("12-shadow-hide", 12, "ANNOTATION_REMOVED", "OBJECT_REDEFINED", clause=SHADOW, reason="an overlay that was signed is taken away")
def shadow_hide(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    page = next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("Type") == "Page" and "Annots" in v)
    found = body(document, page)["Annots"]
    if isinstance(found, Ref):
        return update(good.archived, {found.number: []})
    return update(good.archived, {page: {**body(document, page), "Annots": []}})


@case(
    "12-xref-repointed",
    12,
    "XREF_REPOINTED",
    clause=SHADOW,
    reason="the cross-reference alone points a page's content to other signed octets",
)
def xref_repointed(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    field = _field_number(document, "Signature-Homeroom")
    old = document.entry(field, 0)
    assert old is not None
    return update(good.archived, {}, point={field: old.offset})


@case(
    "13-shadow-replace",
    13,
    "SIGNATURE_CHANGED",
    "FORM_FIELD_FILLED",
    "FIELD_CHANGED",
    clause=SHADOW,
    reason="a signed field's appearance is drawn over the page",
)
def shadow_replace(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    field, fresh = _field_number(document, "Signature-Homeroom"), document.size
    form = Stream({"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 400, 300]}, b"0 0 400 300 re f")
    return update(good.archived, {field: {**body(document, field), "AP": {"N": Ref(fresh)}}, fresh: form})


@case(
    "13-field-moved", 13, "SIGNATURE_CHANGED", "FIELD_CHANGED", clause=SHADOW, reason="a field grows over the whole page while it is signed"
)
def field_moved(good: GoodFiles) -> bytes:
    document = Document.parse(good.stages[1])
    field, honest = _field_number(document, "Signature-Seal"), Document.parse(good.sealed)
    moved = {**body(honest, field), "Rect": [0, 0, 400, 300]}
    return update(good.sealed, {field: moved})


@case("14-layer-flipped", 14, "CATALOG_CHANGED", clause="ISO 32000-2 8.11.4", reason="optional content is switched")
def layer_flipped(good: GoodFiles) -> bytes:
    return _catalog(good.archived, OCProperties={"OCGs": [], "D": {"BaseState": Name("OFF")}})


@case(
    "16-free-text",
    16,
    "ANNOTATION_ADDED",
    "DOCMDP_VIOLATED",
    clause="ISO 32000-2 table 257: P=1",
    reason="a free-text annotation over the marks",
)
def free_text(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    page, fresh = number_of(document, "Page"), document.size
    found = body(document, page).get("Annots", [])
    note = stamp_annotation(Ref(page))
    if isinstance(found, Ref):
        listed = document.get(found)
        assert isinstance(listed, list)
        return update(good.archived, {found.number: [*listed, Ref(fresh)], fresh: note})
    assert isinstance(found, list)
    return update(good.archived, {page: {**body(document, page), "Annots": [*found, Ref(fresh)]}, fresh: note})


@case("17-unsigned-field", 17, "FIELD_ADDED", clause="ISO 32000-2 12.7.5.5", reason="an unsigned field whose appearance covers the page")
def unsigned_field(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    fields = body(document, ref.number)["Fields"]
    assert isinstance(fields, list)
    fresh, page = document.size, number_of(document, "Page")
    widget: PdfObject = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": PdfString(b"Cover")},
        **{"Rect": [0, 0, 400, 300], "P": Ref(page), "F": 4, "AP": {"N": Ref(fresh + 1)}},
    }
    form = Stream({"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 400, 300]}, b"0 0 400 300 re f")
    changed: PdfObject = {**body(document, ref.number), "Fields": [*fields, Ref(fresh)]}
    return update(good.archived, {ref.number: changed, fresh: widget, fresh + 1: form})


@case("18-perms-added", 18, "CATALOG_CHANGED", clause="ISO 32000-2 12.8.6", reason="/Perms turned up after signing")
def perms_added(good: GoodFiles) -> bytes:
    return _catalog(good.archived, Perms={"DocMDP": signature(good.archived, "Signature-Seal").signature_ref})


@case(
    "18-lock-removed", 18, "SIGNATURE_CHANGED", clause="ISO 32000-2 12.7.5.5", reason="the closing seal's lock was taken out of its field"
)
def lock_removed(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    seal = _field_number(document, "Signature-Seal")
    return update(good.archived, {seal: {k: v for k, v in body(document, seal).items() if k != "Lock"}})


@case(
    "18-information-changed",
    18,
    "METADATA_CHANGED",
    "TRAILER_CHANGED",
    clause="record policy; EN 319 102-1 leaves it to the policy",
    ades="TOTAL-PASSED",
    reason="the document's title was changed",
)
def information_changed(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    info, fresh = document.trailer.get("Info"), document.size
    if isinstance(info, Ref):
        return update(good.archived, {info.number: {**body(document, info.number), "Title": PdfString(b"Another")}})
    return update(good.archived, {fresh: {"Title": PdfString(b"Another")}}, trailer={"Info": Ref(fresh)})


@case(
    "20-prev-loop",
    20,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.5.5",
    reason="a cross-reference that points to itself",
    refusal="does not point backwards",
)
def prev_loop(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    longer = update(good.archived, {catalog: body(document, catalog)}, trailer={"Prev": 1_000_000})
    at = Document.parse(update(good.archived, {catalog: body(document, catalog)})).revisions[-1].xref_offset
    return longer.replace(b"/Prev 1000000", b"/Prev %d" % at)


@case(
    "20-prev-negative", 20, "PDF_BROKEN", clause="ISO 32000-2 7.5.5", reason="a negative offset", refusal="is not an offset inside the file"
)
def prev_negative(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {catalog: body(document, catalog)}, trailer={"Prev": -1})


@case(
    "20-hybrid",
    20,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.5.8.4",
    reason="a hybrid cross-reference shows two documents",
    refusal="no object at offset 100",
)
def hybrid(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {catalog: body(document, catalog)}, trailer={"XRefStm": 100})


@case(
    "20-not-there",
    20,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.5.4",
    reason="a cross-reference that does not point at its object",
    refusal="is not where it stands",
)
def not_there(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {}, point={catalog: 20})


@case(
    "20-skipped-revision",
    20,
    "UNEXPLAINED_BYTES",
    clause="ISO 32000-2 7.5.6",
    reason="/Prev jumps over the archive time stamp's revision",
)
def skipped_revision(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    return update(good.archived, {catalog: body(document, catalog)}, trailer={"Prev": document.revisions[-2].xref_offset})


@case(
    "20-size-reduced",
    20,
    "TRAILER_CHANGED",
    clause="ISO 32000-2 table 15: objects from /Size on are missing",
    reason="an empty update whose /Size takes signed objects away",
)
def size_reduced(good: GoodFiles) -> bytes:
    return update(good.archived, {}, trailer={"Size": 20})


@case(
    "20-stream-names-hybrid",
    20,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.5.8.4: a trailer's key",
    reason="a cross-reference stream that leads some readers to another one",
    refusal="names an /XRefStm",
)
def stream_names_hybrid(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    whole = update_compressed(good.archived, {catalog: body(document, catalog)}, {})
    return whole.replace(b"/XRef", b"/XRef/XRefStm 20")


@case(
    "42-cut-back",
    42,
    clause="design.md, idea 11",
    reason="the record was cut back to its first signature",
    verdict="INDETERMINATE/SIG_CONSTRAINTS_FAILURE STEPS_MISSING",
    ades="INDETERMINATE/TRY_LATER REVOCATION_UNKNOWN",
)
def cut_back(good: GoodFiles) -> bytes:
    return good.sealed[: len(good.stages[0])]


@case(
    "42-cut-back-to-second",
    42,
    clause="design.md, idea 11",
    reason="the record was cut back to its second signature, and archived",
    verdict="INDETERMINATE/SIG_CONSTRAINTS_FAILURE STEPS_MISSING",
    ades="TOTAL-PASSED",
)
def cut_back_to_second(good: GoodFiles) -> bytes:
    return good.archive(good.sealed[: len(good.stages[1])])


@case(
    "43-edit-between",
    43,
    "OBJECT_REDEFINED",
    clause="each update is judged, not the last alone",
    reason="an edit between two honest signatures",
)
def edit_between(good: GoodFiles) -> bytes:
    document = Document.parse(good.stages[0])
    edited = update(good.stages[0], {_page_content(document, number_of(document, "Page")): CONTENT})
    return good.sign(good.sign(edited, "principal"), "seal")


@case(
    "43-annotation-between", 43, "ANNOTATION_ADDED", "PAGE_CHANGED", clause="each update is judged", reason="a note put in before the seal"
)
def annotation_between(good: GoodFiles) -> bytes:
    document = Document.parse(good.stages[1])
    page, fresh = number_of(document, "Page"), document.size
    found = body(document, page).get("Annots", [])
    assert isinstance(found, list)
    changed: PdfObject = {**body(document, page), "Annots": [*found, Ref(fresh)]}
    return good.sign(update(good.stages[1], {page: changed, fresh: stamp_annotation(Ref(page))}), "seal")


@case(
    "43-not-covered-by-stamp",
    43,
    "OBJECT_REDEFINED",
    clause="each update is judged",
    reason="an edit between the seal and the archive time stamp",
)
def edit_before_archive(good: GoodFiles) -> bytes:
    document = Document.parse(good.sealed)
    return good.archive(update(good.sealed, {_page_content(document, number_of(document, "Page")): CONTENT}))


@case(
    "43-octet-flipped",
    43,
    verdict="TOTAL-FAILED/HASH_FAILURE DIGEST_MISMATCH",
    clause="the digest covers it",
    reason="one octet inside every signature's range",
)
def octet_flipped(good: GoodFiles) -> bytes:
    at = good.unsigned.rindex(b"/MediaBox")  # of the last page, which no update touches
    return overwrite(good.archived, good.archived.index(b"4", at), b"5")
