"""The role of the form: signature fields filled, document time stamps added (ISO 32000-2 clauses 12.7 and 12.8)."""

from __future__ import annotations

from signing.changes.comparison import Comparison, appended, same
from signing.changes.inert import claim_inert
from signing.pdf.fields import Field
from signing.pdf.objects import PdfObject, Ref
from signing.pdf.text import text
from signing.verdict import Changes

FIELD_KEYS = frozenset({"Type", "Subtype", "FT", "T", "TU", "V", "F", "Rect", "P", "Ff", "AP", "Lock", "SV", "MK", "Border"})
TIMESTAMP_FIELD_KEYS = frozenset({"Type", "Subtype", "FT", "T", "TU", "V", "F", "Rect", "P", "Ff", "AP"})
PLAIN_FIELD_KEYS = frozenset({"V", "AP", "AS", "I", "M"})
VISIBLE_FLAGS = (4, 132)  # table 167: Print, Print and Locked; other bits hide a widget or free it


def review_form(comparison: Comparison, old: PdfObject, new: PdfObject) -> None:
    """Compares the values of the catalog's /AcroForm before and after; claims form, fields, widgets, signatures, appearances."""
    if isinstance(old, Ref) or isinstance(new, Ref):
        if old != new:
            comparison.refuse("FORM_CHANGED", "the catalog refers to another form than before")
            return
        if isinstance(new, Ref) and comparison.is_changed(new):
            comparison.claim(new, "form")
    before, after = comparison.old(old), comparison.new(new)
    if before is None and after is None:
        return
    if not isinstance(before, dict) or not isinstance(after, dict):
        comparison.refuse("FORM_CHANGED", "the form was added, removed or is no dictionary")
        return
    if extra := comparison.only(before, after, ("Fields", "SigFlags")):
        comparison.refuse("FORM_CHANGED", f"the form changed in {', '.join(sorted(extra))}; expected new fields and signature flags alone")
    _review_flags(comparison, before.get("SigFlags", 0), after.get("SigFlags", 0))
    changed = comparison.changed.keys()
    for field in comparison.old_form.fields:
        if not changed.isdisjoint(field.numbers):
            _review_field(comparison, field)
    listed = after.get("Fields")
    if isinstance(listed, Ref) or isinstance(before.get("Fields"), Ref):
        if listed != before.get("Fields"):
            comparison.refuse("FORM_CHANGED", "/Fields refers to another array than before")
            return
        if isinstance(listed, Ref) and comparison.is_changed(listed):
            comparison.claim(listed, "fields array")
    more = appended(comparison.old(before.get("Fields")), comparison.new(listed))
    if more is None:
        comparison.refuse("FORM_CHANGED", "fields were removed from the form or reordered")
        return
    for ref in more:
        _review_added(comparison, ref)


def _review_flags(comparison: Comparison, old: PdfObject, new: PdfObject) -> None:
    """Table 225: SignaturesExist and AppendOnly may be set, no bit be taken away."""
    if same(old, new):
        return
    if type(old) is not int or type(new) is not int or new & ~3 & ~old or old & ~new:
        comparison.refuse("FORM_CHANGED", "/SigFlags of the form changed to something else than signatures exist, append only")


def _review_field(comparison: Comparison, field: Field) -> None:
    """One field that stood before and was touched: a signature field that is filled now, or else something is wrong."""
    before, after = comparison.old(field.ref), comparison.new(field.ref)
    if not isinstance(before, dict) or not isinstance(after, dict):
        comparison.refuse("FIELD_CHANGED", f"field {field.name!r} was removed")
        return
    signing = field.type == "Sig"
    if signing and field.value is not None:
        code = "SIGNATURE_REMOVED" if after.get("V") is None else "SIGNATURE_CHANGED"
        comparison.refuse(code, f"signed field {field.name!r} was changed")
        return
    if not signing and comparison.strict:
        comparison.refuse("FORM_FIELD_FILLED", f"field {field.name!r} was changed; only signature fields may be filled")
        return
    if signing and after.get("V") is None:
        comparison.refuse("FIELD_CHANGED", f"field {field.name!r} was changed without being signed")
        return
    merged = field.widgets == (field.ref,)
    plain = frozenset({"V"}) if signing else PLAIN_FIELD_KEYS
    _compare(comparison, field, field.ref, before, after, plain | {"AP", "F"} if merged else plain)
    for ref in () if merged else field.widgets:
        widget, now = comparison.old(ref), comparison.new(ref)
        if isinstance(widget, dict) and isinstance(now, dict):
            _compare(comparison, field, ref, widget, now, frozenset({"AP", "F"} if signing else {"AP", "AS", "M", "F"}))
        else:
            comparison.refuse("FIELD_CHANGED", f"a widget of field {field.name!r} was removed")
    if signing:
        _claim_signature(comparison, after.get("V"), field.name)
    else:
        claim_inert(comparison, after.get("V"), "field value")
    comparison.permit(Changes.FORM_FILLING)
    comparison.filled.append(field.name)


def _compare(
    comparison: Comparison, field: Field, ref: Ref, old: dict[str, PdfObject], new: dict[str, PdfObject], keys: frozenset[str]
) -> None:
    """One field or widget dictionary: only `keys` may differ; the appearance must be inert, the flags must not hide."""
    if extra := comparison.only(old, new, keys):
        comparison.refuse("FIELD_CHANGED", f"field {field.name!r} changed in {', '.join(sorted(extra))}; expected its value and appearance")
    if not same(old.get("F"), new.get("F")) and (new.get("F") not in VISIBLE_FLAGS or old.get("F", 4) not in VISIBLE_FLAGS):
        comparison.refuse("FIELD_CHANGED", f"field {field.name!r} changed its flags /F")
    if comparison.is_changed(ref):
        comparison.claim(ref, "field")
    if "AP" in keys and not same(old.get("AP"), new.get("AP")):
        _claim_appearance(comparison, new.get("AP"), field.name)


def _claim_appearance(comparison: Comparison, value: PdfObject, name: str) -> None:
    appearance = comparison.new(value)
    if isinstance(value, Ref) and not comparison.is_new(value):
        comparison.refuse("APPEARANCE_REUSED", f"field {name!r} takes an object signed before as its appearance dictionary")
    if not isinstance(appearance, dict) or appearance.keys() - {"N", "D", "R"}:
        comparison.refuse("FIELD_CHANGED", f"the appearance of field {name!r} is not a dictionary of N, D and R")
        return
    claim_inert(comparison, value, "appearance")


def _claim_signature(comparison: Comparison, value: PdfObject, name: str) -> bool:
    """Claims a signature dictionary and says whether it is a document time stamp."""
    found = comparison.new(value)
    if not isinstance(value, Ref) or not comparison.is_new(value) or not isinstance(found, dict):
        comparison.refuse("SIGNATURE_REUSED", f"field {name!r} is filled with something else than a signature of this update")
        return False
    if "ByteRange" not in found or "Contents" not in found:
        comparison.refuse("SIGNATURE_REUSED", f"the value of signature field {name!r} is not a signature dictionary")
    claim_inert(comparison, value, "signature")
    return found.get("Type") == "DocTimeStamp" and found.get("SubFilter") == "ETSI.RFC3161"


def _review_added(comparison: Comparison, ref: PdfObject) -> None:
    """A field that did not stand before: a document time stamp, or (outside the record policy) a signature in a field of its own."""
    field = comparison.new(ref)
    if not isinstance(ref, Ref) or not comparison.is_new(ref) or not isinstance(field, dict):
        comparison.refuse("FIELD_ADDED", "the form lists a new field that is no object of this update")
        return
    comparison.claim(ref, "field")
    name = text(comparison.new(field.get("T")))
    if field.get("FT") != "Sig" or field.get("V") is None or not name or "." in name:
        comparison.refuse("FIELD_ADDED", f"a field {name!r} was added that holds no signature")
        return
    if sum(other.name == name for other in comparison.new_form.fields) != 1:
        comparison.refuse("FIELD_NAME_TWICE", f"a field was added under the name {name!r}, which another field has")
    stamp = _claim_signature(comparison, field["V"], name)
    if extra := field.keys() - (TIMESTAMP_FIELD_KEYS if stamp else FIELD_KEYS):
        comparison.refuse("FIELD_ADDED", f"the new field {name!r} has unexpected entries: {', '.join(sorted(extra))}")
    for key in ("AP", "Lock", "SV", "MK"):
        claim_inert(comparison, field.get(key), "appearance" if key == "AP" else "field lock")
    visible = "Rect" in field and not _empty(comparison.new(field["Rect"]))
    if "Subtype" in field:
        comparison.new_widgets.add(ref)
        page = comparison.old(field.get("P"))
        if field["Subtype"] != "Widget" or (page is not None and not (isinstance(page, dict) and page.get("Type") == "Page")):
            comparison.refuse("FIELD_ADDED", f"the new field {name!r} is no widget of a page")
    if stamp and not visible:
        comparison.permit(Changes.LTA)
        return
    comparison.added.append(name)
    comparison.permit(Changes.ANNOTATION if visible else Changes.FORM_FILLING)
    if comparison.strict or stamp:
        what = "a visible document time stamp" if stamp else "a signature field"
        comparison.refuse("SIGNATURE_FIELD_ADDED", f"{what} {name!r} was added after signing; only fields that stood before may be filled")


def _empty(rect: PdfObject) -> bool:
    """Whether a rectangle shows nothing: no width and no height (ISO 32000-2 12.7.5.5: an invisible signature)."""
    if not isinstance(rect, list) or len(rect) != 4:
        return False
    x0, y0, x1, y1 = rect
    return same(x0, x1) and same(y0, y1) and all(isinstance(edge, int | float) for edge in rect)
