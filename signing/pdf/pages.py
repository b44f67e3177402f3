"""The page tree (ISO 32000-2 clause 7.7.3), walked without recursion and within limits."""

from __future__ import annotations

from collections.abc import Iterator

from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref


def pages(document: Document, revision: int | None = None) -> Iterator[tuple[Ref, dict[str, PdfObject]]]:
    """(reference, dictionary) of each page as of `revision`, in order.

    Raises :class:`PdfError` on a tree that is none (a node twice, a node that is no dictionary), :class:`LimitError` on one too large.
    """
    limits = document.limits
    waiting: list[tuple[PdfObject, int]] = [(document.catalog(revision).get("Pages"), 0)]
    seen: set[int] = set()
    while waiting:
        ref, depth = waiting.pop()
        if not isinstance(ref, Ref):
            raise PdfError("a page tree node is not an indirect object")
        if ref.number in seen:
            raise PdfError(f"object {ref.number} stands twice in the page tree")
        seen.add(ref.number)
        if len(seen) > limits.pages or depth > limits.tree_depth:
            raise LimitError(f"the page tree has more than {limits.pages} nodes or {limits.tree_depth} levels")
        node = document.get(ref, revision=revision)
        if not isinstance(node, dict):
            raise PdfError(f"page tree node {ref.number} is not a dictionary")
        if "Kids" in node:
            kids = document.get(node["Kids"], revision=revision)
            if not isinstance(kids, list):
                raise PdfError(f"/Kids of page tree node {ref.number} is not an array")
            waiting.extend((kid, depth + 1) for kid in reversed(kids))
        else:
            yield ref, node


def page_annotations(document: Document, page: dict[str, PdfObject], revision: int | None = None) -> list[PdfObject]:
    """The items of a page's /Annots, as they stand there (mostly references). Raises :class:`PdfError` where it is no array."""
    listed = document.get(page.get("Annots"), revision=revision)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise PdfError("a page's /Annots is not an array")
    return listed
