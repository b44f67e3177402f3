"""Attack class 15: documents that the signer refuses, each with the name of what is found. Made from a sound unsigned document.

Kept apart from the register of the other classes, whose cases are signed and judged by the verifier: these are never signed at all.

    python -m tests.corpus.build_class15 FOLDER       # writes each as a file
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Encryption, Name, ObjectStreamMode, Pdf, Stream, String

from signing.pdf.document import Document
from tests.corpus.edit import update
from tests.support.signing_cases import canonical_pdf

Change = Callable[[Pdf], None]


@dataclass(frozen=True)
class RefusedCase:
    """`found` is :attr:`signing.errors.RefusedDocumentError.found`; `text` is part of what is said. `build(object_streams)` makes it."""

    id: str
    found: str
    text: str
    build: Callable[[bool], bytes]


CASES: dict[str, RefusedCase] = {}


def changed(change: Change, *, object_streams: bool = False) -> bytes:
    """The sound document after `change`, written anew. Objects that nothing refers to any more are left out by qpdf."""
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        change(pdf)
        out = io.BytesIO()
        mode = ObjectStreamMode.generate if object_streams else ObjectStreamMode.disable
        pdf.save(out, object_stream_mode=mode, deterministic_id=True)
        return out.getvalue()


def case(identifier: str, found: str, text: str) -> Callable[[Change], Change]:
    """Registers a change to the sound document."""

    def register(change: Change) -> Change:
        made = RefusedCase(identifier, found, text, lambda object_streams: changed(change, object_streams=object_streams))
        CASES[identifier] = made
        return change

    return register


def octets(identifier: str, found: str, text: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Registers a document that is made octet by octet, the same for both shapes."""

    def register(build: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES[identifier] = RefusedCase(identifier, found, text, lambda _: build())
        return build

    return register


@case("15-javascript-open", "javascript", "JavaScript")
def javascript_on_opening(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


@case("15-javascript-names", "javascript", "JavaScript")
def javascript_by_name(pdf: Pdf) -> None:
    script = pdf.make_indirect(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))


@case("15-javascript-link", "javascript", "JavaScript")
def javascript_behind_a_link(pdf: Pdf) -> None:
    action = Dictionary(S=Name.URI, URI=String("https://school.example"), Next=Dictionary(S=Name.JavaScript, JS=String("x")))
    _annotate(pdf, Subtype=Name.Link, A=action)


@case("15-xfa", "xfa", "an XFA form")
def xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm.XFA = pdf.make_stream(b"<xdp/>")


@case("15-additional-actions", "action", "additional actions")
def additional_actions(pdf: Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.URI, URI=String("https://school.example")))


@case("15-open-action", "action", "an action on opening")
def opening_action(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.URI, URI=String("https://school.example"))


@case("15-launch", "action", "an action that reaches outside")
def launch(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.Link, A=Dictionary(S=Name.Launch, F=String("a.exe")))


@case("15-action-by-reference", "hidden-object", "is the name /Hide alone")
def action_by_reference(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.Link, A=Dictionary(S=pdf.make_indirect(Name.Hide), T=String("Mark")))


@case("15-page-by-reference", "hidden-object", "is the name /Page alone")
def page_by_reference(pdf: Pdf) -> None:
    page = Dictionary(Type=pdf.make_indirect(Name.Page), MediaBox=Array([0, 0, 100, 100]), Parent=pdf.Root.Pages)
    pdf.Root.PieceInfo = Dictionary(Hidden=pdf.make_indirect(page))


@case("15-field-type-by-reference", "form-field", "a fillable form field")
def field_type_by_reference(pdf: Pdf) -> None:
    _field(pdf, FT=pdf.make_indirect(Name.Tx))


@case("15-other-document", "action", "an action that reaches outside")
def other_document(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.Link, A=Dictionary(S=Name.GoToR, F=String("a.pdf")))


@case("15-layer-switch", "action", "an action that reaches outside or changes what is shown")
def layer_switch(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.Link, A=Dictionary(S=Name.SetOCGState, State=Array([])))


@case("15-text-field", "form-field", "a fillable form field")
def text_field(pdf: Pdf) -> None:
    _field(pdf, FT=Name.Tx)


@case("15-choice-field", "form-field", "a fillable form field")
def choice_field(pdf: Pdf) -> None:
    _field(pdf, FT=Name.Ch, Opt=Array([String("8,5"), String("9,5")]))


@case("15-check-box", "form-field", "a fillable form field")
def check_box(pdf: Pdf) -> None:
    _field(pdf, FT=Name.Btn)


@case("15-inherited-field-type", "form-field", "a fillable form field")
def inherited_field_type(pdf: Pdf) -> None:
    widget = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 50, 20]), T=String("b")))
    parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("a"), Kids=Array([widget])))
    widget.Parent = parent
    pdf.Root.AcroForm.Fields.append(parent)


@case("15-layer-off", "hidden-layer", "layers that are or may be hidden")
def layer_off(pdf: Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Điểm thật")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))


@case("15-layer-base-off", "hidden-layer", "layers that are or may be hidden")
def layer_off_by_default(pdf: Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Điểm thật")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(BaseState=Name.OFF))


@case("15-layer-by-use", "hidden-layer", "layers that are or may be hidden")
def layer_by_use(pdf: Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("In")))
    automatic = Dictionary(Event=Name.Print, Category=Array([Name.Print]), OCGs=Array([layer]))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(AS=Array([automatic])))


@case("15-multimedia", "multimedia", "a multimedia annotation")
def multimedia(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.Screen)


@case("15-external-stream", "external-reference", "a stream whose data is in another file")
def external_stream(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]), F=String("https://x.example/a")))
    pdf.pages[0].Resources.XObject = Dictionary(X=form)


@case("15-external-file", "external-reference", "a file that lies elsewhere")
def external_file(pdf: Pdf) -> None:
    pdf.pages[0].obj.PieceInfo = Dictionary(Type=Name.Filespec, FS=Name.URL, F=String("https://x.example/marks.pdf"))


@case("15-reference-xobject", "external-reference", "a page taken from another file")
def reference_xobject(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])))
    form.Ref = Dictionary(F=String("other.pdf"), Page=0)
    pdf.pages[0].Resources.XObject = Dictionary(X=form)


@case("15-image-elsewhere", "external-reference", "an image taken from another file")
def image_elsewhere(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])))
    form.OPI = Dictionary()
    pdf.pages[0].Resources.XObject = Dictionary(X=form)


@case("15-image-for-print", "hidden-image", "an image with alternates")
def image_for_print(pdf: Pdf) -> None:
    def image(octet: bytes) -> Stream:
        entries = Dictionary(Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, BitsPerComponent=8, ColorSpace=Name.DeviceGray)
        return Stream(pdf, octet, entries)

    shown = image(b"\0")
    shown.Alternates = Array([Dictionary(Image=image(b"\xff"), DefaultForPrinting=True)])
    pdf.pages[0].Resources.XObject = Dictionary(X=shown)


@case("15-postscript", "postscript", "PostScript")
def postscript(pdf: Pdf) -> None:
    pdf.pages[0].Resources.XObject = Dictionary(X=Stream(pdf, b"", Dictionary(Type=Name.XObject, Subtype=Name.PS)))


@case("15-portfolio", "portfolio", "a portfolio")
def portfolio(pdf: Pdf) -> None:
    pdf.Root.Collection = Dictionary(Type=Name.Collection, View=Name.D)


@case("15-hidden-annotation", "hidden-annotation", "an annotation that is not shown but could be")
def hidden_annotation(pdf: Pdf) -> None:
    _annotate(pdf, Subtype=Name.FreeText, F=2, Contents=String("10,0"), DA=String("/Helv 12 Tf"))


@case("15-hidden-page", "hidden-page", "is a page that is not among the document's pages")
def hidden_page(pdf: Pdf) -> None:
    page = Dictionary(Type=Name.Page, MediaBox=Array([0, 0, 100, 100]), Parent=pdf.Root.Pages)
    pdf.Root.PieceInfo = Dictionary(Hidden=pdf.make_indirect(page))


@case("15-template-page", "hidden-page", "is a page that is not among the document's pages")
def template_page(pdf: Pdf) -> None:
    page = pdf.make_indirect(Dictionary(Type=Name.Template, MediaBox=Array([0, 0, 100, 100])))
    pdf.Root.Names = Dictionary(Templates=Dictionary(Names=Array([String("t"), page])))


@case("15-second-catalog", "hidden-document", "is a second catalog")
def second_catalog(pdf: Pdf) -> None:
    pdf.Root.PieceInfo = Dictionary(Hidden=pdf.make_indirect(Dictionary(Type=Name.Catalog, Pages=pdf.Root.Pages)))


@octets("15-object-listed-nowhere", "hidden-object", "is listed nowhere")
def object_listed_nowhere() -> bytes:
    return _slipped_in(b"90000 0 obj\n<</Type/XObject>>\nendobj\n")


@octets("15-object-twice", "duplicate-object", "object 7 stands twice")
def object_twice() -> bytes:
    return _slipped_in(b"7 0 obj\n<</Other/Contents>>\nendobj\n")


@octets("15-object-unreferenced", "hidden-object", "a stream, is listed but nothing refers to it")
def object_unreferenced() -> bytes:
    number = Document.parse(canonical_pdf()).size
    return update(canonical_pdf(), {number: b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 4>>\nstream\n0 g \nendstream"})


@octets("15-objects-referring-to-each-other", "hidden-object", "a dictionary, is listed but nothing refers to it")
def objects_referring_to_each_other() -> bytes:
    first = Document.parse(canonical_pdf()).size
    return update(canonical_pdf(), {first: b"<</Next %d 0 R>>" % (first + 1), first + 1: b"<</Prev %d 0 R>>" % first})


@octets("15-object-referred-to-in-a-string", "hidden-object", "is listed but nothing refers to it")
def object_referred_to_in_a_string() -> bytes:
    document = Document.parse(canonical_pdf())
    information = document.trailer["Info"].number  # type: ignore[union-attr]  # a reference
    number = document.size
    return update(canonical_pdf(), {information: b"<</Title(see %d 0 R)>>" % number, number: b"<</Contents(10,0)>>"})


@octets("15-object-referred-to-in-a-comment", "hidden-object", "is listed but nothing refers to it")
def object_referred_to_in_a_comment() -> bytes:
    document = Document.parse(canonical_pdf())
    information = document.trailer["Info"].number  # type: ignore[union-attr]  # a reference
    number = document.size
    return update(canonical_pdf(), {information: b"<<%% see %d 0 R\n/Title(x)>>" % number, number: b"<</Contents(10,0)>>"})


@octets("15-object-of-another-generation", "hidden-object", "is listed but nothing refers to it")
def object_of_another_generation() -> bytes:
    document = Document.parse(canonical_pdf())
    information = document.trailer["Info"].number  # type: ignore[union-attr]  # a reference
    number = document.size
    return update(canonical_pdf(), {information: b"<</Title(x)/Other %d 3 R>>" % number, number: b"<</Contents(10,0)>>"})


@octets("15-octets-after-the-end", "hidden-object", "after the end of the document")
def octets_after_the_end() -> bytes:
    return canonical_pdf() + b"%% more\n"


@octets("15-escaped-name", "javascript", "JavaScript")
def escaped_name() -> bytes:
    return moved_cross_reference(changed(javascript_by_name).replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4aS"))


def encrypted() -> bytes:
    """Refused when it is read, by :class:`signing.errors.EncryptedPdfError`."""
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=Encryption(owner="owner", user=""))
        return out.getvalue()


def moved_cross_reference(document: bytes) -> bytes:
    """Offsets of the one cross-reference table set right again after octets were put in."""
    at = document.index(b"\nxref\n") + 1
    table = bytearray(document[at:])
    first = table.index(b"\n", len(b"xref\n")) + 1
    listed = int(table[:first].split()[-1])
    for found in reversed(list(re.finditer(rb"^(\d+) 0 obj", document[:at], re.MULTILINE))):  # the first of a number is the listed one
        if int(found[1]) < listed:
            position = first + 20 * int(found[1])
            table[position : position + 10] = b"%010d" % found.start()
    return document[:at] + re.sub(rb"startxref\n\d+", b"startxref\n%d" % at, bytes(table))


def _slipped_in(hidden: bytes) -> bytes:
    document = canonical_pdf()
    at = document.index(b"\nxref\n") + 1
    return moved_cross_reference(document[:at] + hidden + document[at:])


def _annotate(pdf: Pdf, **entries: object) -> None:
    annotation = Dictionary(Type=Name.Annot, Rect=Array([0, 0, 9, 9]), **entries)  # type: ignore[arg-type]  # pikepdf objects
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(annotation)])


def _field(pdf: Pdf, **entries: object) -> None:
    field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, T=String("mark"), Rect=Array([0, 0, 50, 20]), **entries)  # type: ignore[arg-type]
    pdf.Root.AcroForm.Fields.append(pdf.make_indirect(field))


def main(folder: str) -> None:
    """Writes every case as `<id>.pdf`."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for each in CASES.values():
        (Path(folder) / f"{each.id}.pdf").write_bytes(each.build(False))
    (Path(folder) / "15-encrypted.pdf").write_bytes(encrypted())


if __name__ == "__main__":
    main(sys.argv[1])
