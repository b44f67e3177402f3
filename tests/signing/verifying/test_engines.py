"""Two engines, one verdict: what our list alone lets pass, the list with pyHanko beside it lets pass too (docs/adr/0002-two-engines.md).

The corpus is judged by every engine in `test_verify_corpus.py`.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from signing.verdict import Indication, Verdict
from signing.verifying.engines import Engine, judge
from signing.verifying.verify import Caches
from tests.support.many_signers import Signed, signed_records
from tests.support.signing_cases import foreign_pdf
from tests.support.variants import VARIANTS
from tests.support.verify_cases import ADES, good_record, standing_house

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # builders may ask pikepdf for what it thinks unwise
PASSED = Indication.TOTAL_PASSED


@pytest.fixture(scope="module")
def records() -> Signed:
    return signed_records(1, count=5)


def compare(records: Signed, *, count: int, seed: int) -> Counter[str]:
    """Judges variants; says how many of each kind passed. Where the list alone passes a document, so must the list with pyHanko."""
    chance, caches, passed = random.Random(seed), Caches(), Counter[str]()

    def judged(document: bytes, engine: Engine) -> Verdict:
        return judge(document, records.policy, trust=records.trust, at=records.at, engine=engine, caches=caches)

    for number in range(count):
        vary = VARIANTS[number % len(VARIANTS)]
        document = vary(chance.choice(records.documents), chance)
        fast = judged(document, Engine.FAST)
        if fast.engine == "fast":
            passed[vary.__name__] += 1
            assert fast.indication is PASSED
            reference = judged(document, Engine.REFERENCE)
            assert reference.indication is PASSED, (number, vary.__name__, reference.signatures)
            assert judged(document, Engine.AUTO).indication is PASSED
    return passed


def test_engines_agree_on_variants(records: Signed) -> None:
    passed = compare(records, count=500, seed=5)
    # otherwise nothing was compared
    assert passed["respelled_stamp"] > 20
    assert passed["more_validation_data"] > 20
    assert passed["redefined"] < 20
    assert passed["damaged"] < 20


@pytest.mark.long
def test_engines_agree_on_twenty_thousand_variants(records: Signed) -> None:
    compare(records, count=20_000, seed=6)


# --- which engine `auto` is


@pytest.mark.parametrize(("engine", "answered"), [(Engine.FAST, "fast"), (Engine.AUTO, "fast"), (Engine.REFERENCE, "reference")])
def test_own_record_is_judged_by_the_list_alone(engine: Engine, answered: str) -> None:
    verdict = standing_house().judge(good_record(), engine=engine)
    assert (verdict.indication, verdict.engine) == (PASSED, answered)


def test_record_is_judged_with_a_second_opinion_under_another_policy() -> None:
    verdict = standing_house().judge(good_record(), engine=Engine.AUTO, policy=ADES)
    assert (verdict.indication, verdict.engine) == (PASSED, "reference")


def test_document_that_is_no_record_is_judged_with_a_second_opinion() -> None:
    house = standing_house()
    document = house.archive(house.sign(foreign_pdf(), "homeroom", field="Signature-1", create=True))
    assert house.judge(document, engine=Engine.AUTO, policy=ADES).engine == "reference"
    assert house.judge(document, engine=Engine.FAST, policy=ADES).engine == "fast"


def test_record_without_archive_time_stamp_is_judged_with_a_second_opinion() -> None:
    house = standing_house()
    document = house.record(steps=("homeroom", "principal"))
    verdict = house.judge(document, engine=Engine.AUTO)
    assert verdict.engine == "reference"
