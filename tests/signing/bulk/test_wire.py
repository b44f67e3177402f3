"""What a parent and its worker say to each other: nothing is lost on the way, nothing without a bound, nothing that is not JSON."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.bulk.intake import Item
from signing.bulk.wire import (
    MAX_LINE,
    MAX_ROW,
    ForgedError,
    Lines,
    began_line,
    limit_row,
    read_line,
    read_requests,
    read_row,
    read_seconds,
    request,
    row_line,
)

ITEM = Item(name="a.pdf", path="/x/a.pdf", size=3)


def test_what_is_handed_out_arrives() -> None:
    handed = [
        (Item(name="tên \udcff.pdf", path="/\udcff", member=None, size=7), None),
        (Item(name="x.zip:b\n.pdf", path="x.zip", member=3, size=2**40), b"line\nline"),
        (Item(name="", path=""), b""),
        (ITEM, bytes(100_000)),
    ]
    stream = io.BytesIO(b"".join(request(handed[:2])) + b"".join(request(handed[2:])))
    assert list(read_requests(stream)) == handed


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.integers(min_value=1, max_value=7))
def test_lines_arrive_whole_however_they_are_cut(sent: list[bytes], piece: int) -> None:
    stream = b"".join(line + b"\n" for line in sent)
    lines = Lines()
    assert [line for at in range(0, len(stream), piece) for line in lines.feed(stream[at : at + piece])] == sent


def test_line_without_an_end_is_refused() -> None:
    lines = Lines()
    lines.feed(bytes(MAX_LINE))
    with pytest.raises(ForgedError, match=f"a line of more than {MAX_LINE} octets"):
        lines.feed(b"x")


def test_row_arrives_as_it_was() -> None:
    row = limit_row(ITEM, "Nguyễn \u2028 \x85")
    line = row_line(17, ITEM, row)
    assert line.count(b"\n") == 1
    assert read_row(read_line(line), 17, ITEM) == row


def test_row_too_long_for_a_line_is_one_to_look_at_by_hand() -> None:
    line = row_line(0, ITEM, limit_row(ITEM, "x" * MAX_ROW))
    assert len(line) < 1000
    (message,) = json.loads(line)["row"]["messages"]
    assert message["code"] == "LIMIT_EXCEEDED"
    assert message["text"].endswith(f"octets, more than {MAX_ROW}; look at this document by hand")


@pytest.mark.parametrize("seconds", [0.0, 2.6, 30.0])
def test_grant_up_to_the_most_is_read(seconds: float) -> None:
    answer = read_line(began_line(0, seconds))
    assert read_row(answer, 0, ITEM) is None
    assert read_seconds(answer, 30.0) == seconds


@pytest.mark.parametrize("seconds", ["30.1", "-1", "NaN", "Infinity", "true", '"2"', "null", "[]", "1e400"])
def test_any_other_grant_is_refused(seconds: str) -> None:
    with pytest.raises(ForgedError, match=r"a grant that is not between 0 and 30\.0 s"):
        read_seconds(read_line(b'{"item": 0, "seconds": %b}' % seconds.encode()), 30.0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"9" * 10_000, "no JSON"),
        (b"[]", "no object"),
        (b"null", "no object"),
    ],
    ids=["empty", "cut", "no text", "deep", "long number", "list", "null"],
)
def test_line_that_is_no_object_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(ForgedError, match=f"a line that is {reason}"):
        read_line(line)
