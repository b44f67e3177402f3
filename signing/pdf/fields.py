"""The interactive form (ISO 32000-2 clause 12.7): fields by walking AcroForm /Fields and /Kids, and widgets that no field claims."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, Ref
from signing.pdf.pages import page_annotations, pages
from signing.pdf.text import text


class Field(NamedTuple):
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


@dataclass(frozen=True, eq=False)  # told apart by identity: two are the same where they come from the same reading of a node
class _Inherited:
    name: str = ""
    type: PdfObject = None
    value: PdfObject = None


_NOTHING = _Inherited()


class Node(NamedTuple):
    """What was found in one node of the field tree: `kids` with what they inherit (`below`), or the terminal field that it is."""

    ref: Ref
    inherited: _Inherited
    kids: tuple[PdfObject, ...]
    below: _Inherited
    field: Field | None
    numbers: frozenset[int]
    """Of the objects that were read, and of those that they were read by."""


@dataclass(frozen=True)
class Form:
    """The form as of one revision, and how it was found: `root` is the trailer's, `numbers` were read on the way to the `nodes`."""

    fields: tuple[Field, ...]
    root: PdfObject
    numbers: frozenset[int]
    nodes: tuple[Node, ...] = field(default=(), repr=False, compare=False)

    def named(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def read_form(document: Document, revision: int | None = None, *, before: Form | None = None) -> Form:
    """The terminal fields as of `revision`. Of `before`, the form as of the revision before it, what it does not touch is not read again.

    Raises :class:`PdfError` on a field tree that is none, :class:`LimitError` on one too large.
    """
    newest = document.revisions[-1 if revision is None else revision]
    root, touched = newest.trailer.get("Root"), newest.entries.keys()
    if before is not None and before.root == root and touched.isdisjoint(before.numbers):
        changed = _with_changed_fields(document, before, touched, revision)
        if changed is not None:
            return changed
    known = {(node.ref, node.inherited): node for node in before.nodes if touched.isdisjoint(node.numbers)} if before else {}
    catalog = document.catalog(revision)
    acroform = document.get(catalog.get("AcroForm"), revision=revision)
    if acroform is None:
        return Form((), root, _read_for(document, (root, catalog.get("AcroForm")), revision))
    if not isinstance(acroform, dict):
        raise PdfError("/AcroForm is not a dictionary")
    listed = acroform.get("Fields")
    items = document.get(listed, revision=revision)
    if items is not None and not isinstance(items, list):
        raise PdfError("/Fields of the form is not an array")
    numbers = _read_for(document, (root, catalog.get("AcroForm"), listed), revision)
    nodes = tuple(_walk(document, items or [], revision, known))
    return Form(tuple(node.field for node in nodes if node.field is not None), root, numbers, nodes)


def _with_changed_fields(document: Document, before: Form, touched: KeysView[int], revision: int | None) -> Form | None:
    """`before` with its terminal fields that `revision` touches read again; None where the tree that they hang on may be another."""
    nodes = list(before.nodes)
    for place, node in enumerate(nodes):
        if not touched.isdisjoint(node.numbers):
            nodes[place] = _node(document, node.ref, node.inherited, revision)
            if node.kids or nodes[place].kids:
                return None
    return replace(before, fields=tuple(node.field for node in nodes if node.field is not None), nodes=tuple(nodes))


def _walk(document: Document, items: list[PdfObject], revision: int | None, known: dict[tuple[Ref, _Inherited], Node]) -> Iterator[Node]:
    """The nodes below `items`, each before its kids; those `known` are not read again."""
    limits = document.limits
    waiting: list[tuple[PdfObject, _Inherited, int]] = [(item, _NOTHING, 0) for item in reversed(items)]
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
        node = known.get((ref, inherited)) or _node(document, ref, inherited, revision)
        waiting.extend((kid, node.below, depth + 1) for kid in reversed(node.kids))
        yield node


def _node(document: Document, ref: Ref, inherited: _Inherited, revision: int | None) -> Node:
    node = document.get(ref, revision=revision)
    if not isinstance(node, dict):
        raise PdfError(f"form field {ref.number} is not a dictionary")
    partial = text(document.get(node.get("T"), revision=revision))
    name = f"{inherited.name}.{partial}" if inherited.name and partial else inherited.name or partial
    kind, value = document.get(node.get("FT", inherited.type), revision=revision), node.get("V", inherited.value)
    listed = node.get("Kids")
    kids = document.get(listed, revision=revision)
    if kids is not None and not isinstance(kids, list):
        raise PdfError(f"/Kids of form field {ref.number} is not an array")
    if kids and len(kids) > document.limits.fields:
        raise LimitError(f"the form has more than {document.limits.fields} fields")
    numbers = _read_for(document, (ref, listed, node.get("T"), node.get("FT"), *(kids or [])), revision)
    widgets = _widgets(document, ref, kids, revision) if kids else (ref,)
    if kids and not widgets:
        return Node(ref, inherited, tuple(kids), _Inherited(name, kind, value), None, numbers)
    placed = frozenset((ref.number, *(widget.number for widget in widgets)))
    terminal = Field(name, ref, node, str(kind) if isinstance(kind, Name) else "", value, widgets, placed)
    return Node(ref, inherited, (), _NOTHING, terminal, numbers)


def _widgets(document: Document, ref: Ref, kids: list[PdfObject], revision: int | None) -> tuple[Ref, ...]:
    """The kids of form field `ref` where they are its widgets; none where they are fields."""
    children = [document.get(kid, revision=revision) for kid in kids]
    widgets = [kid for kid, child in zip(kids, children, strict=True) if isinstance(child, dict) and "T" not in child]
    if widgets and len(widgets) != len(kids):
        raise PdfError(f"the kids of form field {ref.number} are fields and widgets mixed")
    refs = tuple(kid for kid in widgets if isinstance(kid, Ref))
    if len(refs) != len(widgets) or len(set(refs)) != len(refs):
        raise PdfError(f"a widget of form field {ref.number} is not an indirect object, or stands there twice")
    return refs


def _read_for(document: Document, values: tuple[PdfObject, ...], revision: int | None) -> frozenset[int]:
    """Numbers of the objects that `values` refer to, and of those that they are read by; see :meth:`Document.read_by`."""
    numbers: set[int] = set()
    for value in values:
        if isinstance(value, Ref):
            entry = document.entry(value.number, revision)
            if entry is not None and entry.kind == "compressed":
                numbers |= document.read_by(value.number, revision)
            else:
                numbers.add(value.number)
    return frozenset(numbers)


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
