"""What earlier signatures permit: certification (DocMDP) and field locks (FieldMDP), ISO 32000-2 clauses 12.8.2.2 and 12.8.2.4."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from signing.applying.form import signature_fields, text
from signing.errors import PdfError, SigningError
from signing.pdf.document import Document
from signing.pdf.indirect import read_head
from signing.pdf.limits import LIMITS
from signing.pdf.objects import PdfObject, Ref

NO_CHANGES = 1  # table 257: no changes; DSS and document time stamps stay permitted (12.8.2.2)
FORM_FILLING = 2  # the default of DocMDP
SIGNATURES_REMEMBERED = 500  # of about 11 kB


class LockedError(SigningError):
    """An earlier signature does not permit the signature that was asked for."""


def check_permitted(document: Document, field: str, *, new_field: bool, certifies: bool = False) -> None:
    """Raises :class:`LockedError` where an earlier signature forbids signing in `field`, which is new where `new_field` says so.

    A certification is the first signature or none (12.8.2.2.1).
    """
    if certifies:
        for earlier in signature_fields(document):
            if earlier.signed:
                raise LockedError(f"a certification comes first, but field {earlier.name!r} is signed already")
        if "Perms" in document.root:
            raise LockedError("the document's catalog grants permissions already; a certification would replace them")
    for name, method, parameters in _transforms(document):
        permission = document.get(parameters.get("P", FORM_FILLING if method == "DocMDP" else None))
        if permission == NO_CHANGES:
            raise LockedError(f"the signature in field {name!r} closed the document: no further signature is permitted")
        if method == "DocMDP" and new_field:
            raise LockedError(f"the certification in field {name!r} permits no new signature fields")
        if method == "FieldMDP" and _covers(document, parameters, field):
            raise LockedError(f"the signature in field {name!r} locked field {field!r}")


def _transforms(document: Document) -> Iterator[tuple[str, PdfObject, dict[str, PdfObject]]]:
    """(field of the signature, transform method, its parameters) for every signature there is."""
    for field in signature_fields(document):
        value = _signature(document, field.value.get("V"))
        references = document.get(value.get("Reference")) if isinstance(value, dict) else None
        for item in references if isinstance(references, list) else []:
            reference = document.get(item)
            if isinstance(reference, dict):
                parameters = document.get(reference.get("TransformParams"))
                yield field.name, document.get(reference.get("TransformMethod")), parameters if isinstance(parameters, dict) else {}


def _signature(document: Document, ref: PdfObject) -> PdfObject:
    """The signature dictionary, which does not change any more: the fourteen before the fifteenth signature are not read fifteen times."""
    entry = document.entry(ref.number) if isinstance(ref, Ref) else None
    if entry is None or entry.kind != "offset" or not isinstance(ref, Ref) or entry.generation != ref.generation:
        return document.get(ref)
    try:
        return _read(document.data[entry.offset : document.data.find(b"endobj", entry.offset) + len(b"endobj")])
    except PdfError:  # a string with `endobj` in it
        return document.get(ref)


@lru_cache(maxsize=SIGNATURES_REMEMBERED)
def _read(octets: bytes) -> PdfObject:
    return read_head(octets, 0, limits=LIMITS)[0]


def _covers(document: Document, parameters: dict[str, PdfObject], field: str) -> bool:
    listed = document.get(parameters.get("Fields"))
    names = {text(document.get(item)) for item in listed} if isinstance(listed, list) else set()
    named = any(field == name or field.startswith(f"{name}.") for name in names)  # a name stands for its descendants too
    return {"All": True, "Include": named, "Exclude": not named}.get(str(document.get(parameters.get("Action"))), True)
