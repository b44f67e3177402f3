"""From the typeset PDF to the one that is signed: signature fields, and no claim of conformance that no validator has confirmed.

The template marks each signature box with a link `eduseal-field:<name>`. Such a link has a page, a rectangle and a place in the
structure tree; here it becomes the signature field's widget, and its Link structure element a Form (ISO 32000-2 table 368), so
that a screen reader meets the field where a sighted reader does.
"""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from records.errors import ExportError
from signing.workflow import Step, Workflow

MARK = b"eduseal-field:"
PRINT_AND_LOCKED = 4 | 128  # ISO 32000-2 table 167: printed; position and properties may not be changed
SIGNATURES_EXIST_APPEND_ONLY = 3  # table 225
PERMIT_NOTHING_MORE = 1  # table 236, /P of a field lock: no changes once signed (DSS and document time stamps stay permitted, 12.8.2.2)
_CLAIM = re.compile(rb"<pdfaid:part>\d</pdfaid:part><pdfaid:conformance>[A-Z]</pdfaid:conformance>")


def with_signature_fields(typeset: bytes, workflow: Workflow, *, labels: dict[str, str]) -> bytes:
    """The PDF with one empty signature field for each step, in the boxes that the template drew; the same input, the same octets.

    `labels` gives each step id its words for a screen reader (/TU). Written with a classic cross-reference table and without object
    streams, so that incremental signatures stay readable to simple verifiers. Raises :class:`ExportError` where a box is missing.
    """
    try:
        with pikepdf.open(io.BytesIO(typeset)) as pdf:
            boxes = _boxes(pdf)
            fields = [_field(pdf, step, boxes, labels[step.id]) for step in workflow.steps]
            if boxes:
                raise ExportError(f"the template drew boxes for no step: {', '.join(sorted(boxes))}")
            pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array(fields), SigFlags=SIGNATURES_EXIST_APPEND_ONLY))
            pdf.Root.ViewerPreferences.DisplayDocTitle = True
            pdf.Root.MarkInfo = Dictionary(Marked=True)  # poppler complains of Typst's /Suspects false, which is the default
            for page in pdf.pages:
                page.obj.Tabs = Name.S  # the tab order is the structure's
            _drop_conformance_claim(pdf)
            written = io.BytesIO()
            pdf.save(
                written,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                fix_metadata_version=False,
                deterministic_id=True,
            )
            return written.getvalue()
    except pikepdf.PdfError as exc:
        raise ExportError(f"the typeset record cannot be read back: {type(exc).__name__}") from exc


def _boxes(pdf: Pdf) -> dict[str, tuple[Object, Object]]:
    """Field name to (page, link annotation)."""
    found: dict[str, tuple[Object, Object]] = {}
    for page in pdf.pages:
        for annotation in page.obj.get("/Annots", ()):
            target = bytes(annotation.A.URI) if annotation.get("/Subtype") == Name.Link and "/URI" in annotation.get("/A", {}) else b""
            if target.startswith(MARK):
                found[target.removeprefix(MARK).decode()] = (page.obj, annotation)
    return found


def _field(pdf: Pdf, step: Step, boxes: dict[str, tuple[Object, Object]], label: str) -> Object:
    """Turns the step's link into its field, merged with its only widget."""
    try:
        page, widget = boxes.pop(step.field)
    except KeyError:
        raise ExportError(f"the template drew no box for step {step.id}, field {step.field}") from None
    for key in ("/A", "/Border", "/Contents", "/QuadPoints"):
        if key in widget:
            del widget[key]
    widget.Subtype = Name.Widget
    widget.FT = Name.Sig
    widget.T = String(step.field)
    widget.TU = String(label)
    widget.F = PRINT_AND_LOCKED
    widget.P = page
    if not step.certifies:  # a certification says by its DocMDP what may change in the whole document
        widget.Lock = pdf.make_indirect(_lock(step))
    widget.AP = Dictionary(N=pdf.make_indirect(_empty_appearance(pdf, widget)))
    element = _structure_element(pdf, widget)
    element.S = Name.Form
    if isinstance(element.K, Array) and len(element.K) == 1:
        element.K = element.K[0]  # pyHanko's change analysis lets a signature fill a tagged field only where /K is the reference itself
    return widget


def _lock(step: Step) -> Dictionary:
    """An approval locks its own field, or those that its step names; the closing seal locks all, for good (domain.md)."""
    if step.seal:
        return Dictionary(Type=Name.SigFieldLock, Action=Name.All, P=PERMIT_NOTHING_MORE)
    return Dictionary(Type=Name.SigFieldLock, Action=Name.Include, Fields=Array([String(name) for name in step.locked_fields]))


def _empty_appearance(pdf: Pdf, widget: Object) -> Stream:
    """PDF/A wants an appearance on every widget, even before it is signed (ISO 19005-3 clause 6.3.3)."""
    x0, y0, x1, y1 = (Decimal(str(edge)) for edge in widget.Rect.as_list())
    stream = Stream(pdf, b"q Q\n")
    stream.Type, stream.Subtype, stream.Resources = Name.XObject, Name.Form, Dictionary()
    stream.BBox = Array([0, 0, x1 - x0, y1 - y0])
    return stream


def _structure_element(pdf: Pdf, widget: Object) -> Object:
    """The element that owns the annotation: ParentTree maps its /StructParent to it."""
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums.as_list()
    wanted = int(widget.StructParent)
    for index in range(0, len(numbers), 2):
        if int(numbers[index]) == wanted:
            return numbers[index + 1]
    raise ExportError(f"the signature box of {widget.T} has no place in the document's structure")


def _drop_conformance_claim(pdf: Pdf) -> None:
    """PDF/A-3 is intended, not claimed: no validator has confirmed it, and the signature fields came after Typst's own check."""
    metadata, claims = _CLAIM.subn(b"", pdf.Root.Metadata.read_bytes())
    if claims != 1:
        raise ExportError(f"expected one PDF/A identification in the metadata, got {claims}")
    pdf.Root.Metadata.write(metadata)
