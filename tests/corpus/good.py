"""The sound record that the cases are made from: a real export, signed by our own signer in memory; and how cases are judged."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from signing.policy import VerificationPolicy
from signing.trust.store import NamedAnchor, TrustStore
from signing.verdict import Verdict
from signing.verifying.engines import Engine
from tests.corpus.case import Case, GoodFiles
from tests.corpus.stranger import stranger
from tests.support.authority import MOMENT
from tests.support.signing_cases import SigningHouse
from tests.support.verify_cases import STEPS, RecordHouse, exported, make_record_house, policy

JUDGED = MOMENT + timedelta(hours=11)
"""The one moment at which every case is judged: the house's clock is still before it when the last case is built."""


@cache
def record_house() -> RecordHouse:
    """The house that signed :func:`good_files`."""
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


@cache
def built(case: Case) -> bytes:
    """The case's file, built once in a test run."""
    return case.build(good_files())


@cache
def corpus_trust() -> TrustStore:
    """What a verifier of the corpus trusts: the house that makes records, and the stranger's root."""
    anchors = (NamedAnchor(good_house().authority.root_der, "house.pem"), NamedAnchor(stranger().root.der, "stranger.pem"))
    return TrustStore(anchors)


def judge_case(document: bytes, *, under: str | VerificationPolicy = "record", engine: Engine = Engine.REFERENCE) -> Verdict:
    """The verdict on a case, as every test of the corpus and the run through the command line ask for it."""
    assert record_house().now < JUDGED
    rules = policy(under) if isinstance(under, str) else under
    return record_house().judge(document, at=JUDGED, trust=corpus_trust(), policy=rules, engine=engine)
