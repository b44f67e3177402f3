"""Where the objects of a document stand, of every revision, and what stands in them: made once for the questions asked before signing."""

from __future__ import annotations

from dataclasses import dataclass

from signing.inspection.reading import Edges, readings, references
from signing.pdf.document import Document, XrefEntry
from signing.pdf.objects import Ref


@dataclass(frozen=True)
class Layout:
    """`current`: the entries in use now. `places`: offset to object number, superseded objects and cross-reference streams included.

    `words`: how often `obj` begins an object or stands in a stream. `risky`: numbers of current objects with a risky spelling, those in
    object streams aside. `edges`: who refers to whom; some references may be missing, none is too many.
    """

    current: dict[int, XrefEntry]
    places: dict[int, int]
    words: int
    risky: set[int]
    edges: Edges

    @classmethod
    def of(cls, document: Document) -> Layout:
        listed: dict[int, XrefEntry] = {}
        places: dict[int, int] = {}
        edges: Edges = {0: []}
        for revision in document.revisions:
            listed.update(revision.entries)
            edges[0] += (ref.number for ref in references(revision.trailer))
            for number, entry in revision.entries.items():
                if entry.kind == "offset":
                    places[entry.offset] = number
                elif entry.kind == "compressed":
                    value = document.get(Ref(number), revision=revision.index)
                    edges.setdefault(number, []).extend(ref.number for ref in references(value) if not ref.generation)
            if revision.xref_kind != "table":
                places.setdefault(revision.xref_offset, 0)
        words, risky = 0, set[int]()
        for start, reading in readings(document):
            words += reading.words
            risky.update(offset + start for offset in reading.risky)
            for number, found in reading.edges.items():
                edges.setdefault(number, []).extend(found)
        current = {number: entry for number, entry in listed.items() if entry.kind != "free"}
        suspects = {number for offset in risky if (number := places[offset]) in current and current[number].offset == offset}
        return cls(current, places, words, suspects, edges)
