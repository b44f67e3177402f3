"""Appearances and signature values must be inert: nothing that runs, nothing that hides or shows by layers, nothing outside the file.

Everything new that can be reached from them is walked and claimed; what existed before may be referred to, since it was signed.
"""

from __future__ import annotations

from collections.abc import Iterable

from signing.changes.comparison import Comparison
from signing.pdf.objects import Name, PdfObject, Ref, Stream

ACTIVE_KEYS = frozenset({"OC", "OCG", "OCGs", "AA", "JS", "OpenAction", "XFA", "OPI", "Alternates", "EF", "RF", "Launch", "PS"})
STREAM_KEYS = frozenset({"F", "A", "Ref"})  # data, and pages, of other files (ISO 32000-2 tables 5 and 93)
_ACTIVE_IN_STREAM = ACTIVE_KEYS | STREAM_KEYS
ACTIVE_TYPES = frozenset({"Action", "OCG", "OCMD", "Filespec", "EmbeddedFile", "Page", "Pages", "Catalog", "Annot", "ObjStm", "XRef"})
MARKUP = frozenset(
    {
        *("Text", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight", "Underline", "Squiggly", "StrikeOut"),
        *("Caret", "Stamp", "Ink", "Popup"),
    }
)
"""Annotations that mark up a page and do nothing else (ISO 32000-2 table 171); Redact is not among them, since it takes content away."""
_TELLING = _ACTIVE_IN_STREAM | {"Type", "Subtype", "S"}
_OTHER_ANNOTATIONS = ("P", "Parent", "Popup", "IRT")
ACTIVE_SUBTYPES = frozenset({"PS", "Widget", "Link", "Screen", "Movie", "RichMedia", "3D"})
_REACHING = frozenset({Ref, list, dict, Stream})  # kinds of objects that others can be reached from
MAX_OBJECTS = 2_000  # new objects in one appearance; a signature's has about ten


def claim_inert(comparison: Comparison, value: PdfObject, role: str) -> None:
    """Claims for `role` every new object that `value` reaches; refuses what is active, dangling or redefined on the way."""
    waiting: list[PdfObject] = [value]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Ref):
            if item.number in seen:
                continue
            seen.add(item.number)
            if len(seen) > MAX_OBJECTS:
                comparison.refuse("OBJECT_UNEXPLAINED", f"the {role} reaches more than {MAX_OBJECTS} objects")
                return
            item = _entered(comparison, item, role)
        items: Iterable[PdfObject] = ()
        if isinstance(item, dict):
            _check(comparison, item, role, ACTIVE_KEYS)
            items = item.values()
        elif isinstance(item, Stream):
            _check(comparison, item.dictionary, role, _ACTIVE_IN_STREAM)
            items = item.dictionary.values()
        elif isinstance(item, list):
            items = item
        waiting += [one for one in items if type(one) in _REACHING]


def claim_markup(comparison: Comparison, ref: Ref) -> bool:
    """Claims a new annotation that only marks up its page, and its appearance; says whether it is one."""
    found = comparison.new(ref)
    if not comparison.is_new(ref) or not isinstance(found, dict) or _name(comparison, found.get("Subtype")) not in MARKUP:
        return False
    comparison.claim(ref, "annotation")
    if active := sorted(found.keys() & {"A", "AA", "OC"}):
        comparison.refuse("ACTIVE_CONTENT", f"the annotation holds {', '.join(active)}, which may act or hide")
    for key, value in found.items():
        if key not in _OTHER_ANNOTATIONS:
            claim_inert(comparison, value, "annotation")
    return True


def _entered(comparison: Comparison, ref: Ref, role: str) -> PdfObject:
    """The object behind `ref`, to be walked, where this update brings it."""
    found = comparison.new(ref)
    if not comparison.is_new(ref):
        if found is None:
            comparison.refuse("DANGLING_REFERENCE", f"the {role} refers to object {ref.number}, which does not exist")
        return None  # signed before, or redefined and then for its own role to explain
    other = comparison.claimed.setdefault(ref.number, role)
    if other != role:
        comparison.refuse("OBJECT_UNEXPLAINED", f"object {ref.number} serves as {role} and as {other}")
        return None
    return found


def _check(comparison: Comparison, found: dict[str, PdfObject], role: str, keys: frozenset[str]) -> None:
    if _TELLING.isdisjoint(found):
        return
    active = [] if keys.isdisjoint(found) else sorted(keys & found.keys())
    kind, subtype = _name(comparison, found.get("Type")), _name(comparison, found.get("Subtype"))
    action = _name(comparison, found.get("S"))
    if kind in ACTIVE_TYPES or subtype in ACTIVE_SUBTYPES or action == "JavaScript":
        active.append(kind or subtype or action)
    if active:
        comparison.refuse("ACTIVE_CONTENT", f"the {role} holds {', '.join(active)}, which may act or hide")


def _name(comparison: Comparison, value: PdfObject) -> str:
    """The name that `value` is or refers to; "" where it is something else than a name."""
    if isinstance(value, Ref):
        value = comparison.new(value)
    return value if isinstance(value, Name) else ""
