"""The sound record that the cases are made from: a real export, signed by our own signer with a house in memory."""

from __future__ import annotations

from functools import cache

from tests.corpus.case import GoodFiles
from tests.support.signing_cases import SigningHouse
from tests.support.verify_cases import STEPS, RecordHouse, exported, make_record_house


@cache
def record_house() -> RecordHouse:
    """The house that signed :func:`good_files`; its trust, clock and policy judge them (`record_house().judge(data)`)."""
    return make_record_house()


def good_house() -> SigningHouse:
    return record_house().house


@cache
def good_files() -> GoodFiles:
    """Made once in a test run; about a second."""
    house = record_house()
    stages: list[bytes] = []
    for step in STEPS:
        stages.append(house.sign(stages[-1] if stages else exported(), step))
    return GoodFiles(exported(), tuple(stages), house.archive(stages[-1]), house.sign, house.archive)
