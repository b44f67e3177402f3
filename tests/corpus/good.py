"""The sound record that the cases are made from, signed by our own signer with a house in memory."""

from __future__ import annotations

from functools import cache

from signing.archive import archive
from signing.sign import sign
from tests.corpus.case import GoodFiles
from tests.support.signing_cases import SigningHouse, canonical_pdf, make_signing_house

STEPS = ("homeroom", "principal", "seal")


@cache
def good_house() -> SigningHouse:
    return make_signing_house()


@cache
def good_files() -> GoodFiles:
    """Made once in a test run; about a second."""
    house = good_house()

    def signed(data: bytes, step: str) -> bytes:
        return sign(data, house.request(step), time_stamper=house.tsa)

    unsigned = canonical_pdf()
    stages: list[bytes] = []
    for step in STEPS:
        stages.append(signed(stages[-1] if stages else unsigned, step))
    archived = archive(stages[-1], time_stamper=house.tsa, validation=house.evidence)
    return GoodFiles(unsigned, tuple(stages), archived, signed)
