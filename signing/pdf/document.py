"""A PDF as a chain of revisions, read lazily: parsing reads the cross-references, objects are lexed when asked for.

    document = Document.parse(data)
    pages = document.get(document.root["Pages"])
    as_signed = document.get(Ref(12), revision=0)

Every cross-reference entry is checked to point at `N G obj` when the document is parsed, since readers that repair a damaged file would
see another document than readers that do not. Values are shared between calls: treat them as read-only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from functools import cached_property
from typing import NamedTuple

from signing.errors import LimitError, PdfError
from signing.pdf.filters import CODING, decode
from signing.pdf.heads import check_entries
from signing.pdf.indirect import OBJECT, members, read_head, read_stream
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.pieces import Piece, cut
from signing.pdf.plain import read_plain_signature
from signing.pdf.rows import XrefEntry, offsets
from signing.pdf.xref import Revision, read_revisions

__all__ = ["Document", "Extent", "Revision", "XrefEntry"]

MAX_DEPENDENT = 8  # streams whose lengths hang on one another; a sound file needs two
_HOW_READ = ("Type", "N", "First", *CODING)
_HEADER = re.compile(rb"%PDF-[12]\.[0-9](?=[\r\n\t ])")


class Extent(NamedTuple):
    """How far an indirect object reaches: `end` after its `endobj`, `lexed` where its lexed octets end (a stream's data follow)."""

    end: int
    lexed: int
    is_stream: bool


class Document:
    """A parsed PDF. `data` is the whole file; `revisions` are oldest first. Make one with :meth:`parse`."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.revisions: tuple[Revision, ...] = ()
        self._heads: dict[int, tuple[PdfObject, int, int]] = {}
        self._objects: dict[int, tuple[PdfObject, int]] = {}  # those that are the same as of every revision
        self._streams: dict[tuple[int, int], tuple[Stream, int]] = {}
        self._catalogs: dict[int | None, dict[str, PdfObject]] = {}
        self._members: dict[tuple[int, int, int | None], dict[int, tuple[int, PdfObject]]] = {}
        self._loading: set[int] = set()
        self._base: Mapping[int, XrefEntry] = {}
        self._updates: dict[int, list[tuple[int, XrefEntry]]] = {}
        self._decoded = 0

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = LIMITS) -> Document:
        """Reads the cross-references of `data`. Raises :class:`PdfError`, :class:`EncryptedPdfError`, :class:`LimitError`."""
        if len(data) > limits.file_size:
            raise LimitError(f"the file has {len(data)} octets, more than the {limits.file_size} that are read")
        if not _HEADER.match(data):
            raise PdfError("not a PDF: the file does not begin with %PDF-1.n or %PDF-2.n")
        document = cls(data, limits)
        document.revisions = read_revisions(data, read_stream=document._xref_stream, limits=limits)
        for revision in document.revisions:
            check_entries(data, revision)
        document._base = document.revisions[0].entries
        for revision in document.revisions[1:]:
            for number, entry in revision.entries.items():
                if number in document._updates:
                    document._updates[number].append((revision.index, entry))
                else:
                    document._updates[number] = [(revision.index, entry)]
        return document

    @cached_property
    def places(self) -> dict[int, int]:
        """Where each listed object begins → the oldest revision that names the place."""
        found: dict[int, int] = {}
        for revision in reversed(self.revisions):
            found.update(dict.fromkeys(offsets(revision.entries), revision.index))
        found.pop(0, None)  # where the file begins stands no object: the offset of entries that are free or compressed
        return found

    @cached_property
    def starts(self) -> list[int]:
        """Where listed objects begin, in rising order."""
        return sorted(self.places)

    @cached_property
    def pieces(self) -> list[tuple[int, Piece]]:
        """(offset, references spelled there) of each piece of the file between `starts`."""
        return cut(self.data, self.starts)

    @property
    def trailer(self) -> dict[str, PdfObject]:
        """The newest trailer."""
        return self.revisions[-1].trailer

    @property
    def root(self) -> dict[str, PdfObject]:
        """The newest catalog."""
        return self.catalog()

    @property
    def size(self) -> int:
        """The next free object number."""
        highest = max((max(r.entries, default=0) for r in self.revisions), default=0)
        sizes = [size for r in self.revisions if isinstance(size := r.trailer.get("Size"), int)]
        return max(highest + 1, *sizes)

    @property
    def trailing(self) -> bytes:
        """Octets after the last revision's %%EOF and its end-of-line; b"" in a sound file."""
        return self.data[self.revisions[-1].end :]

    def catalog(self, revision: int | None = None) -> dict[str, PdfObject]:
        """The catalog as of `revision` (None: the newest). Raises :class:`PdfError` where there is none."""
        found = self._catalogs.get(revision)
        if found is None:
            root = self.revisions[-1 if revision is None else revision].trailer.get("Root")
            catalog = self.get(root, revision=revision) if isinstance(root, Ref) else None
            if not isinstance(catalog, dict):
                raise PdfError("the trailer's /Root is not a reference to a catalog")
            found = self._catalogs[revision] = catalog
        return found

    def entry(self, number: int, revision: int | None = None) -> XrefEntry | None:
        """The entry that counts for object `number` as of `revision`; None where no revision up to then names it."""
        updates = self._updates.get(number)
        if updates is not None:
            for index, found in reversed(updates):
                if revision is None or index <= revision:
                    return found
        return self._base.get(number)

    def get(self, value: PdfObject, *, revision: int | None = None) -> PdfObject:
        """`value` itself, or the object it refers to as of `revision`; a missing or free object is None (ISO 32000-2 7.3.10).

        Raises :class:`PdfError` on a broken object, or one that is itself only a reference.
        """
        if not isinstance(value, Ref):
            return value
        entry = self.entry(value.number, revision)
        if entry is None or entry.kind == "free" or entry.generation != value.generation:
            return None
        found = self._compressed(entry, revision) if entry.kind == "compressed" else self._at(entry.offset, revision)[0]
        if isinstance(found, Ref):
            raise PdfError(f"object {value.number} is only a reference to object {found.number}")
        return found

    def read_by(self, number: int, revision: int | None = None) -> set[int]:
        """The objects that object `number` is read by as of `revision`: itself, and what holds it in an object stream, the numbers that
        tell how to read that included. Where none of them is brought anew, it is the same object as before.
        """
        found: set[int] = set()
        waiting = [number]
        while waiting:
            found.add(one := waiting.pop())
            entry = self.entry(one, revision)
            if entry is None or entry.kind != "compressed" or entry.stream_number in found:
                continue
            found.add(entry.stream_number)
            holder = self.entry(entry.stream_number, revision)
            stream = self._at(holder.offset, revision)[0] if holder is not None and holder.kind == "offset" else None
            told = _told_by(stream, "Length", *_HOW_READ) if isinstance(stream, Stream) else set()
            told |= {ref for each in told for ref in _references(self.get(each, revision=revision))}
            waiting += {ref.number for ref in told} - found
        return found

    def span(self, number: int, revision: int | None = None) -> tuple[int, int]:
        """(start, exclusive end) of `N G obj … endobj` in the file. Raises :class:`PdfError` for free and compressed objects."""
        entry = self.entry(number, revision)
        if entry is None or entry.kind != "offset":
            raise PdfError(f"object {number} does not stand in the file by itself")
        return entry.offset, self._at(entry.offset, revision)[1]

    def contents_span(self, number: int) -> tuple[int, int] | None:
        """Where the value of /Contents stands in the signature dictionary that object `number` is: start and exclusive end."""
        entry = self.entry(number)
        if entry is None or entry.kind != "offset":
            raise PdfError(f"object {number} does not stand in the file by itself")
        start = OBJECT.match(self.data, entry.offset)
        if start and self.limits is LIMITS and (plain := read_plain_signature(self.data, start.end())):
            self._heads[entry.offset] = (plain[0], plain[1], 0)
            return plain[2]
        found: dict[str, tuple[int, int]] = {}
        self._heads[entry.offset] = read_head(self.data, entry.offset, limits=self.limits, entry_spans=found)
        return found.get("Contents")

    def object_at(self, offset: int, *, revision: int | None = None) -> tuple[int, PdfObject, int]:
        """(number, object, exclusive end) of the indirect object whose `N G obj` begins at `offset`."""
        head = OBJECT.match(self.data, offset)
        value, end = self._at(offset, revision)
        return int(head[1]) if head else 0, value, end

    @property
    def read_places(self) -> Set[int]:
        """The offsets of the objects that somebody has asked for."""
        return self._heads.keys()

    def extent(self, offset: int, revision: int | None = None) -> Extent:
        """The extent of the indirect object whose `N G obj` begins at `offset`."""
        end = self._at(offset, revision)[1]
        data_start = self._heads[offset][2]
        return Extent(end, data_start or end, data_start > 0)

    def stream_data(self, stream: Stream, *, revision: int | None = None) -> bytes:
        """The decoded octets of `stream`. Raises :class:`PdfError` on other filters than FlateDecode, :class:`LimitError` on bombs."""
        head = {key: self.get(stream.dictionary[key], revision=revision) for key in CODING if key in stream.dictionary}
        for key in ("Filter", "DecodeParms") if head else ():
            if isinstance(listed := head.get(key), list):
                head[key] = [self.get(item, revision=revision) for item in listed[: self.limits.filters + 1]]
        if isinstance(parms := head.get("DecodeParms"), dict):
            head["DecodeParms"] = {key: self.get(item, revision=revision) for key, item in parms.items()}
        decoded = decode(head, stream.raw, limits=self.limits)
        self._decoded += len(decoded)
        if self._decoded > self.limits.decoded:
            raise LimitError(f"the document's streams decode to more than {self.limits.decoded} octets")
        return decoded

    def numbers(self, revision: int | None = None) -> Iterator[int]:
        """Every object number in use as of `revision`, in rising order."""
        for number in sorted(self._updates.keys() | self._base.keys()):
            entry = self.entry(number, revision)
            if entry is not None and entry.kind != "free":
                yield number

    def _at(self, offset: int, revision: int | None) -> tuple[PdfObject, int]:
        """The indirect object at `offset` and the offset after its `endobj`."""
        if found := self._objects.get(offset):
            return found
        head = self._heads.get(offset)
        if head is None:
            head = self._heads[offset] = read_head(self.data, offset, limits=self.limits)
        value, end, data_start = head
        if not data_start:
            found = self._objects[offset] = value, end
            return found
        if not isinstance(value, dict):
            raise PdfError(f"a stream at offset {offset} has no dictionary")
        stated = value.get("Length")
        length = self._length(stated, offset, revision)
        cached = self._streams.get((offset, length))
        if cached is None:
            cached = self._streams[offset, length] = read_stream(self.data, offset, value, data_start, length)
        if not isinstance(stated, Ref):
            self._objects[offset] = cached
        return cached

    def _length(self, length: PdfObject, offset: int, revision: int | None) -> int:
        if isinstance(length, Ref):
            if offset in self._loading or len(self._loading) > MAX_DEPENDENT:
                raise PdfError(f"the length of the stream at offset {offset} depends on itself")
            self._loading.add(offset)
            try:
                length = self.get(length, revision=revision)
            finally:
                self._loading.discard(offset)
        if type(length) is not int or not 0 <= length <= len(self.data):
            raise PdfError(f"the stream at offset {offset} has no sound /Length")
        return length

    def _xref_stream(self, offset: int) -> tuple[Stream, bytes, int]:
        value, end = self._at(offset, None)
        if not isinstance(value, Stream) or isinstance(value.dictionary.get("Length"), Ref):
            raise PdfError(f"no cross-reference at offset {offset}")
        return value, self.stream_data(value), end

    def _compressed(self, entry: XrefEntry, revision: int | None) -> PdfObject:
        holder = self.entry(entry.stream_number, revision)
        if holder is None or holder.kind != "offset":
            raise PdfError(f"object {entry.number} is said to be in object stream {entry.stream_number}, which is none")
        if holder.offset in self._loading or len(self._loading) > MAX_DEPENDENT:
            raise PdfError(f"object stream {entry.stream_number} depends on itself")
        stream = self._at(holder.offset, revision)[0]
        if not isinstance(stream, Stream):
            raise PdfError(f"object {entry.stream_number} is no object stream")
        # the same members as of every revision, unless what says how to read them stands elsewhere
        key = (holder.offset, len(stream.raw), revision if _told_by(stream, *_HOW_READ) else None)
        members = self._members.get(key)
        if members is None:
            self._loading.add(holder.offset)
            try:
                members = self._members[key] = self._read_members(stream, revision)
            finally:
                self._loading.discard(holder.offset)
        number, value = members.get(entry.index, (0, None))
        if number != entry.number:
            raise PdfError(f"object stream {entry.stream_number} does not hold object {entry.number} at index {entry.index}")
        return value

    def _read_members(self, stream: Stream, revision: int | None) -> dict[int, tuple[int, PdfObject]]:
        """index → (object number, object) of an object stream (ISO 32000-2 7.5.7)."""
        count = self.get(stream.dictionary.get("N"), revision=revision)
        first = self.get(stream.dictionary.get("First"), revision=revision)
        if stream.dictionary.get("Type") != "ObjStm" or type(count) is not int or type(first) is not int:
            raise PdfError("an object stream lacks /Type /ObjStm, /N or /First")
        return members(self.stream_data(stream, revision=revision), count, first, limits=self.limits)


def _told_by(stream: Stream, *keys: str) -> set[Ref]:
    """What an object stream refers to under `keys`, which say how it is read; nothing, nearly always."""
    return {ref for key in keys if key in stream.dictionary for ref in _references(stream.dictionary[key])}


def _references(value: PdfObject) -> Iterator[Ref]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Ref):
            yield item
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
