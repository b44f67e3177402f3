"""Dictionaries read as words between white space: what is read so is what the lexer reads there; all else is left to it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from signing.coverage.structure import read_structure
from signing.errors import PdfError
from signing.pdf import plain
from signing.pdf.document import Document
from signing.pdf.lexer import keyword_at, read_value
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import Name, PdfString, Ref
from signing.pdf.plain import MAX_PLAIN, read_plain, read_plain_signature
from tests.corpus.good import good_files

TRAILER = b"<</Size 368 /Root 1 0 R /Info 2 0 R /ID [(3mUSZmLwgW5UXAl3Oj9S+g==) <1E9D5BBFB04E526A72CBE79EFAF3C895>] /Prev 82908>>"
SIGNATURE = (
    b"\n<</Type /Sig /Filter /Adobe.PPKLite /M (D:20260905080000+00'00') /Reference [<</Type /SigRef /Data 1 0 R>>]"
    b"/Contents <3000aB00>/ByteRange [0 90697 101451 10419     ] /V 1.5>>\nendobj\n"
)
PIECES = (
    *(b" ", b" ", b"\n", b"\r\n", b"\t", b"\f", b"\v", b"\0", b"<a b>", b"(a b)", b"12 0 R", b"0 0 R", b"1 2 ", b"R ", b"[1 2]"),
    *rb"<< >> [ ] < > ( ) { % \ / /A /B /Contents /C#6fntents /A#20 <ab> <a> <> (a) () (a/b) (<ab>)".split(),
    *b"R 12 -1 +1 1.5 . 1. 007 11111111111111111111 111111111111111111111 null true x 1e5 1_0 endobj startxref".split(),
    *(b"/Contents <00>", b"/A null", b"\nendobj\n", b"\x85", b"\xa0", b"<</A 1>>"),
)


def changed(octets: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(octets) + 1)
        octets = octets[:at] + chance.choice(PIECES) + octets[at + chance.choice((0, 0, 1, 1, 2, 8)) :]
    return octets


def spellings(of: bytes, count: int) -> Iterator[bytes]:
    chance = random.Random(11)
    for number in range(count):
        soup = b"<<" + b"".join(chance.choices(PIECES, k=chance.randrange(8))) + b">>"
        yield changed(of, chance) if number % 3 else soup


def test_what_is_plain_is_what_the_lexer_reads() -> None:
    read = 0
    for octets in spellings(TRAILER, 30_000):
        found = read_plain(octets)
        if found is not None:
            read += 1
            value, end = read_value(octets + b"startxref", 0)
            assert (repr(found), octets.rindex(b">>") + 2) == (repr(value), end), octets
    assert read > 1_000


def test_a_plain_signature_is_what_the_lexer_reads() -> None:
    read = 0
    for octets in spellings(SIGNATURE, 30_000):
        found = read_plain_signature(octets, 0)
        if found is not None:
            read += 1
            spans: dict[str, tuple[int, int]] = {}
            value, position = read_value(octets, 0, entry_spans=spans)
            word, end = keyword_at(octets, position)
            assert word == b"endobj"
            assert (repr(found[0]), *found[1:]) == (repr(value), end, spans["Contents"]), octets
    assert read > 1_000


@pytest.mark.parametrize("octets", [TRAILER, b" <</A[1 0 R/B <ab>]/C (x)/D<</E 1.50>>>>\r\n"])
def test_usual_spellings_are_plain(octets: bytes) -> None:
    assert read_plain(octets) is not None


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b"[1]", b"<</A 1", b"<</A 1>>>>", b"<</A 1>> <</B 1>>", b"<</A 1>> 5", b"<</A>>", b"<<1 /A>>", b"<</A 1 /A 2>>"),
        *(b"<</A [1>>]", b"<</A %x\n1>>", b"<</A (\\))>>", b"<</A (b c)>>", b"<</A -1>>", b"<</A null>>", b"<</A#20 1>>", b"<</A<a>>>"),
        *(b"<</A\v1>>", b"<</A\x001>>", b"<</A [1 2] 0 R>>", b"<</A 0 0 R>>", b"<</A 1 0 R R>>", b"<</A {1}>>", b"<</A 1e5>>"),
        *(b"<</A 12(b)>>", b"<</A (a>>", b"<</A " + b"[" * 65 + b"]" * 65 + b">>", b"<</A " + b"1" * 21 + b">>"),
        b"<</" + b"A" * 1_100 + b" 1>>",
    ],
)
def test_unusual_spellings_are_left_to_the_lexer(octets: bytes) -> None:
    assert read_plain(octets) is None


@pytest.mark.parametrize(
    "octets",
    [
        SIGNATURE.replace(b"/Data 1 0 R", b"/Contents <00>"),
        SIGNATURE.replace(b"/V 1.5", b"/Contents <00>"),
        SIGNATURE.replace(b"/Contents", b"/C#6fntents").replace(b"/Data 1 0 R", b"/Contents <00>"),
        SIGNATURE.replace(b"<3000aB00>", b"<3000 aB00>"),
        SIGNATURE.replace(b"<3000aB00>", b"<3000aB0>"),
        SIGNATURE.replace(b"<3000aB00>", b"(0000)"),
        SIGNATURE.replace(b"/Contents ", b"/Contents\v"),
        SIGNATURE.replace(b"endobj\n", b"endobjx"),
        SIGNATURE.replace(b"/V 1.5", b"/V (endobj\n)"),
        SIGNATURE.replace(b"/V 1.5", b"/V " + b" " * MAX_PLAIN),
        SIGNATURE.removesuffix(b"\n"),
    ],
)
def test_unusual_signatures_are_left_to_the_lexer(octets: bytes) -> None:
    assert read_plain_signature(SIGNATURE, 0) is not None
    assert read_plain_signature(octets, 0) is None


def test_values_have_the_types_of_the_lexer() -> None:
    found = read_plain(b"<</A /B /C (x) /D <41> /E 1 0 R /F 1 /G 1. /H [] /I <<>>>>")
    assert found is not None
    assert [type(value) for value in found.values()] == [Name, PdfString, PdfString, Ref, int, float, list, dict]
    assert {type(key) for key in found} == {str}


def test_records_are_read_alike_where_all_is_left_to_the_lexer() -> None:
    for data in (*good_files().stages, good_files().archived):
        lexed = Limits(file_size=LIMITS.file_size + 1)
        assert read_structure(Document.parse(data)) == read_structure(Document.parse(data, limits=lexed))


def test_names_that_are_remembered_are_few() -> None:
    for number in range(plain.MAX_NAMES + 10):
        assert read_plain(b"<</N%d 1>>" % number) == {f"N{number}": 1}
    assert len(plain._NAMES) <= plain.MAX_NAMES


def test_a_trailer_with_another_spelling_has_the_same_refusal() -> None:
    data = good_files().stages[-1]
    at = data.rindex(b"trailer")
    with pytest.raises(PdfError, match="does not pair names with values"):
        Document.parse(data[:at] + data[at:].replace(b"/Size", b"/Size 1", 1))
