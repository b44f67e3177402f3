"""What remains once the roles have spoken: containers, objects that no role claimed, and mentions of the claimed ones."""

from __future__ import annotations

import re

from signing.changes.comparison import Comparison
from signing.pdf.objects import Name, Ref, Stream

_HEX_KEY = re.compile(r"[0-9A-Fa-f]{40}")
_HOLDER_KEYS: dict[str, frozenset[str]] = {
    "form": frozenset({"AcroForm"}),
    "fields array": frozenset({"Fields"}),
    "field": frozenset({"Fields", "Annots", "Kids", "Parent", "Obj"}),  # Obj: the structure tree's OBJR (14.7.5.3)
    "annotations array": frozenset({"Annots"}),
    "information": frozenset({"Info"}),
    "XMP metadata": frozenset({"Metadata"}),
    "validation data": frozenset({"DSS"}),
    "VRI dictionary": frozenset({"VRI"}),
    "validation data array": frozenset({"Certs", "CRLs", "OCSPs", "Cert", "CRL", "OCSP"}),
}
"""Under which keys a redefined object of each role may have been referred to before. Catalog and pages may be referred to from anywhere."""


def review_containers(comparison: Comparison) -> None:
    """Object streams hold what the cross-reference names and no more; a cross-reference stream may name itself."""
    bounds = comparison.document.revisions[comparison.after]
    held: dict[int, int] = {}
    for entry in comparison.changed.values():
        if entry.kind == "compressed":
            held[entry.stream_number] = held.get(entry.stream_number, 0) + 1
    for number, count in held.items():
        stream = comparison.new(Ref(number))
        sound = comparison.is_new(Ref(number)) and isinstance(stream, Stream) and stream.dictionary.get("Type") == "ObjStm"
        if not sound or not isinstance(stream, Stream) or stream.dictionary.get("N") != count or "Extends" in stream.dictionary:
            comparison.refuse("OBJECT_STREAM_OVERRIDE", f"object stream {number} holds other objects than the update names")
            continue
        comparison.claim(Ref(number), "object stream")
    for number, entry in comparison.changed.items():
        if (
            entry.kind == "offset"
            and entry.offset == bounds.xref_offset
            and bounds.xref_kind == "stream"
            and comparison.is_new(Ref(number))
        ):
            comparison.claim(Ref(number), "cross-reference stream")
        elif entry.kind == "free":
            comparison.refuse("OBJECT_FREED", f"object {number} was freed")


def refuse_unclaimed(comparison: Comparison) -> None:
    for number in sorted(comparison.changed.keys() - comparison.claimed.keys()):
        entry = comparison.changed[number]
        if entry.kind == "free":
            continue
        value = comparison.new(Ref(number, entry.generation))
        found = value.dictionary if isinstance(value, Stream) else value
        kind = found.get("Type") if isinstance(found, dict) else None
        what = f" ({str(kind)[:32]})" if isinstance(kind, Name) else ""
        if comparison.is_new(Ref(number)):
            comparison.refuse("OBJECT_UNEXPLAINED", f"new object {number}{what} belongs to no signature, time stamp or validation data")
        else:
            comparison.refuse("OBJECT_REDEFINED", f"object {number}{what} was redefined")


def review_inbound(comparison: Comparison) -> None:
    """Mentions of the changed objects in everything before this update."""
    start, references = comparison.document.revisions[comparison.after].start, comparison.references
    mentioned = references.mentioned(comparison.claimed.keys() & comparison.changed.keys(), start)
    for number, role in comparison.claimed.items() if mentioned else ():
        if number not in mentioned or role in ("catalog", "page"):
            continue
        contexts = references.contexts(number, start)
        if comparison.is_new(Ref(number)):
            if contexts:
                text = f"new object {number} fills a reference that object {contexts[0][0]} already held before"
                comparison.refuse("DANGLING_REFERENCE_FILLED", text)
            continue
        for holder, key in contexts:
            if not _fits(comparison, role, holder, key, start):
                text = f"redefined object {number} ({role}) is also referred to by object {holder} under {key[:32]!r}"
                comparison.refuse("OBJECT_SHARED", text)


def _fits(comparison: Comparison, role: str, holder: int, key: str, start: int) -> bool:
    allowed = _HOLDER_KEYS.get(role, frozenset())
    if key in allowed or (role == "VRI entry" and _HEX_KEY.fullmatch(key)):
        return True
    if key or not holder:
        return role == "information" and not holder  # a trailer is no object
    above = {name for _, name in comparison.references.contexts(holder, start)}  # a top-level array: what it serves as
    return bool(above) and above <= allowed
