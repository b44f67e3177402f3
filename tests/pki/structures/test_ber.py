"""Indefinite lengths made definite, and what of BER stays refused."""

from __future__ import annotations

import pytest
from asn1crypto import parser
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import EncodingError
from pki.structures.ber import MAX_DEPTH, MAX_ELEMENTS, definite
from pki.structures.der import SEQUENCE, element
from tests.support.mutation import FUZZ


def indefinite(content: bytes, tag: int = SEQUENCE) -> bytes:
    return bytes((tag, 0x80)) + content + b"\x00\x00"


NULL = b"\x05\x00"


def test_definite_element_stays_as_it_is() -> None:
    assert definite(element(SEQUENCE, NULL) + b"more") == (element(SEQUENCE, NULL), 4)


def test_indefinite_lengths_are_made_definite_and_minimal() -> None:
    octets = indefinite(NULL + indefinite(b"\x04\x81\xc8" + bytes(200), 0xA0) + NULL)
    assert definite(octets + b"\x00" * 9) == (element(SEQUENCE, NULL + element(0xA0, b"\x04\x81\xc8" + bytes(200)) + NULL), len(octets))


def test_contents_of_zeros_are_no_end_inside_a_definite_element() -> None:
    octets = indefinite(element(0x04, bytes(6)))
    assert definite(octets) == (element(SEQUENCE, element(0x04, bytes(6))), len(octets))


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", "cut off at 0"),
        (b"\x30\x80" + NULL, "cut off at 4"),
        (b"\x30\x80" + NULL + b"\x00", "cut off at 4"),
        (b"\x04\x80\x00\x00", "a primitive element at 0 has no definite length"),
        (b"\x30\x80\x1f\x81\x01\x00\x00\x00", "a tag of several octets at 2"),
        (b"\x30\x80\x04\x85\x00\x00\x00\x00\x01", "a length of 5 octets at 2"),
        (b"\x30\x80\x04\x84\x80\x00\x00\x00\x00\x00", "beyond the 10 octets there are"),
        (b"\x30\x80" * 10_000, f"more than {MAX_DEPTH} indefinite lengths in one another"),
        (indefinite(NULL * (MAX_ELEMENTS + 1)), f"{MAX_ELEMENTS} elements"),
    ],
)
def test_what_is_no_such_element_is_refused(octets: bytes, text: str) -> None:
    with pytest.raises(EncodingError, match=text):
        definite(octets)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_bounded(depth: int) -> None:
    octets = NULL
    for _ in range(depth):
        octets = indefinite(octets)
    if depth <= MAX_DEPTH:
        assert definite(octets)[1] == len(octets)
    else:
        with pytest.raises(EncodingError):
            definite(octets)


@FUZZ
@given(st.binary(max_size=60).map(lambda tail: b"\x30\x80" + tail))
def test_any_octets_are_read_as_another_reader_reads_them_or_refused(octets: bytes) -> None:
    try:
        der, used = definite(octets)
    except EncodingError:
        return
    assert definite(der) == (der, len(der))
    assert parser.peek(octets) == used
