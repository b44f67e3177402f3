"""The role of pages: a page may take up the widgets of the fields that this update adds, and markup; nothing else about it may change."""

from __future__ import annotations

from signing.changes.comparison import Comparison, appended
from signing.changes.inert import claim_markup
from signing.pdf.objects import Name, PdfObject, Ref
from signing.verdict import Changes


def review_pages(comparison: Comparison) -> None:
    """Claims changed pages and arrays of annotations that only gain the new fields' widgets. The page tree itself may not change."""
    placed: list[Ref] = []
    for number in [n for n in comparison.changed if n not in comparison.claimed and not comparison.is_new(Ref(n))]:
        old = _old(comparison, number)
        if isinstance(old, dict) and old.get("Type") == Name("Page"):
            _review_page(comparison, Ref(number, comparison.changed[number].generation), old, placed)
        elif isinstance(old, list):
            for _ in range(_pages_with(comparison, number)):
                comparison.claim(Ref(number), "annotations array")
                _review_annotations(comparison, old, comparison.new(Ref(number)), placed)
    if len(set(placed)) != len(placed) or set(placed) - comparison.new_widgets:
        comparison.refuse("ANNOTATION_ADDED", "a new widget was put on more than one page")


def _pages_with(comparison: Comparison, number: int) -> int:
    """How many pages have object `number` as their /Annots."""
    start = comparison.document.revisions[comparison.after].start
    holders = {holder for holder, key in comparison.references.contexts(number, start) if key == "Annots"}
    pages = [page for holder in holders if isinstance(page := _old(comparison, holder), dict) and page.get("Type") == Name("Page")]
    return sum(isinstance(annots := page.get("Annots"), Ref) and annots.number == number for page in pages)


def _old(comparison: Comparison, number: int) -> PdfObject:
    entry = comparison.document.entry(number, comparison.before)
    return comparison.old(Ref(number, entry.generation)) if entry else None


def _review_page(comparison: Comparison, ref: Ref, old: dict[str, PdfObject], placed: list[Ref]) -> None:
    new = comparison.new(ref)
    if not isinstance(new, dict):
        comparison.refuse("PAGE_CHANGED", f"page object {ref.number} was removed")
        return
    comparison.claim(ref, "page")
    if extra := comparison.only(old, new, ("Annots",)):
        comparison.refuse("PAGE_CHANGED", f"page object {ref.number} changed in {', '.join(sorted(extra))}")
    before, after = old.get("Annots"), new.get("Annots")
    if isinstance(before, Ref) and before != after:
        comparison.refuse("PAGE_CHANGED", f"page object {ref.number} refers to another array of annotations")
        return
    if isinstance(after, Ref) and comparison.is_changed(after):
        comparison.claim(after, "annotations array")
    _review_annotations(comparison, comparison.old(before), comparison.new(after), placed)


def _review_annotations(comparison: Comparison, old: PdfObject, new: PdfObject, placed: list[Ref]) -> None:
    if old is None and new is None:
        return
    more = appended(old, new)
    if more is None:
        comparison.refuse("ANNOTATION_REMOVED", "annotations were removed from a page or reordered")
        return
    for item in more:
        if isinstance(item, Ref) and item in comparison.new_widgets:
            placed.append(item)
        elif isinstance(item, Ref) and claim_markup(comparison, item):
            comparison.refuse("ANNOTATION_ADDED", "an annotation was added to a page", Changes.ANNOTATION)
        else:
            comparison.refuse("ANNOTATION_ADDED", "an annotation was added to a page that belongs to no new signature or time stamp")
