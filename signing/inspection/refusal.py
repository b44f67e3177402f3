"""What one dictionary of a PDF may not say in a document to be signed (attack class 15)."""

from __future__ import annotations

from collections.abc import Callable

from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject

ACTIONS = frozenset(
    {
        *("JavaScript", "Launch", "GoToR", "GoToE", "SubmitForm", "ResetForm", "ImportData", "Hide", "SetOCGState"),
        *("Rendition", "Movie", "Sound", "Trans", "GoTo3DView", "RichMediaExecute"),
    }
)
"""Actions (ISO 32000-2 table 201) that reach outside the file or change what is seen; /GoTo, /URI and /Named do neither."""
ACTIVE_ANNOTATIONS = frozenset({"Screen", "Movie", "Sound", "RichMedia", "3D"})
FILLABLE = frozenset({"Tx", "Btn", "Ch"})
HIDING_FLAGS = 2 | 32  # table 167: Hidden and NoView
_NAMED = ("FT", "FS", "S", "Subtype", "Subtype2", "Type")  # entries that the rules below compare with names; they may be references

Finding = tuple[str, str]
"""The name of what was found, as :attr:`signing.errors.RefusedDocumentError.found` has it, and its words."""


def finding(document: Document, found: dict[str, PdfObject], *, is_stream: bool) -> Finding | None:
    """What is wrong with one dictionary, or None."""
    plain = found | {key: _name(document.get(found[key])) for key in _NAMED if key in found}
    for wrong, name, words in _WRONG:
        if wrong(plain):
            return name, words
    if is_stream and "F" in found:
        return "external-reference", "a stream whose data is in another file"
    if "Rect" in found and "Subtype" in found and _hides(document.get(found.get("F"))) and plain.get("FT") != "Sig":
        return "hidden-annotation", "an annotation that is not shown but could be"
    if "OpenAction" in found and not _harmless_opening(document.get(found["OpenAction"])):
        return "action", "an action on opening"
    if "OCProperties" in found and not _all_layers_on(document, document.get(found["OCProperties"])):
        return "hidden-layer", "layers that are or may be hidden"
    return None


_Rule = tuple[Callable[[dict[str, PdfObject]], bool], str, str]
_WRONG: tuple[_Rule, ...] = (
    (lambda d: "JS" in d or "JavaScript" in d or d.get("S") == "JavaScript", "javascript", "JavaScript"),
    (lambda d: "XFA" in d, "xfa", "an XFA form"),
    (lambda d: "AA" in d, "action", "additional actions"),
    (lambda d: d.get("FT") in FILLABLE, "form-field", "a fillable form field"),
    (
        lambda d: d.get("S") in ACTIONS and d.get("Type") in (None, "Action"),
        "action",
        "an action that reaches outside or changes what is shown",
    ),
    (lambda d: d.get("Subtype") in ACTIVE_ANNOTATIONS and "Rect" in d, "multimedia", "a multimedia annotation"),
    (lambda d: d.get("Subtype") == "PS" or d.get("Subtype2") == "PS", "postscript", "PostScript"),
    (lambda d: d.get("Subtype") == "Form" and "Ref" in d, "external-reference", "a page taken from another file"),
    (lambda d: "OPI" in d, "external-reference", "an image taken from another file"),
    (lambda d: d.get("FS") == "URL", "external-reference", "a file that lies elsewhere"),
    (lambda d: "Alternates" in d and d.get("Subtype") == "Image", "hidden-image", "an image with alternates, another one for print"),
    (lambda d: "Collection" in d and "Pages" in d, "portfolio", "a portfolio, which shows embedded files in place of its pages"),
)


def _name(value: PdfObject) -> PdfObject:
    """A name as it is; None for anything else, which says nothing where a name belongs."""
    return value if isinstance(value, Name) else None


def _hides(flags: PdfObject) -> bool:
    return isinstance(flags, int) and bool(flags & HIDING_FLAGS)


def _harmless_opening(action: PdfObject) -> bool:
    """A destination, or going to one."""
    if isinstance(action, dict):
        return action.get("S") == "GoTo" and "Next" not in action
    return isinstance(action, list)


def _all_layers_on(document: Document, properties: PdfObject) -> bool:
    """Optional content is shown whatever a reader does by itself: no layer off, none switched by use, no other configuration."""
    if not isinstance(properties, dict) or document.get(properties.get("Configs")):
        return False
    default = document.get(properties.get("D"))
    if not isinstance(default, dict):
        return False
    return default.get("BaseState", "ON") == "ON" and not document.get(default.get("OFF")) and not document.get(default.get("AS"))
