"""The worst files of the corpus within the limits of `design.md`: judged in a worker that the kernel and the parent hold to them.

A worker that overruns is killed and the row says LIMIT_EXCEEDED. So a row that says what is expected of the case stayed within what was
granted, and here half of that is granted.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from signing.bulk.intake import Item
from signing.bulk.pool import Pool
from signing.bulk.worker import Task
from signing.verifying.engines import Engine
from signing.verifying.grant import GRANT, Grant
from tests.corpus import Case, all_cases
from tests.corpus.good import JUDGED, built, corpus_trust
from tests.support.verify_cases import RECORD

HALF = Grant(
    seconds=GRANT.seconds / 2,
    seconds_per_signature=GRANT.seconds_per_signature / 2,
    seconds_per_megabyte=GRANT.seconds_per_megabyte / 2,
    memory=GRANT.memory // 2,
    memory_per_octet=GRANT.memory_per_octet,
)
HOSTILE = [case for case in all_cases() if case.attack_class in range(36, 41)]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(Task(policy=RECORD, trust=corpus_trust(), at=JUDGED, engine=Engine.AUTO, grant=HALF), workers=1) as found:
        yield found


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.id)
def test_worst_files_stay_within_half_of_what_is_granted(pool: Pool, case: Case) -> None:
    row = pool.judge(Item(name=case.id, path=""), built(case))
    assert "LIMIT_EXCEEDED" not in {message["code"] for message in row["messages"]}, row["messages"]
    assert row["indication"] == case.record.indication
