"""The inbound-reference question: no spelling of a reference that the lexer reads may be missed."""

from __future__ import annotations

import random
import time

import pytest

from signing.changes.references import References, mentions, scan
from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.lexer import read_value
from signing.pdf.objects import Ref, Stream
from tests.corpus.edit import update
from tests.support.signing_cases import canonical_pdf, foreign_pdf

SEPARATORS = (b" ", b"  ", b"\n", b"\r\n", b"\x00", b"\x0c", b"\t", b"%c\n", b" % 3 0 R\n", b"%\r", b"%R\n", b"%1 %2\n", b" " * 300)
OTHERS = (
    *(b"7", b"12", b"0", b"(a 5 0 R)", b"(%)", b"/N", b"/N 1", b"[]", b"<<>>", b"<41>", b"true", b"null", b"+1", b"1.5", b"[4 0 R]"),
    *(b"%x\n", b"(5 0 %)", b"/R", b"<</K 9 0 R>>", b"<</K%\n8 0 R>>"),
)
NOISE = (b"R", b"]", b">>", b"(", b"%", b"007", b"\x00", b"R ", b" 0 R")


def forms(count: int, seed: int) -> list[bytes]:
    """Arrays of numbers, strings, comments and references, the latter with all manner of white space; one piece in fifty is noise."""
    source = random.Random(seed)

    def separator(least: int) -> bytes:
        return b"".join(source.choices(SEPARATORS, k=source.choice((least, least, 1, 2, 3))))

    def piece() -> bytes:
        chance = source.random()
        if chance < 0.02:
            return source.choice(NOISE)
        if chance < 0.5:
            return source.choice(OTHERS)
        number = source.choice((b"1", b"7", b"12", b"700", b"0012", b"8388607"))
        return number + separator(1) + source.choice((b"0", b"00", b"65535")) + separator(1) + b"R"

    return [b"[" + b"".join(piece() + separator(0) for _ in range(source.randint(1, 6))) + b"]" for _ in range(count)]


def missed(octets: bytes) -> set[int]:
    """Numbers of references that the lexer sees in `octets` and the scan does not."""
    try:
        value, end = read_value(octets, 0)
    except PdfError:
        return set()
    return {number for number, _ in mentions(value)} - {number for _, number in scan(octets[:end])}


def test_wide_and_commented_references_are_found() -> None:
    for octets in (b"700            0 R", b"700%c\n0 R", b"700 0%c\rR", b"700 %a\n%b\n 0 %c\n R", b"[1 700\x000\x00R]", b"(x)700 0 R"):
        assert 700 in {number for _, number in scan(octets)}, octets


def test_no_random_form_of_a_reference_is_missed() -> None:
    assert [octets for octets in forms(20_000, seed=1) if missed(octets)] == []


@pytest.mark.long
def test_no_form_of_a_reference_is_missed_in_two_hundred_thousand() -> None:
    assert [octets for octets in forms(400_000, seed=2) if missed(octets)] == []


def test_random_forms_hold_references_at_all() -> None:
    read = 0
    for octets in forms(5_000, seed=1):
        try:
            read += bool(list(mentions(read_value(octets, 0)[0])))
        except PdfError:
            continue
    assert read > 2_500


@pytest.mark.parametrize("octets", [b"%1 %\n" * 100_000, b"1 %" * 100_000 + b"\n", b"1 0 %" * 100_000])
def test_comments_between_numbers_meet_a_limit(octets: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(LimitError, match="too many comments"):
        list(scan(octets))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("octets", [b"1 " * 500_000, b"1" + b" " * 1_000_000 + b"0 R", b"R" * 1_000_000, b"9" * 1_000_000 + b" 0 R"])
def test_scan_takes_time_in_proportion(octets: bytes) -> None:
    started = time.perf_counter()
    list(scan(octets))
    assert time.perf_counter() - started < 2


def test_context_names_holder_and_key() -> None:
    data = update(canonical_pdf(), {900: {"Held": [Ref(901)], "Text": 1}, 902: [Ref(901)]})
    document = Document.parse(data)
    assert References(document).contexts(901, len(data)) == ((900, "Held"), (902, ""))
    assert References(document).contexts(901, document.revisions[0].end) == ()


def test_mention_in_a_string_or_a_streams_data_is_dropped() -> None:
    data = update(canonical_pdf(), {900: b"(901 0 R)", 902: Stream({}, b"901 0 R")})
    assert References(Document.parse(data)).contexts(901, len(data)) == ()


def test_mention_outside_every_object_counts() -> None:
    data = update(canonical_pdf(), {900: {}}, between=b"901 0 R\n")
    assert References(Document.parse(data)).contexts(901, len(data)) == ((0, ""),)


def test_mention_in_an_object_stream_is_found() -> None:
    data = foreign_pdf(object_streams=True)
    document = Document.parse(data)
    pages = document.root["Pages"]
    assert isinstance(pages, Ref)
    assert {key for _, key in References(document).contexts(pages.number, len(data))} == {"Pages", "Parent"}


def test_mention_in_a_superseded_object_is_found() -> None:
    data = update(update(canonical_pdf(), {900: [Ref(901)]}), {900: []})
    assert References(Document.parse(data)).contexts(901, len(data)) == ((900, ""),)
