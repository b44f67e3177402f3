"""No exception type but ours leaves the package, whatever the octets: judging raises nothing, reading and inspecting only what they say."""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from pki.errors import PkiError
from signing.applying.archive import archive_stamps
from signing.applying.renewal import hold_of_document
from signing.bulk.intake import IntakeError, find_items, read_item
from signing.coverage.structure import read_structure
from signing.errors import SigningError
from signing.inspection.inspect import inspect
from signing.pdf.document import Document
from signing.verdict import Indication
from signing.verifying.ades import Ades
from signing.verifying.verify import Caches, verify
from tests.corpus import all_cases
from tests.corpus.good import JUDGED, built, corpus_trust, good_files
from tests.support.fuzz import MAX_SEED, MUTATIONS, archive_of
from tests.support.verify_cases import ADES, RECORD

pytestmark = pytest.mark.filterwarnings("ignore")  # as the worker does: of what `cryptography` will refuse one day
SHORT = 400  # documents in `make test`: some seconds
LONG_SECONDS = 600.0  # of `make test-long`
SECOND_OPINION = 50  # of so many documents, one is shown to pyHanko too: it takes most of the time


@cache
def seeds() -> tuple[bytes, ...]:
    """The corpus, and the good files; honest ones twice, since what passes is looked at longest."""
    cases = [(case, built(case)) for case in all_cases()]
    found = [document for case, document in cases for _ in range(2 if case.honest else 1) if len(document) <= MAX_SEED]
    return (*found, *[*good_files().stages, good_files().archived] * 5)


def hostile(seed: int) -> Iterator[tuple[int, bytes]]:
    """Numbers, and documents made by them alone: the number of a failure makes it again."""
    number = seed
    while True:
        chance = random.Random(number)
        first, other = chance.choice(seeds()), chance.choice(seeds())
        yield number, chance.choice(MUTATIONS)(first, other, chance)
        number += 1


def only(allowed: type[Exception] | tuple[type[Exception], ...], act: Callable[[], object], number: int) -> bool:
    """Whether `act` succeeds; fails the test on any error but `allowed`."""
    try:
        act()
    except allowed:
        return False
    except Exception as exc:
        pytest.fail(f"document {number}: {type(exc).__name__} escapes\n{''.join(traceback.format_exception(exc)[-6:])}")
    return True


def survive(documents: Iterator[tuple[int, bytes]], folder: Path, until: Callable[[int], bool]) -> Counter[str]:
    """Looks at documents until told to stop; says what came of them."""
    caches, said = Caches(), Counter[str]()
    trust = corpus_trust()
    for count, (number, document) in enumerate(documents):
        if until(count):
            break
        verdicts = []

        def judge(document: bytes = document, number: int = number, verdicts: list[object] = verdicts) -> None:
            rules = RECORD if number % 2 else ADES
            opinion = Ades() if number % SECOND_OPINION == 0 else None
            verdicts.append(verify(document, rules, trust=trust, at=JUDGED, caches=caches, second_opinion=opinion))

        assert only(SigningError, judge, number)
        said[verdicts[0].indication] += 1  # type: ignore[attr-defined]  # a verdict
        only(SigningError, lambda document=document: inspect(Document.parse(document)), number)
        if number % 5 == 0:
            only((SigningError, PkiError), lambda document=document: hold_of_document(Document.parse(document)), number)
            only(SigningError, lambda document=document: archive_stamps(Document.parse(document)), number)
            only(SigningError, lambda document=document: read_structure(Document.parse(document)), number)
            path = folder / "archive.zip"
            path.write_bytes(archive_of(document, random.Random(number)))
            only(IntakeError, lambda path=path: [only(SigningError, lambda i=i: read_item(i), 0) for i in find_items([str(path)])], number)
    return said


def test_nothing_but_our_errors_leaves_the_package(tmp_path: Path) -> None:
    said = survive(hostile(1), tmp_path, lambda count: count >= SHORT)
    assert said[Indication.TOTAL_FAILED] > SHORT / 3  # otherwise nothing was looked at for long
    assert len(said) == len(Indication)


@pytest.mark.long
def test_nothing_but_our_errors_leaves_the_package_in_ten_minutes(tmp_path: Path) -> None:
    end = time.monotonic() + LONG_SECONDS
    said = survive(hostile(1_000_000), tmp_path, lambda _: time.monotonic() > end)
    assert sum(said.values()) > SHORT
