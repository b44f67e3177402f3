"""How /Contents must be spelled: hexadecimal digit pairs alone, so that no reader finds other octets in the gap than another."""

from __future__ import annotations

import pytest

from signing.coverage.byterange import read_contents
from signing.pdf.lexer import read_value
from signing.verdict import Message


def read(spelled: bytes) -> tuple[bytes, list[str]]:
    value, end = read_value(spelled + b" ", 0)
    findings: list[Message] = []
    found = read_contents(spelled + b" ", (0, end), value, findings)
    return found, [finding.code for finding in findings]


@pytest.mark.parametrize("spelled", [b"<3003020101>", b"<3003020101000000>"])
def test_digit_pairs_are_read_without_their_padding(spelled: bytes) -> None:
    assert read(spelled) == (bytes.fromhex("3003020101"), [])


@pytest.mark.parametrize(
    "spelled",
    [
        b"<3003020101 0>",  # as many characters as two for each octet, one of them a blank: the last digit is missing
        b"<300302010\x00>",
        b"<300302010\n>",
        b"<3003020101 >",
        b"<3003020101  >",
        b"<30 03020101>",
        b"< 3003020101>",
        b"<300302010>",  # a last digit that counts as 0
        b"(0\x03\x02\x01\x01)",
        b"(3003020101)",
        b"<<>>",
    ],
)
def test_other_spellings_are_malformed(spelled: bytes) -> None:
    assert read(spelled) == (b"", ["CONTENTS_MALFORMED"])


def test_an_empty_string_holds_no_der() -> None:
    assert read(b"<>") == (b"", ["CONTENTS_NOT_DER"])
