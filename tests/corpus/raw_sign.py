"""A signature put into a PDF by hand: as one more update, with whatever CMS and entries a case asks for. Nothing is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from signing.pdf.serialize import serialize
from tests.corpus.edit import Name, PdfString, Ref, body, number_of, overwrite, root_number, update

_RANGE = b"/ByteRange[0 %10d %10d %10d]"
_EMPTY_RANGE = b"/ByteRange[0 ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~]"


def add_signature(
    data: bytes,
    contents: Callable[[bytes], bytes],
    *,
    name: str = "Signature-1",
    entries: Mapping[str, PdfObject] | None = None,
    field: Mapping[str, PdfObject] | None = None,
    catalog: Callable[[Ref], Mapping[str, PdfObject]] | None = None,
    others: Mapping[int, PdfObject | bytes] | None = None,
    room: int = 16_000,
) -> bytes:
    """`data` with a signature in the field called `name`, added where there is none: what `contents` makes of the octets that are signed.

    `entries` go into the signature dictionary, `field` into the field, `catalog` (given the signature's reference) into the catalog,
    `others` are objects of the same update. `room` in octets is kept for the CMS.
    """
    document = Document.parse(data)
    value, page, existing = document.size, number_of(document, "Page"), _field(document, name)
    widget = existing or document.size + 1
    head: dict[str, PdfObject] = {
        **{"Type": Name("Sig"), "Filter": Name("Adobe.PPKLite"), "SubFilter": Name("ETSI.CAdES.detached")},
        **(entries or {}),
    }
    signature = serialize(head)[:-2] + b"/Contents<" + b"0" * (2 * room) + b">" + _EMPTY_RANGE + b">>"
    annotation: dict[str, PdfObject] = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": PdfString(name.encode())},
        **{"V": Ref(value), "P": Ref(page), "F": 132, "Rect": [0, 0, 0, 0], **(body(document, existing) if existing else {})},
        **{"V": Ref(value), **(field or {})},
    }
    objects: dict[int, PdfObject | bytes] = {value: signature, widget: annotation, **(others or {})}
    if not existing:
        objects |= _listed(document, widget, page, dict(catalog(Ref(value))) if catalog else {})
    whole = update(data, objects)
    start = whole.index(b"/Contents<", len(data)) + len(b"/Contents")
    end = start + 2 * room + 2
    whole = overwrite(whole, whole.index(_EMPTY_RANGE, len(data)), _RANGE % (start, end, len(whole) - end))
    der = contents(whole[:start] + whole[end:])
    assert len(der) <= room, f"the CMS has {len(der)} octets, room is kept for {room}"
    return overwrite(whole, start + 1, der.hex().encode("ascii"))


def _field(document: Document, name: str) -> int | None:
    """The number of the field called `name`."""
    for number in document.numbers():
        found = document.get(Ref(number))
        if isinstance(found, dict) and found.get("FT") == "Sig" and found.get("T") == PdfString(name.encode()):
            return number
    return None


def _listed(document: Document, widget: int, page: int, catalog: dict[str, PdfObject]) -> dict[int, PdfObject | bytes]:
    """Catalog, form and page as they must be for the field to be found."""
    root = body(document, root_number(document)) | catalog
    shown = body(document, page)
    annotations = document.get(shown.get("Annots", []))
    assert isinstance(annotations, list)
    objects: dict[int, PdfObject | bytes] = {page: {**shown, "Annots": [*annotations, Ref(widget)]}}
    form = root.get("AcroForm")
    entries = document.get(form) if form is not None else {}
    assert isinstance(entries, dict)
    fields = document.get(entries.get("Fields", []))
    assert isinstance(fields, list)
    grown: dict[str, PdfObject] = {**entries, "Fields": [*fields, Ref(widget)], "SigFlags": 3}
    if isinstance(form, Ref):
        objects[form.number] = grown
        if catalog:
            objects[root_number(document)] = root
    else:
        objects[root_number(document)] = {**root, "AcroForm": grown}
    return objects
