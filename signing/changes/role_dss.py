"""The role of validation data: the document security store may grow and nothing else (ETSI EN 319 142-1 clause 5.4.2)."""

from __future__ import annotations

import re

from signing.changes.comparison import Comparison, same
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.verdict import Changes

ARRAYS = ("Certs", "CRLs", "OCSPs")
VRI_ARRAYS = ("Cert", "CRL", "OCSP")
MAX_ITEMS = 10_000  # streams under one key
_VRI_KEY = re.compile(r"[0-9A-F]{40}", re.IGNORECASE)
_STREAM_KEYS = frozenset({"Length", "Filter", "DecodeParms"})


def review_dss(comparison: Comparison, old: PdfObject, new: PdfObject) -> None:
    """Compares the values of the catalog's /DSS before and after; claims its objects."""
    if new is None:
        if old is not None:
            comparison.refuse("DSS_REDUCED", "the document security store was removed")
        return
    before, after = _dictionary(comparison, old, new, "validation data")
    if after is None:
        return
    if extra := after.keys() - {"Type", "VRI", *ARRAYS}:
        comparison.refuse("DSS_MALFORMED", f"the document security store has unexpected entries: {', '.join(sorted(extra))}")
    _review_type(comparison, after, "DSS")
    for key in ARRAYS:
        _review_array(comparison, key, before.get(key), after.get(key))
    if "VRI" in after or "VRI" in before:
        _review_vri(comparison, before.get("VRI"), after.get("VRI"))


def _review_vri(comparison: Comparison, old: PdfObject, new: PdfObject) -> None:
    before, after = _dictionary(comparison, old, new, "VRI dictionary")
    if after is None:
        return
    for key in sorted(before.keys() | after.keys()):
        if key == "Type" and after.get(key) == "VRI":
            continue
        if not _VRI_KEY.fullmatch(key):
            comparison.refuse("DSS_MALFORMED", f"the VRI dictionary has an entry {key[:48]!r}; expected a SHA-1 value in hexadecimal")
            continue
        old_entry, entry = _dictionary(comparison, before.get(key), after.get(key), "VRI entry")
        if entry is None:
            continue
        if extra := entry.keys() - {"Type", "TU", "TS", *VRI_ARRAYS}:
            comparison.refuse("DSS_MALFORMED", f"a VRI entry has unexpected entries: {', '.join(sorted(extra))}")
        _review_type(comparison, entry, "VRI")
        for name in VRI_ARRAYS:
            _review_array(comparison, name, old_entry.get(name), entry.get(name))
        for name in ("TU", "TS"):
            _claim_evidence(comparison, entry.get(name), plain=name == "TU")


def _review_type(comparison: Comparison, entries: dict[str, PdfObject], expected: str) -> None:
    """ISO 32000-2 tables 261 and 262: /Type is optional, and a name."""
    if not same(entries.get("Type"), Name(expected)) and "Type" in entries:
        comparison.refuse("DSS_MALFORMED", f"/Type of the validation data is not {expected}")


def _dictionary(
    comparison: Comparison, old: PdfObject, new: PdfObject, role: str
) -> tuple[dict[str, PdfObject], dict[str, PdfObject] | None]:
    """The dictionaries behind `old` (empty where absent) and `new` (None where nothing changed or it is none), the latter claimed."""
    before, after = comparison.old(old), comparison.new(new)
    if not isinstance(after, dict) or not isinstance(before, dict | None):
        comparison.refuse("DSS_MALFORMED" if before is None else "DSS_REDUCED", f"the {role} is not a dictionary")
        return {}, None
    if isinstance(new, Ref) and comparison.is_changed(new):
        if not comparison.is_new(new) and new != old:
            comparison.refuse("OBJECT_REDEFINED", f"object {new.number} was redefined to serve as {role}")
            return {}, None
        comparison.claim(new, role)
        comparison.permit(Changes.LTA)
    elif not same(old, new):
        comparison.permit(Changes.LTA)
    return before or {}, after


def _review_array(comparison: Comparison, key: str, old: PdfObject, new: PdfObject) -> None:
    before, after = comparison.old(old), comparison.new(new)
    before = [] if before is None else before
    after = [] if after is None else after
    if not isinstance(before, list) or not isinstance(after, list) or len(after) > MAX_ITEMS:
        comparison.refuse("DSS_MALFORMED", f"/{key} of the validation data is not an array of at most {MAX_ITEMS} streams")
        return
    if isinstance(new, Ref) and comparison.is_changed(new):
        if comparison.is_new(new) or new == old:
            comparison.claim(new, "validation data array")
            comparison.permit(Changes.LTA)
        else:
            comparison.refuse("OBJECT_REDEFINED", f"object {new.number} was redefined to serve as /{key} of the validation data")
    kept = {item for item in after if isinstance(item, Ref)}
    if any(item not in kept for item in before if isinstance(item, Ref)):
        comparison.refuse("DSS_REDUCED", f"validation data were taken out of /{key}")
    known = {item for item in before if isinstance(item, Ref)}
    for item in after:
        if not isinstance(item, Ref):
            comparison.refuse("DSS_MALFORMED", f"/{key} of the validation data holds something else than references")
        elif item not in known:
            _claim_evidence(comparison, item, plain=False)


def _claim_evidence(comparison: Comparison, value: PdfObject, *, plain: bool) -> None:
    """One certificate, CRL, OCSP response or token: a stream that says nothing but how it is encoded. `plain`: or a direct string."""
    found = comparison.new(value)
    if found is None or (plain and isinstance(found, PdfString)):
        if comparison.is_new(value) and isinstance(value, Ref):
            comparison.claim(value, "validation data")
        if isinstance(value, Ref) and found is None:
            comparison.refuse("DANGLING_REFERENCE", f"the validation data refer to object {value.number}, which does not exist")
        return
    if not isinstance(found, Stream) or not _STREAM_KEYS.issuperset(found.dictionary) or isinstance(found.dictionary.get("Length"), Ref):
        comparison.refuse("DSS_MALFORMED", "an item of the validation data is not a plain stream")
    elif isinstance(value, Ref) and comparison.is_new(value):
        comparison.claim(value, "validation data")
        comparison.permit(Changes.LTA)
