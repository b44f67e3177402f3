"""Every case of the corpus, judged whole: refused, and for the right reason (`domain.md`, attack classes)."""

from __future__ import annotations

import pytest

from signing.verdict import Indication
from tests.corpus import Case, all_cases
from tests.corpus.good import good_files, good_house
from tests.support.verify_cases import RecordHouse, codes

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # builders may ask pikepdf for what it thinks unwise


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case_is_refused_for_its_reason(case: Case) -> None:
    files = good_files()
    verdict = RecordHouse(good_house()).judge(case.build(files))
    assert verdict.indication.value == case.indication, verdict.messages
    if verdict.indication is not Indication.NO_SIGNATURE:
        assert verdict.sub_indication is not None
        assert verdict.sub_indication.value in case.sub_indications
    if case.codes:
        assert case.codes & codes(verdict)


def test_file_that_the_cases_are_made_from_passes() -> None:
    files = good_files()
    assert RecordHouse(good_house()).judge(files.archived).indication is Indication.TOTAL_PASSED
