"""Damaged records: whatever is changed, no error escapes, and what still passes is what was signed."""

from __future__ import annotations

import random

import pytest

from signing.coverage.structure import read_structure
from signing.pdf.document import Document
from signing.verdict import Indication
from signing.verifying.verify import Caches, verify
from tests.support.verify_cases import RECORD, good_record, standing_house

# cryptography warns of what it will refuse one day, such as a serial number that damage made negative
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


def last_contents() -> tuple[int, int]:
    """Where the outermost time stamp's own hexadecimal digits lie: octets that nothing in the file can sign."""
    span = read_structure(Document.parse(good_record())).signed[-1].contents_span
    assert span is not None
    return span


def damaged(document: bytes, chance: random.Random) -> tuple[bytes, int]:
    """`document` with one change, and where it begins."""
    place = chance.randrange(len(document))
    kind = chance.randrange(5)
    if kind == 0:
        changed = document[:place] + bytes([document[place] ^ (1 << chance.randrange(8))]) + document[place + 1 :]
    elif kind == 1:
        changed = document[:place] + document[place + chance.randrange(1, 200) :]
    elif kind == 2:
        changed = document[:place] + chance.randbytes(chance.randrange(1, 50)) + document[place:]
    elif kind == 3:
        length = chance.randrange(1, 2000)
        other = chance.randrange(len(document))
        changed = document[:place] + document[other : other + length] + document[place + length :]
    else:
        changed = document[:place]
    return changed, place


def judge_damage(count: int, seed: int) -> None:
    document, house = good_record(), standing_house()
    caches, chance = Caches(), random.Random(seed)
    start, end = last_contents()
    for _ in range(count):
        changed, place = damaged(document, chance)
        verdict = verify(changed, RECORD, trust=house.trust, at=house.now, caches=caches)
        if verdict.indication is Indication.TOTAL_PASSED:
            assert changed == document or start <= place < end, f"passed after a change at {place}"


def test_no_damage_escapes_or_passes() -> None:
    judge_damage(400, seed=2026)


@pytest.mark.long
def test_no_damage_escapes_or_passes_many_times() -> None:
    judge_damage(40_000, seed=2027)


def test_every_truncation_at_a_line_end_is_a_verdict_that_does_not_pass() -> None:
    document, house = good_record(), standing_house()
    caches = Caches()
    ends = [place for place in range(len(document) - 2000, len(document) - 1) if document[place : place + 1] == b"\n"]
    assert ends
    for end in ends:
        verdict = verify(document[:end], RECORD, trust=house.trust, at=house.now, caches=caches)
        assert verdict.indication is not Indication.TOTAL_PASSED
