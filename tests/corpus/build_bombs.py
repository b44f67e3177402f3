"""Attack classes 36 to 38 and 40, the PDF part: documents that ask for too much memory, depth or time."""

from __future__ import annotations

import zlib

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from signing.pdf.serialize import serialize
from tests.corpus.case import GoodFiles, case
from tests.corpus.edit import Name, PdfString, Ref, Stream, body, number_of, root_number, update

LIMITS = "signing/pdf/limits.py"
BOMB = 256 * 1024 * 1024  # octets; eight times what one stream may decode to
MIB = bytes(1024 * 1024)


def deflated(size: int) -> bytes:
    """`size` zero octets, compressed without ever lying in memory whole."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(MIB) for _ in range(size // len(MIB))), packer.flush()])


def _xref_stream(data: bytes, dictionary: dict[str, PdfObject], raw: bytes) -> bytes:
    document = Document.parse(data)
    fresh = document.size
    out = bytearray(data)
    start = len(out)
    head: dict[str, PdfObject] = {
        **{"Type": Name("XRef"), "Size": fresh + 1, "Root": document.trailer["Root"]},
        **{"Prev": document.revisions[-1].xref_offset, **dictionary},
    }
    out += b"%d 0 obj\n" % fresh + serialize(Stream(head, raw)) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


@case(
    "36-xref-stream-bomb",
    36,
    "TOO_COMPLEX",
    clause=LIMITS,
    reason="a cross-reference stream that inflates without end",
    refusal="decodes to more than",
)
def xref_stream_bomb(good: GoodFiles) -> bytes:
    return _xref_stream(good.archived, {"W": [1, 4, 2], "Index": [0, 1], "Filter": Name("FlateDecode")}, deflated(BOMB))


@case("36-double-flate", 36, "TOO_COMPLEX", clause=LIMITS, reason="a compressed bomb, compressed again", refusal="decodes to more than")
def double_flate(good: GoodFiles) -> bytes:
    raw = zlib.compress(deflated(BOMB))
    return _xref_stream(good.archived, {"W": [1, 4, 2], "Index": [0, 1], "Filter": [Name("FlateDecode"), Name("FlateDecode")]}, raw)


@case("36-many-filters", 36, "TOO_COMPLEX", clause=LIMITS, reason="a chain of filters", refusal="filters, more than")
def many_filters(good: GoodFiles) -> bytes:
    raw = b"x"
    for _ in range(20):
        raw = zlib.compress(raw)
    return _xref_stream(good.archived, {"W": [1, 4, 2], "Index": [0, 1], "Filter": [Name("FlateDecode")] * 20}, raw)


@case(
    "36-xref-index", 36, "TOO_COMPLEX", clause=LIMITS, reason="a cross-reference stream that claims millions of entries", refusal="entries"
)
def xref_index(good: GoodFiles) -> bytes:
    return _xref_stream(good.archived, {"W": [0, 1, 0], "Index": [0, 8_000_000]}, b"x")


@case(
    "36-xref-table",
    36,
    "TOO_COMPLEX",
    clause=LIMITS,
    reason="a table that claims millions of entries",
    refusal="subsection of 9000000 objects",
)
def xref_table(good: GoodFiles) -> bytes:
    out = good.archived + b"xref\n0 9000000\n"
    return out + b"trailer\n<< /Size 1 >>\nstartxref\n%d\n%%%%EOF\n" % len(good.archived)


@case("37-nested-arrays", 37, "TOO_COMPLEX", clause=LIMITS, reason="500,000 nested arrays in the trailer", refusal="nest deeper than")
def nested_arrays(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    catalog = root_number(document)
    whole = update(good.archived, {catalog: body(document, catalog)}, trailer={"Nested": PdfString(b"here")})
    return whole.replace(b"(here)", b"[" * 500_000 + b"]" * 500_000)


@case(
    "37-nested-catalog", 37, "TOO_COMPLEX", clause=LIMITS, reason="500,000 nested dictionaries in the catalog", refusal="nest deeper than"
)
def nested_catalog(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    return update(good.archived, {root_number(document): b"<</A " * 500_000 + b"1" + b">>" * 500_000})


@case(
    "37-page-tree-loop",
    37,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.7.3: a tree",
    reason="a page tree that contains itself",
    refusal="twice in the page tree",
)
def page_tree_loop(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    tree = number_of(document, "Pages")
    return update(good.archived, {tree: {**body(document, tree), "Kids": [Ref(tree)]}})


@case(
    "37-field-loop",
    37,
    "PDF_BROKEN",
    clause="ISO 32000-2 12.7.4: a tree",
    reason="a field that is its own kid",
    refusal="twice in the form",
)
def field_loop(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    fresh = document.size
    parent: PdfObject = {"T": PdfString(b"loop"), "Kids": [Ref(fresh)]}
    return update(good.archived, {ref.number: {**body(document, ref.number), "Fields": [Ref(fresh)]}, fresh: parent})


@case(
    "37-length-loop",
    37,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.3.8",
    reason="a stream whose length is the stream itself",
    refusal="depends on itself",
)
def length_loop(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    root, fresh = root_number(document), document.size
    catalog: PdfObject = {**body(document, root), "AcroForm": Ref(fresh)}
    return update(good.archived, {root: catalog, fresh: b"<</Length %d 0 R>>\nstream\nx\nendstream" % fresh})


@case("37-long-number", 37, "TOO_COMPLEX", clause=LIMITS, reason="a number of a million digits", refusal="an integer of 1000000 characters")
def long_number(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    return update(good.archived, {root_number(document): b"<</A " + b"9" * 1_000_000 + b">>"})


@case("38-many-updates", 38, "TOO_COMPLEX", clause=LIMITS, reason="20,000 incremental updates", refusal="revisions")
def many_updates(good: GoodFiles) -> bytes:
    out = bytearray(good.archived)
    previous = Document.parse(good.archived).revisions[-1].xref_offset
    for _ in range(20_000):
        start = len(out)
        out += b"xref\n0 0\ntrailer\n<</Size 500/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start)
        previous = start
    return bytes(out)


@case("40-many-fields", 40, "TOO_COMPLEX", clause=LIMITS, reason="5,000 signature fields", refusal="fields or")
def many_fields(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    ref = body(document, root_number(document))["AcroForm"]
    assert isinstance(ref, Ref)
    fresh = document.size
    listed: list[PdfObject] = [Ref(fresh + i) for i in range(5_000)]
    objects: dict[int, PdfObject | bytes] = {ref.number: {**body(document, ref.number), "Fields": listed}}
    for i in range(5_000):
        objects[fresh + i] = {"FT": Name("Sig"), "T": PdfString(b"S%d" % i)}
    return update(good.archived, objects)


@case("40-comments", 40, "UPDATE_UNREADABLE", clause=LIMITS, reason="comments between numbers, to make the search for references quadratic")
def comments(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    fresh = document.size
    bomb = update(good.archived, {fresh: b"[" + b"1 %" * 200_000 + b"\n]"})
    return update(bomb, {fresh + 1: b"[]"})  # references are looked for in what comes before an update
