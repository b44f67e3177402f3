"""The interactive form: finding a signature field, filling it, and adding one where the caller asked for it (ISO 32000-2 clause 12.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from signing.applying.writer import Update
from signing.errors import PdfError, SigningError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref

SIGNATURES_EXIST_APPEND_ONLY = 3  # table 225: bits 1 and 2 of /SigFlags
PRINT_LOCKED = 4 | 128  # table 167: the only flags that PDF/A asks for or allows here
MAX_FIELDS = 1_000  # bounds work; a record has one field per step
MAX_DEPTH = 20


class FieldError(SigningError):
    """The signature field that was named is missing, filled already, or no signature field."""


@dataclass(frozen=True)
class SignatureField:
    """A field of type Sig. `widget` is where it shows: the field itself, its one kid, or None."""

    name: str
    ref: Ref
    value: dict[str, PdfObject]
    widget: Ref | None

    @property
    def signed(self) -> bool:
        return self.value.get("V") is not None


def text(value: PdfObject) -> str:
    """A text string (clause 7.9.2.2); an unknown octet becomes U+FFFD rather than an error."""
    if not isinstance(value, PdfString):
        return ""
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"), (b"\xef\xbb\xbf", "utf-8")):
        if value.startswith(mark):
            return value[len(mark) :].decode(encoding, "replace")
    return value.decode("latin-1")  # PDFDocEncoding and Latin-1 agree on what names use


def text_string(value: str) -> PdfString:
    """`value` in ASCII where it is, else UTF-16 with its mark, which every reader knows."""
    return PdfString(value.encode("ascii") if value.isascii() else b"\xfe\xff" + value.encode("utf-16-be"))


def signature_fields(document: Document) -> Iterator[SignatureField]:
    """Every signature field, in the form's order. Raises :class:`PdfError` on a form that loops, nests or lists without end."""
    form = document.get(document.root.get("AcroForm"))
    if not isinstance(form, dict):
        return
    seen: set[Ref] = set()
    pending: list[tuple[PdfObject, str, str, int]] = [(item, "", "", 0) for item in reversed(_array(document, form.get("Fields")))]
    while pending:
        item, parent, kind, depth = pending.pop()
        if not isinstance(item, Ref) or item in seen or depth > MAX_DEPTH or len(seen) >= MAX_FIELDS:
            raise PdfError("the form's fields are not a tree of references, or too many")
        seen.add(item)
        value = document.get(item)
        if not isinstance(value, dict):
            continue
        own = text(value.get("T"))
        name = f"{parent}.{own}" if parent and own else parent or own
        kind = str(value.get("FT", kind))
        kids = _array(document, value.get("Kids"))
        named = [kid for kid in kids if isinstance(found := document.get(kid), dict) and "T" in found]
        if named:
            pending += [(kid, name, kind, depth + 1) for kid in reversed(kids)]
        elif kind == "Sig":
            yield SignatureField(name, item, value, _widget(item, value, kids))


def _array(document: Document, value: PdfObject) -> list[PdfObject]:
    found = document.get(value)
    return found if isinstance(found, list) else []


def _widget(ref: Ref, value: dict[str, PdfObject], kids: list[PdfObject]) -> Ref | None:
    if value.get("Subtype") == "Widget":
        return ref
    return kids[0] if kids and isinstance(kids[0], Ref) else None


def find_field(document: Document, name: str) -> SignatureField | None:
    """The empty signature field called `name`, or None. Raises :class:`FieldError` where it is filled or doubled."""
    found = [field for field in signature_fields(document) if field.name == name]
    if len(found) > 1:
        raise FieldError(f"signature field {name!r} exists {len(found)} times, expected once")
    if found and found[0].signed:
        raise FieldError(f"signature field {name!r} is signed already")
    return found[0] if found else None


def box(document: Document, field: SignatureField) -> tuple[float, float]:
    """Width and height of the field's widget in points; (0, 0) where it does not show."""
    widget = document.get(field.widget)
    rect = document.get(widget.get("Rect")) if isinstance(widget, dict) else None
    numbers = [item for item in rect if isinstance(item, int | float)] if isinstance(rect, list) else []
    if len(numbers) != 4:
        return 0.0, 0.0
    return abs(numbers[2] - numbers[0]), abs(numbers[3] - numbers[1])


def fill(update: Update, field: SignatureField, signature: Ref, appearance: Ref | None) -> None:
    """Gives the field its value and its widget an appearance; sets the form's flags where they were not set."""
    update.put(field.ref, {**field.value, "V": signature})
    if appearance is not None and field.widget is not None:
        widget = update.get(field.widget)
        if isinstance(widget, dict):
            update.put(field.widget, {**widget, "AP": {"N": appearance}})
    _extend_form(update, None)


def add_field(update: Update, name: str, signature: Ref) -> Ref:
    """An invisible signature field on the first page, holding `signature`."""
    page_ref, page = first_page(update)
    widget: dict[str, PdfObject] = {
        "Type": Name("Annot"),
        "Subtype": Name("Widget"),
        "FT": Name("Sig"),
        "T": text_string(name),
        "F": PRINT_LOCKED,
        "Rect": [0, 0, 0, 0],
        "P": page_ref,
        "V": signature,
    }
    ref = update.add(widget)
    _append(update, page_ref, page, "Annots", ref)
    _extend_form(update, ref)
    return ref


def first_page(update: Update) -> tuple[Ref, dict[str, PdfObject]]:
    """Raises :class:`PdfError` where the page tree has no first page."""
    ref = update.document.root.get("Pages")
    for _ in range(MAX_DEPTH):
        node = update.get(ref)
        if not isinstance(ref, Ref) or not isinstance(node, dict):
            break
        if node.get("Type") == "Page":
            return ref, node
        kids = update.get(node.get("Kids"))
        ref = kids[0] if isinstance(kids, list) and kids else None
    raise PdfError("the document has no first page")


def _extend_form(update: Update, field: Ref | None) -> None:
    """Sets /SigFlags and appends `field` to the form, which is made where there is none."""
    root_ref = update.document.trailer["Root"]
    root = update.get(root_ref)
    if not isinstance(root_ref, Ref) or not isinstance(root, dict):
        raise PdfError("the trailer's /Root is not a reference to a catalog")
    form_ref = root.get("AcroForm")
    found = update.get(form_ref)
    form: dict[str, PdfObject] = dict(found) if isinstance(found, dict) else {"Fields": []}
    flags = form.get("SigFlags", 0)
    wanted = (flags if isinstance(flags, int) else 0) | SIGNATURES_EXIST_APPEND_ONLY
    if field is None and flags == wanted:
        return
    form["SigFlags"] = wanted
    if field is not None:
        fields_ref = form.get("Fields")
        fields = update.get(fields_ref)
        grown = [*(fields if isinstance(fields, list) else []), field]
        if isinstance(fields_ref, Ref):
            update.put(fields_ref, grown)
        else:
            form["Fields"] = grown
    if isinstance(form_ref, Ref):
        update.put(form_ref, form)
    else:
        update.put(root_ref, {**root, "AcroForm": form})


def _append(update: Update, holder_ref: Ref, holder: dict[str, PdfObject], key: str, item: Ref) -> None:
    """Appends to the array under `key`, wherever that array stands."""
    array_ref = holder.get(key)
    array = update.get(array_ref)
    grown = [*(array if isinstance(array, list) else []), item]
    if isinstance(array_ref, Ref) and isinstance(array, list):
        update.put(array_ref, grown)
    else:
        update.put(holder_ref, {**holder, key: grown})
