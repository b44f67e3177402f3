"""A file looked at in pieces shows the references that it shows as a whole, and what is remembered stays within its bound."""

from __future__ import annotations

import random

import pytest

from signing.errors import SigningError
from signing.pdf.document import Document
from signing.pdf.pieces import Piece, across_comments, cut
from signing.pdf.remembered import Remembered
from tests.corpus.edit import update
from tests.support.signing_cases import canonical_pdf, foreign_pdf

INSERTED = (b" ", b"\n", b"%", b"% 7 0 R\n", b"1 0 R", b" 0 R ", b"12 %x\n0 R", b"R", b"0", b"12 0", b"\x00", b"9 % 5 0 obj\n")


def found(data: bytes, pieces: list[tuple[int, Piece]]) -> list[tuple[bytes, int]]:
    plain = [(digits, start + offset) for start, piece in pieces for digits, offset in piece.mentions]
    return sorted([*plain, *across_comments(data, pieces, len(data))])


def agrees(data: bytes) -> bool:
    document = Document.parse(data)
    whole = cut(data, ())
    assert all(piece.is_plain for _, piece in document.pieces) == whole[0][1].is_plain
    return found(data, document.pieces) == found(data, whole) != []


@pytest.mark.parametrize("data", [canonical_pdf(), foreign_pdf(), foreign_pdf(object_streams=True)])
def test_pieces_show_what_the_whole_shows(data: bytes) -> None:
    assert agrees(data)


def test_pieces_of_damaged_files_show_what_the_whole_shows() -> None:
    source, sound, looked_at = random.Random(5), update(canonical_pdf(), {900: {"A": 1}, 901: [1, 2]}), 0
    for _ in range(1_500):
        at = source.randrange(len(sound))
        piece = source.choice(INSERTED)
        data = sound[:at] + piece + sound[at + len(piece) :]
        try:
            assert agrees(data), (at, piece)
        except SigningError:
            continue
        looked_at += 1
    assert looked_at > 700


def test_a_reference_whose_comment_holds_the_head_of_another_object_is_found() -> None:
    data = canonical_pdf()
    offset = len(data) + len(b"900 0 obj\n[901 %")
    updated = data + b"900 0 obj\n[901 %902 0 obj [] endobj\n0 R]\nendobj\n"
    pieces = cut(updated, (len(data), offset))
    assert (b"109", len(data) + len(b"900 0 obj\n[")) in found(updated, pieces)


def test_what_follows_a_piece_decides_on_its_last_token() -> None:
    data = b"1 0 obj 7 0 R2 0 obj 8 0 R"
    assert found(data, cut(data, (13,))) == [(b"8", 21)]


def test_long_pieces_are_looked_through_for_comments_too() -> None:
    data = b"1 0 obj (" + b"x" * 10_000 + b") 7 %a\n0 R endobj\n"
    assert found(data, cut(data, ())) == [(b"7", data.index(b"7 %"))]


def test_memory_forgets_what_nobody_asks_for() -> None:
    asked: list[bytes] = []

    def find(octets: bytes) -> int:
        asked.append(octets)
        return len(octets)

    remembered = Remembered(find, weigh=lambda _: 0, most=100)
    for number in range(20):
        assert remembered(b"kept") == 4
        assert remembered(b"%050d" % number) == 50
    assert asked.count(b"kept") == 1
    assert remembered(b"%050d" % 0) == 50
    assert asked.count(b"%050d" % 0) == 2


def test_memory_holds_twice_its_bound_at_most() -> None:
    remembered = Remembered(len, weigh=lambda _: 10, most=1_000)
    for number in range(1_000):
        remembered(b"%040d" % number)
    assert len(remembered._young) + len(remembered._old) <= 2 * 1_000 / 50
