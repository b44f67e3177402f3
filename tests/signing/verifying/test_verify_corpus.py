"""Every case of the corpus, judged whole: the expected verdict, for the expected reason, under both policies and by every engine."""

from __future__ import annotations

import pytest

from signing.verdict import Indication, Verdict
from signing.verifying.engines import Engine
from tests.corpus import Case, Expected, all_cases
from tests.corpus.good import built, good_files, judge_case
from tests.support.verify_cases import codes

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # builders may ask pikepdf for what it thinks unwise
CASES = pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)


def said(verdict: Verdict, expected: Expected) -> Expected:
    """What the verdict says, with the expected code if it is among the messages, and all of them if not."""
    found = codes(verdict)
    code = expected.code if expected.code is None or expected.code in found else " ".join(sorted(found))
    return Expected(verdict.indication, verdict.sub_indication, code)


@CASES
@pytest.mark.parametrize("policy", ["record", "ades"])
def test_case_gets_the_verdict_expected_of_it(case: Case, policy: str) -> None:
    expected = case.expected(policy)
    verdict = judge_case(built(case), under=policy)
    assert said(verdict, expected) == expected
    if case.codes and policy == "record":
        assert case.codes & codes(verdict)
    if case.signer is not None:
        shown = verdict.signatures[0].signer
        assert shown is not None
        assert shown.name == case.signer


@CASES
def test_every_engine_says_the_same_of_a_case(case: Case) -> None:
    for policy in ("record", "ades"):
        expected = case.expected(policy)
        for engine in (Engine.AUTO, Engine.FAST):
            verdict = judge_case(built(case), under=policy, engine=engine)
            assert said(verdict, expected) == expected, (policy, engine)
            assert verdict.engine == "reference" or verdict.indication is Indication.TOTAL_PASSED


def test_file_that_the_cases_are_made_from_passes() -> None:
    files = good_files()
    assert judge_case(files.archived).indication is Indication.TOTAL_PASSED
