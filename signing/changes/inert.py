"""Appearances and signature values must be inert: nothing that runs, nothing that hides or shows by layers, nothing outside the file.

Everything new that can be reached from them is walked and claimed; what existed before may be referred to, since it was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signing.changes.comparison import Comparison
from signing.inspection.reading import references
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
            if item.number in seen or _claimed_at_once(comparison, item, role, seen):
                continue
            seen.add(item.number)
            if len(seen) > MAX_OBJECTS:
                comparison.refuse("OBJECT_UNEXPLAINED", f"the {role} reaches more than {MAX_OBJECTS} objects")
                return
            item = _entered(comparison, item, role)
        active, inside = _looked_into(item, comparison.new)
        if active:
            comparison.refuse("ACTIVE_CONTENT", f"the {role} holds {', '.join(active)}, which may act or hide")
        waiting += inside


def reached_inertly(objects: Mapping[Ref, PdfObject]) -> tuple[Ref, tuple[int, ...]] | None:
    """The one of `objects` that none of them refers to, and the numbers of those that :func:`claim_inert` claims from it on, in its order.

    None where there is no such one, and where what is reached is active or refers to anything but `objects`.
    """
    roots = objects.keys() - {ref for value in objects.values() for ref in references(value)}
    if len(roots) != 1:
        return None
    (root,) = roots
    waiting: list[PdfObject] = [root]
    reached: dict[Ref, None] = {}
    while waiting:
        item = waiting.pop()
        if isinstance(item, Ref):
            if item in reached:
                continue
            reached[item] = None
            if item not in objects or isinstance(item := objects[item], Ref):
                return None
        active, inside = _looked_into(item, objects.get)
        if active:
            return None
        waiting += inside
    return root, tuple(ref.number for ref in reached)


def claim_markup(comparison: Comparison, ref: Ref) -> bool:
    """Claims a new annotation that only marks up its page, and its appearance; says whether it is one."""
    found = comparison.new(ref)
    if not comparison.is_new(ref) or not isinstance(found, dict) or _name(found.get("Subtype"), comparison.new) not in MARKUP:
        return False
    comparison.claim(ref, "annotation")
    if active := sorted(found.keys() & {"A", "AA", "OC"}):
        comparison.refuse("ACTIVE_CONTENT", f"the annotation holds {', '.join(active)}, which may act or hide")
    for key, value in found.items():
        if key not in _OTHER_ANNOTATIONS:
            claim_inert(comparison, value, "annotation")
    return True


def _claimed_at_once(comparison: Comparison, ref: Ref, role: str, seen: set[int]) -> bool:
    """Claims all that `ref` reaches where that is known to be inert, and as new and unclaimed here as it would be for a walk."""
    reached = comparison.inert.get(ref, ())
    if not reached or len(seen) + len(reached) > MAX_OBJECTS or not comparison.brought.issuperset(reached):
        return False
    if not seen.isdisjoint(reached) or not comparison.claimed.keys().isdisjoint(reached):
        return False
    seen.update(reached)
    comparison.claimed.update(dict.fromkeys(reached, role))
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


def _looked_into(item: PdfObject, get: Callable[[Ref], PdfObject]) -> tuple[list[str], list[PdfObject]]:
    """What makes `item` act, hide or reach out of the file, and what stands directly in it and may lead to other objects.

    `get` finds what a reference refers to.
    """
    if isinstance(item, list):
        return [], [one for one in item if type(one) in _REACHING]
    found, keys = (item.dictionary, _ACTIVE_IN_STREAM) if isinstance(item, Stream) else (item, ACTIVE_KEYS)
    if not isinstance(found, dict):
        return [], []
    inside = [one for one in found.values() if type(one) in _REACHING]
    if _TELLING.isdisjoint(found):
        return [], inside
    active = [] if keys.isdisjoint(found) else sorted(keys & found.keys())
    kind, subtype, action = _name(found.get("Type"), get), _name(found.get("Subtype"), get), _name(found.get("S"), get)
    if kind in ACTIVE_TYPES or subtype in ACTIVE_SUBTYPES or action == "JavaScript":
        active.append(kind or subtype or action)
    return active, inside


def _name(value: PdfObject, get: Callable[[Ref], PdfObject]) -> str:
    """The name that `value` is or refers to; "" where it is something else than a name."""
    if isinstance(value, Ref):
        value = get(value)
    return value if isinstance(value, Name) else ""
