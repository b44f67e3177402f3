"""What one dictionary of a PDF may not say in a document to be signed (attack class 15)."""

from __future__ import annotations

from collections.abc import Callable

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject

ACTIONS = frozenset(
    {
        *("JavaScript", "Launch", "GoToR", "GoToE", "SubmitForm", "ResetForm", "ImportData", "Hide", "SetOCGState"),
        *("Rendition", "Movie", "Sound", "Trans", "GoTo3DView", "RichMediaExecute"),
    }
)
"""Actions (ISO 32000-2 table 201) that reach outside the file or change what is seen; /GoTo, /URI and /Named do neither."""
ACTIVE_ANNOTATIONS = frozenset({"Screen", "Movie", "Sound", "RichMedia", "3D"})
FILLABLE = frozenset({"Tx", "Btn", "Ch"})
_HARMLESS_ACTIONS = frozenset({"GoTo"})


def finding(document: Document, found: dict[str, PdfObject], *, is_stream: bool) -> str | None:
    """What is wrong with one dictionary, or None."""
    for wrong, what in _WRONG:
        if wrong(found):
            return what
    if is_stream and "F" in found:
        return "a stream whose data is in another file (external reference)"
    if "OpenAction" in found and not _harmless_opening(document.get(found["OpenAction"])):
        return "an action on opening"
    if "OCProperties" in found and not _all_layers_on(document, document.get(found["OCProperties"])):
        return "layers that are or may be hidden"
    return None


_Rule = tuple[Callable[[dict[str, PdfObject]], bool], str]
_WRONG: tuple[_Rule, ...] = (
    (lambda d: "JS" in d or "JavaScript" in d or d.get("S") == "JavaScript", "JavaScript"),
    (lambda d: "XFA" in d, "an XFA form"),
    (lambda d: "AA" in d, "additional actions"),
    (lambda d: d.get("FT") in FILLABLE, "a fillable form field"),
    (lambda d: d.get("S") in ACTIONS and d.get("Type", "Action") == "Action", "an action that reaches outside or changes what is shown"),
    (lambda d: d.get("Subtype") in ACTIVE_ANNOTATIONS and "Rect" in d, "a multimedia annotation"),
    (lambda d: d.get("Subtype") == "PS" or d.get("Subtype2") == "PS", "PostScript"),
    (lambda d: d.get("Subtype") == "Form" and "Ref" in d, "a page taken from another file (external reference)"),
    (lambda d: "OPI" in d, "an image taken from another file (external reference)"),
    (lambda d: d.get("FS") == "URL", "a file that lies elsewhere (external reference)"),
)


def _harmless_opening(action: PdfObject) -> bool:
    """A destination, or going to one."""
    if isinstance(action, dict):
        return action.get("S") in _HARMLESS_ACTIONS and "Next" not in action
    return isinstance(action, list)


def _all_layers_on(document: Document, properties: PdfObject) -> bool:
    """Optional content is shown whatever a reader does by itself: no layer off, none switched by use, no other configuration."""
    if not isinstance(properties, dict) or document.get(properties.get("Configs")):
        return False
    default = document.get(properties.get("D"))
    if not isinstance(default, dict):
        return False
    return default.get("BaseState", "ON") == "ON" and not document.get(default.get("OFF")) and not document.get(default.get("AS"))
