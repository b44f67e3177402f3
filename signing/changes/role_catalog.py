"""The roles of trailer, catalog, document information and XMP: what an update may not touch, and the two doors it may go through."""

from __future__ import annotations

from signing.changes.comparison import Comparison, same
from signing.changes.role_dss import review_dss
from signing.changes.role_form import review_form
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.verdict import Changes

CATALOG_KEYS = ("DSS", "AcroForm", "Extensions")
TRAILER_KEYS = frozenset({"Size", "Prev", "ID", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms"})
# EN 319 142-1 clause 5.1 (ESIC), ISO 32000-1 with Adobe's extension levels 3 to 8 (ADBE), PDF 2.0's own (ISO_)
EXTENSIONS = frozenset({("ESIC", 1), ("ESIC", 2), ("ESIC", 5), *(("ADBE", level) for level in range(3, 9))})


def review_trailer(comparison: Comparison) -> None:
    revisions = comparison.document.revisions
    old, new = revisions[comparison.before].trailer, revisions[comparison.after].trailer
    if extra := comparison.only(old, new, TRAILER_KEYS):
        comparison.refuse("TRAILER_CHANGED", f"the trailer changed in {', '.join(sorted(extra))}")
    if not _at_least(new.get("Size"), old.get("Size")):
        # ISO 32000-2 table 15: objects numbered /Size or above count as missing, so a lesser one takes signed objects away
        comparison.refuse("TRAILER_CHANGED", "the trailer's /Size is less than it was")
    before, after = comparison.old(old.get("ID")), comparison.new(new.get("ID"))
    if isinstance(before, list) and not (isinstance(after, list) and len(after) == 2 and same(before[0], after[0])):
        comparison.refuse("TRAILER_CHANGED", "the permanent part of the trailer's /ID changed")
    if isinstance(new.get("ID"), Ref) and not same(new.get("ID"), old.get("ID")):
        comparison.refuse("TRAILER_CHANGED", "the trailer's /ID became an indirect object")


def _at_least(size: PdfObject, other: PdfObject) -> bool:
    return isinstance(size, int) and isinstance(other, int) and size >= other


def review_catalog(comparison: Comparison) -> None:
    document = comparison.document
    root = document.revisions[comparison.after].trailer.get("Root")
    old, new = document.catalog(comparison.before), document.catalog(comparison.after)
    if isinstance(root, Ref) and comparison.is_changed(root):
        comparison.claim(root, "catalog")
    if extra := comparison.only(old, new, CATALOG_KEYS):
        comparison.refuse("CATALOG_CHANGED", f"the catalog changed in {', '.join(sorted(extra))}; expected /DSS and /AcroForm alone")
    _review_extensions(comparison, old.get("Extensions"), new.get("Extensions"))
    review_dss(comparison, old.get("DSS"), new.get("DSS"))
    review_form(comparison, old.get("AcroForm"), new.get("AcroForm"))


def _review_extensions(comparison: Comparison, old: PdfObject, new: PdfObject) -> None:
    if same(old, new):
        return
    before, after = comparison.old(old), new
    before = {} if before is None else before
    if (
        not isinstance(before, dict)
        or not isinstance(after, dict)
        or any(not same(v, after.get(k)) for k, v in before.items() if k == "Type")
    ):
        comparison.refuse("CATALOG_CHANGED", "/Extensions of the catalog was removed or is not a direct dictionary")
        return
    for key in before.keys() | after.keys():
        value = after.get(key)
        if same(before.get(key), value) or (key == "Type" and value == "Extensions"):
            continue
        level = value.get("ExtensionLevel") if isinstance(value, dict) else None
        plain = isinstance(value, dict) and value.keys() <= {"Type", "BaseVersion", "ExtensionLevel"} and value.get("BaseVersion") == "1.7"
        if not plain or type(level) is not int or (key, level) not in EXTENSIONS:
            comparison.refuse("CATALOG_CHANGED", f"/Extensions of the catalog names {key[:16]!r}, which validation data do not need")


def review_metadata(comparison: Comparison) -> None:
    """Document information and XMP: nothing a record may change; under other policies a plain dictionary or stream in the same place."""
    trailer = comparison.document.revisions[comparison.after].trailer
    xmp = comparison.document.catalog(comparison.after).get("Metadata")
    for value, kind, role in ((trailer.get("Info"), dict, "information"), (xmp, Stream, "XMP metadata")):
        if not isinstance(value, Ref) or not comparison.is_changed(value) or value.number in comparison.claimed:
            continue
        found = comparison.new(value)
        plain = found if isinstance(found, dict) else found.dictionary if isinstance(found, Stream) else {"": []}
        if comparison.strict or not isinstance(found, kind) or any(isinstance(item, list | dict | Ref) for item in plain.values()):
            comparison.refuse("METADATA_CHANGED", f"object {value.number}, the document's information or XMP metadata, was rewritten")
        else:
            comparison.permit(Changes.LTA)
        comparison.claim(value, role)
