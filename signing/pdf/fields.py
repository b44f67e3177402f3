"""The interactive form (ISO 32000-2 clause 12.7): fields by walking AcroForm /Fields and /Kids, and widgets that no field claims."""

from __future__ import annotations

from dataclasses import dataclass

from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, Ref
from signing.pdf.pages import page_annotations, pages
from signing.pdf.text import text


@dataclass(frozen=True)
class Field:
    """A terminal field. `type` and `value` are inherited where the field's own dictionary lacks them (table 226)."""

    name: str
    """Fully qualified: partial names joined by full stops."""
    ref: Ref
    dictionary: dict[str, PdfObject]
    type: str
    value: PdfObject
    widgets: tuple[Ref, ...]
    """The field itself where it is merged with its widget, else its widget kids."""
    numbers: frozenset[int]
    """Of the field's object and its widgets'."""


@dataclass(frozen=True)
class Form:
    """The form as of one revision. `visited` are the numbers of the objects that were read to find it."""

    fields: tuple[Field, ...]
    visited: frozenset[int]

    def named(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, eq=False)  # told apart by identity: two are the same where they come from the same reading of a node
class _Inherited:
    name: str = ""
    type: PdfObject = None
    value: PdfObject = None


_NOTHING = _Inherited()


@dataclass(frozen=True)
class Node:
    """What was found in one node of the field tree: what its `kids` inherit, or the terminal field that it is; `numbers` were read."""

    below: _Inherited
    kids: tuple[PdfObject, ...]
    field: Field | None
    numbers: frozenset[int]


KnownNodes = dict[tuple[Ref, _Inherited], Node]
"""Nodes that were read as of an earlier revision, and whose objects have not changed since."""


def read_form(document: Document, revision: int | None = None, *, known: KnownNodes | None = None) -> Form:
    """The terminal fields as of `revision`; nodes in `known` are not read again, those read are added to it.

    Raises :class:`PdfError` on a field tree that is none, :class:`LimitError` on one too large.
    """
    visited: set[int] = set()
    limits, catalog = document.limits, document.catalog(revision)
    root = document.revisions[-1 if revision is None else revision].trailer.get("Root")
    for ref in (root, catalog.get("AcroForm")):
        visited |= {ref.number} if isinstance(ref, Ref) else set()
    acroform = document.get(catalog.get("AcroForm"), revision=revision)
    if acroform is None:
        return Form((), frozenset(visited))
    if not isinstance(acroform, dict):
        raise PdfError("/AcroForm is not a dictionary")
    listed = acroform.get("Fields")
    visited |= {listed.number} if isinstance(listed, Ref) else set()
    items = document.get(listed, revision=revision)
    if items is not None and not isinstance(items, list):
        raise PdfError("/Fields of the form is not an array")
    waiting: list[tuple[PdfObject, _Inherited, int]] = [(item, _NOTHING, 0) for item in reversed(items or [])]
    nodes: list[Node] = []
    known = {} if known is None else known
    seen: set[int] = set()
    while waiting:
        ref, inherited, depth = waiting.pop()
        if len(seen) >= limits.fields or depth > limits.tree_depth:
            raise LimitError(f"the form has more than {limits.fields} fields or {limits.tree_depth} levels")
        if not isinstance(ref, Ref):
            raise PdfError("a form field is not an indirect object")
        if ref.number in seen:
            raise PdfError(f"field object {ref.number} stands twice in the form")
        seen.add(ref.number)
        node = known.get((ref, inherited))
        if node is None:
            node = known[ref, inherited] = _node(document, ref, inherited, revision)
        nodes.append(node)
        if node.kids:
            waiting.extend((kid, node.below, depth + 1) for kid in reversed(node.kids))
    numbers = seen.union(visited, *(node.numbers for node in nodes))
    return Form(tuple(node.field for node in nodes if node.field is not None), frozenset(numbers))


def _node(document: Document, ref: Ref, inherited: _Inherited, revision: int | None) -> Node:
    node = document.get(ref, revision=revision)
    if not isinstance(node, dict):
        raise PdfError(f"form field {ref.number} is not a dictionary")
    partial = document.get(node.get("T"), revision=revision)
    name = ".".join(part for part in (inherited.name, text(partial)) if part)
    own = _Inherited(name, document.get(node.get("FT", inherited.type), revision=revision), node.get("V", inherited.value))
    listed = node.get("Kids")
    kids = document.get(listed, revision=revision)
    if kids is not None and not isinstance(kids, list):
        raise PdfError(f"/Kids of form field {ref.number} is not an array")
    if kids and len(kids) > document.limits.fields:
        raise LimitError(f"the form has more than {document.limits.fields} fields")
    numbers = _read_for(document, (ref, listed, node.get("T"), node.get("FT"), *(kids or [])), revision)
    children = [document.get(kid, revision=revision) for kid in kids or []]
    widgets = [kid for kid, child in zip(kids or [], children, strict=True) if isinstance(child, dict) and "T" not in child]
    if kids and not widgets:
        return Node(own, tuple(kids), None, numbers)
    if kids and len(widgets) != len(kids):
        raise PdfError(f"the kids of form field {ref.number} are fields and widgets mixed")
    refs = tuple(kid for kid in widgets if isinstance(kid, Ref))
    if len(refs) != len(widgets) or len(set(refs)) != len(refs):
        raise PdfError(f"a widget of form field {ref.number} is not an indirect object, or stands there twice")
    kind = str(own.type) if isinstance(own.type, Name) else ""
    placed = frozenset((ref.number, *(widget.number for widget in refs)))
    return Node(own, (), Field(name, ref, node, kind, own.value, refs or (ref,), placed), numbers)


def _read_for(document: Document, values: tuple[PdfObject, ...], revision: int | None) -> frozenset[int]:
    """Numbers of the objects that `values` refer to, and of the object streams that hold them."""
    numbers = {value.number for value in values if isinstance(value, Ref)}
    entries = [document.entry(number, revision) for number in numbers]
    return frozenset(numbers | {entry.stream_number for entry in entries if entry is not None and entry.kind == "compressed"})


def stray_widgets(document: Document, form: Form, revision: int | None = None) -> tuple[Ref, ...]:
    """Widget annotations on pages that belong to no field of `form`: a viewer may show them as signatures all the same."""
    claimed = {ref for field in form.fields for ref in field.widgets}
    found: list[Ref] = []
    looked = 0
    for _, page in pages(document, revision):
        for ref in page_annotations(document, page, revision):
            looked += 1
            if looked > document.limits.tokens:
                raise LimitError(f"more than {document.limits.tokens} annotations")
            if isinstance(ref, Ref) and ref in claimed:
                continue
            widget = document.get(ref, revision=revision)
            if isinstance(widget, dict) and widget.get("Subtype") == "Widget":
                found.append(ref if isinstance(ref, Ref) else Ref(0))
    return tuple(found)
