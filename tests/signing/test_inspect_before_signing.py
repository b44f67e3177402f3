"""Attack class 15: what the signer refuses, one built document each."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from records.export import export_record
from signing.errors import RefusedDocumentError
from signing.inspect import inspect
from signing.pdf.document import Document
from signing.sign import sign
from tests.support.record_cases import make_record
from tests.support.signing_cases import WORKFLOW, canonical_pdf, foreign_pdf, make_signing_house

Change = Callable[[Pdf], None]


def changed(change: Change, *, object_streams: bool = False) -> bytes:
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        change(pdf)
        out = io.BytesIO()
        mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
        pdf.save(out, object_stream_mode=mode, deterministic_id=True)
        return out.getvalue()


def javascript_on_opening(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def javascript_by_name(pdf: Pdf) -> None:
    script = pdf.make_indirect(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))


def javascript_behind_a_link(pdf: Pdf) -> None:
    action = Dictionary(S=Name.URI, URI=String("https://school.example"), Next=Dictionary(S=Name.JavaScript, JS=String("x")))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link)])


def xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm.XFA = pdf.make_stream(b"<xdp/>")


def additional_actions(pdf: Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.URI, URI=String("https://school.example")))


def opening_action(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.URI, URI=String("https://school.example"))


def fillable_field(pdf: Pdf) -> None:
    field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("mark"), Rect=Array([0, 0, 50, 20]))
    pdf.Root.AcroForm.Fields.append(pdf.make_indirect(field))


def launch(pdf: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=Dictionary(S=Name.Launch, F=String("a.exe")))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link)])


def other_document(pdf: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=Dictionary(S=Name.GoToR, F=String("a.pdf")))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link)])


def layer_off(pdf: Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Điểm thật")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))


def layer_by_use(pdf: Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("In")))
    automatic = Dictionary(Event=Name.Print, Category=Array([Name.Print]), OCGs=Array([layer]))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(AS=Array([automatic])))


def multimedia(pdf: Pdf) -> None:
    screen = Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=Array([0, 0, 9, 9]))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(screen)])


def external_stream(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]), F=String("https://x.example/a")))
    pdf.pages[0].Resources.XObject = Dictionary(X=form)


def reference_xobject(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])))
    form.Ref = Dictionary(F=String("other.pdf"), Page=0)
    pdf.pages[0].Resources.XObject = Dictionary(X=form)


def postscript(pdf: Pdf) -> None:
    pdf.pages[0].Resources.XObject = Dictionary(X=Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.PS)))


def hidden_page(pdf: Pdf) -> None:
    page = Dictionary(Type=Name.Page, MediaBox=Array([0, 0, 100, 100]), Parent=pdf.Root.Pages)
    pdf.Root.PieceInfo = Dictionary(Hidden=pdf.make_indirect(page))


def template_page(pdf: Pdf) -> None:
    page = pdf.make_indirect(Dictionary(Type=Name.Template, MediaBox=Array([0, 0, 100, 100])))
    pdf.Root.Names = Dictionary(Templates=Dictionary(Names=Array([String("t"), page])))


def second_catalog(pdf: Pdf) -> None:
    pdf.Root.PieceInfo = Dictionary(Hidden=pdf.make_indirect(Dictionary(Type=Name.Catalog, Pages=pdf.Root.Pages)))


CASES: dict[str, tuple[Change, str]] = {
    "15-javascript-open": (javascript_on_opening, "JavaScript"),
    "15-javascript-names": (javascript_by_name, "JavaScript"),
    "15-javascript-link": (javascript_behind_a_link, "JavaScript"),
    "15-xfa": (xfa, "an XFA form"),
    "15-additional-actions": (additional_actions, "additional actions"),
    "15-open-action": (opening_action, "an action on opening"),
    "15-fillable-field": (fillable_field, "a fillable form field"),
    "15-launch": (launch, "an action that reaches outside"),
    "15-other-document": (other_document, "an action that reaches outside"),
    "15-layer-off": (layer_off, "layers that are or may be hidden"),
    "15-layer-by-use": (layer_by_use, "layers that are or may be hidden"),
    "15-multimedia": (multimedia, "a multimedia annotation"),
    "15-external-stream": (external_stream, "a stream whose data is in another file"),
    "15-reference-xobject": (reference_xobject, "a page taken from another file"),
    "15-postscript": (postscript, "PostScript"),
    "15-hidden-page": (hidden_page, "hidden-page"),
    "15-template-page": (template_page, "hidden-page"),
    "15-second-catalog": (second_catalog, "hidden-document"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("object_streams", [False, True], ids=["plain", "object streams"])
def test_document_is_refused(case: str, object_streams: bool) -> None:
    change, message = CASES[case]
    with pytest.raises(RefusedDocumentError, match=re.escape(message)):
        inspect(Document.parse(changed(change, object_streams=object_streams)))


def test_the_signer_refuses_such_a_document() -> None:
    with pytest.raises(RefusedDocumentError, match="JavaScript"):
        sign(changed(javascript_on_opening), make_signing_house().request("homeroom"), time_stamper=None)


def test_escaped_names_do_not_hide_a_thing() -> None:
    document = changed(javascript_by_name).replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4aS")
    with pytest.raises(RefusedDocumentError, match="JavaScript"):
        inspect(Document.parse(moved_cross_reference(document)))


def test_object_that_no_cross_reference_lists_is_refused() -> None:
    document = canonical_pdf()
    at = document.index(b"\nxref\n") + 1
    hidden = document[:at] + b"7 0 obj\n<</Type/Page>>\nendobj\n" + document[at:]
    with pytest.raises(RefusedDocumentError, match="listed nowhere"):
        inspect(Document.parse(moved_cross_reference(hidden)))


def test_octets_after_the_end_are_refused() -> None:
    with pytest.raises(RefusedDocumentError, match="after the end of the document"):
        inspect(Document.parse(canonical_pdf() + b"%% more\n"))


@pytest.mark.parametrize(
    "document",
    [
        canonical_pdf(),
        foreign_pdf(),
        foreign_pdf(object_streams=True, form="indirect"),
        foreign_pdf(linearize=True),
        export_record(make_record(), WORKFLOW, verify_url="https://school.example/verify"),
    ],
    ids=["canonical", "foreign", "object streams", "linearised", "export"],
)
def test_honest_document_is_let_through(document: bytes) -> None:
    inspect(Document.parse(document))


def test_going_to_a_page_on_opening_is_let_through() -> None:
    def go(pdf: Pdf) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))

    inspect(Document.parse(changed(go)))


def test_layers_that_are_all_on_are_let_through() -> None:
    def layers(pdf: Pdf) -> None:
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Khung")))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(ON=Array([layer])))

    inspect(Document.parse(changed(layers)))


def test_word_obj_inside_a_stream_is_let_through() -> None:
    def content(pdf: Pdf) -> None:
        pdf.pages[0].obj.PieceInfo = Dictionary(Note=pdf.make_stream(b"7 0 obj << /JavaScript >> endobj"))

    inspect(Document.parse(uncompressed(content)))


def uncompressed(change: Change) -> bytes:
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False, deterministic_id=True)
        return out.getvalue()


def moved_cross_reference(document: bytes) -> bytes:
    """Offsets of the one cross-reference table set right again after octets were put in."""
    at = document.index(b"\nxref\n") + 1
    table = bytearray(document[at:])
    first = table.index(b"\n", len(b"xref\n")) + 1
    for found in reversed(list(re.finditer(rb"^(\d+) 0 obj", document[:at], re.MULTILINE))):  # the first of a number is the listed one
        position = first + 20 * int(found[1])
        table[position : position + 10] = b"%010d" % found.start()
    return document[:at] + re.sub(rb"startxref\n\d+", b"startxref\n%d" % at, bytes(table))
