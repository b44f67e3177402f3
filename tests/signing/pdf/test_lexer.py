"""The lexer: what it reads, what it refuses, and that nothing else ever comes out of it."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.errors import LimitError, PdfError
from signing.pdf.indirect import read_head
from signing.pdf.lexer import read_value
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import Name, PdfObject, PdfString, Ref
from signing.pdf.serialize import serialize
from tests.support.mutation import FUZZ


def value(data: bytes) -> PdfObject:
    return read_value(data, 0)[0]


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"  42 ", 42),
        (b"-17", -17),
        (b"+.5", 0.5),
        (b"4.", 4.0),
        (b"true", True),
        (b"null", None),
        (b"/Name#20x", Name("Name x")),
        (b"/", Name("")),
        (b"(a(b)c)", PdfString(b"a(b)c")),
        (b"(a\\)\\n\\101\\7\\\r\nz)", PdfString(b"a)\nA\x07z")),
        (b"(line\r\nend\r)", PdfString(b"line\nend\n")),
        (b"<48 65 6C6c 6>", PdfString(b"Hell`")),
        (b"<>", PdfString(b"")),
        (b"7 0 R", Ref(7)),
        (b"7 % why\n 0 % not\r R", Ref(7)),
        (b"7 0 Rx", 7),
        (b"[1 2 0 R 3 4]", [1, Ref(2), 3, 4]),
        (b"[1 2 0 R/N(s)<AB>]", [1, Ref(2), Name("N"), PdfString(b"s"), PdfString(b"\xab")]),
        (b"<</A 1/B[<</C null>>]/D null>>", {"A": 1, "B": [{}]}),
    ],
)
def test_value_is_read(octets: bytes, expected: PdfObject) -> None:
    assert value(octets) == expected
    assert type(value(octets)) is type(expected)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "no PDF object at offset 0"),
        (b"<</A 1/A 2>>", "has a key twice"),
        (b"<</A 1/#41 2>>", "has a key twice"),
        (b"<</A>>", "does not pair names with values"),
        (b"<<1 2>>", "does not pair names with values"),
        (b"[1 2>>", "unexpected >> at offset 4"),
        (b"]", "unexpected ] at offset 0"),
        (b"<<[>>]", "unexpected >>"),
        (b"[1", "no PDF object"),
        (b"(never", "has no end"),
        (b"<4G>", "no PDF object"),
        (b"<41%42>", "no PDF object"),
        (b"<41<42>", "no PDF object"),
        (b"<41\x0b42>", "no PDF object"),  # a vertical tab is no white space in a PDF
        (b"<4-1>", "no PDF object"),
        (b"<4", "no PDF object"),
        (b"/A#4", "without two hexadecimal digits"),
        (b"/A#00", "or #00"),
        (b"[1 R]", "unexpected keyword b'R'"),
        (b"[-1 0 R]", "unexpected keyword b'R'"),
        (b"[0 0 R]", "out of range"),
        (b"[9999999 70000 R]", "out of range"),
        (b"endobj", "unexpected keyword b'endobj'"),
        (b"{1}", "no PDF object"),
        (b"12abc", "unexpected keyword b'12abc'"),
    ],
)
def test_malformed_value_is_refused(octets: bytes, message: str) -> None:
    with pytest.raises(PdfError) as caught:
        value(octets)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"[" * 500_000, "nest deeper than 64 levels"),
        (b"<</A" * 500_000, "nest deeper than 64 levels"),
        (b"9" * 100_000, "an integer of 100000 characters"),
        (b"0." + b"9" * 100_000, "a number of 100002 characters"),
        (b"/" + b"N" * 5_000, "a name of 5001 octets"),
        (b"[" + b"1 " * 1_100_000 + b"]", "more than 1000000 tokens"),
    ],
)
def test_greedy_value_meets_a_limit(octets: bytes, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        value(octets)


def test_nested_parentheses_do_not_recurse() -> None:
    assert value(b"(" * 200_000 + b")" * 200_000) == b"(" * 199_999 + b")" * 199_999


def test_spans_of_a_dictionary_are_those_of_its_values() -> None:
    data = b" <</A 1 0 R /B <00 11>/C [1 <</A 2>>] >>"
    spans: dict[str, tuple[int, int]] = {}
    read_value(data, 0, entry_spans=spans)
    assert {key: data[slice(*span)] for key, span in spans.items()} == {"A": b"1 0 R", "B": b"<00 11>", "C": b"[1 <</A 2>>]"}


_names = st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=1, max_size=8)
_leaves = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.integers(-(10**6), 10**6).map(lambda i: i / 64),
    st.binary(max_size=20).map(PdfString),
    _names.map(Name),
    st.builds(Ref, st.integers(1, 8_388_607), st.integers(0, 65_535)),
)
_objects = st.recursive(_leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_names, inner, max_size=5), max_leaves=25)


@FUZZ
@given(_objects)
def test_what_is_serialised_is_read_back(found: PdfObject) -> None:
    written = serialize(found)
    again, end = read_value(written + b" endobj", 0)
    assert again == found
    assert end == len(written)


@FUZZ
@given(st.lists(st.sampled_from(b"[]<>()/\\%#R10 .-\r\nA\x00x").map(lambda c: bytes([c])), max_size=60).map(b"".join))
def test_noise_raises_nothing_but_pdf_errors(noise: bytes) -> None:
    with contextlib.suppress(PdfError):
        value(noise)


@pytest.mark.parametrize("octets", [b" " * 3_000_000, b"%\n" * 1_000_000, b"(" + b"\\" * 2_000_000, b"<" + b"0" * 3_000_000])
def test_long_input_takes_time_in_proportion(octets: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(PdfError):
        value(octets)
    assert time.perf_counter() - started < 5


_numbers = st.one_of(
    st.integers(0, 10**6).map(str),
    st.integers(-(10**21), 10**21).map("{:+d}".format),
    st.floats(-1e6, 1e6).map("{:.4f}".format),
    st.sampled_from(["4.", "-.5", "+0", "007", ".0", "1" * 20, "1" * 21]),
)


@FUZZ
@given(st.lists(_numbers, min_size=1, max_size=12), st.sampled_from([" ", "  ", "\n", "\t ", "\r\n"]))
def test_array_of_numbers_is_read_as_its_tokens_are(numbers: list[str], blank: str) -> None:
    def read(octets: bytes) -> object:
        try:
            return read_value(octets, 0)[0]
        except PdfError as exc:
            return type(exc)

    written = blank.join(numbers).encode()
    assert read(b"[" + written + b"]") == read(b"[" + written + b"%\n]")  # a comment: read token by token


@FUZZ
@given(
    st.lists(
        st.sampled_from((b"<<", b">>", b"/A", b" ", b"1 ", b"(a)", b"[", b"]", b"endobj", b"stream", b"%\n", b"7 0 R", b"\n", b"")),
        max_size=9,
    ),
    st.sampled_from((b"", b"x", b" ", b"\n1 0 obj", b"\r\nabc\nendstream", b"%", b"(")),
)
def test_object_is_the_same_whether_remembered_or_read_in_place(parts: list[bytes], after: bytes) -> None:
    def read(data: bytes, offset: int, limits: Limits) -> object:
        try:
            value, end, start = read_head(data, offset, limits=limits)
        except PdfError as exc:
            return type(exc)
        return value, end - offset if not start else 0, start - offset if start else 0

    data = b"1 0 obj" + b"".join(parts) + b" endobj" + after
    assert read(data, 0, LIMITS) == read(data, 0, Limits()) == read(b"%PDF\n" + data, 5, LIMITS)
