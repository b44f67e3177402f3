"""pyHanko as a second opinion: what it is asked, when it dissents, and that it cannot escape."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing.trust.store import NamedAnchor, Supplied, TrustStore
from signing.verdict import SubIndication
from signing.verifying.ades import Ades
from signing.verifying.opinion import Dissent, Question
from tests.support.authority import make_authority
from tests.support.verify_cases import good_record, standing_house

FIELDS = ("Signature-Homeroom", "Signature-Principal", "Signature-Seal")


def asked(document: bytes, *, later: timedelta = timedelta(), trust: TrustStore | None = None, lenient: bool = True) -> dict[str, Dissent]:
    house = standing_house()
    question = Question(
        document=document,
        trust=trust or house.trust,
        supplied=Supplied(),
        at=house.now + later,
        unrevoked_tsa=lenient,
    )
    return dict(Ades().dissents(question, FIELDS))


def test_honest_record_meets_no_dissent() -> None:
    assert asked(good_record()) == {}


@pytest.mark.parametrize("days", [1, 8, 31, 89, 91, 365, 4 * 365])
def test_passing_time_alone_is_no_dissent(days: int) -> None:
    assert asked(good_record(), later=timedelta(days=days)) == {}


def test_stale_revocation_data_alone_are_no_dissent_without_leniency_either() -> None:
    assert asked(good_record(), later=timedelta(days=60), lenient=False) == {}


def test_altered_bytes_are_a_dissent_on_every_signature_over_them() -> None:
    found = asked(good_record().replace(b"/MediaBox", b"/Mediabox", 1))
    assert {field: dissent.sub_indication for field, dissent in found.items()} == dict.fromkeys(FIELDS, SubIndication.HASH_FAILURE)


def test_foreign_anchor_is_a_dissent() -> None:
    rogue = TrustStore((NamedAnchor(make_authority().root_der, "rogue.pem"),))
    found = asked(good_record(), trust=rogue)
    assert {dissent.sub_indication for dissent in found.values()} <= {
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
        SubIndication.CHAIN_CONSTRAINTS_FAILURE,
    }
    assert set(found) == set(FIELDS)


@pytest.mark.parametrize(
    "document", [b"", b"%PDF-1.7", b"\xff" * 1000, b"%PDF-1.7\n" + b"[" * 5000], ids=["empty", "header", "noise", "nested"]
)
def test_document_that_pyhanko_cannot_read_is_a_dissent_and_not_an_error(document: bytes) -> None:
    found = asked(document)
    assert set(found) == set(FIELDS)
    assert {dissent.sub_indication for dissent in found.values()} == {SubIndication.SIG_CONSTRAINTS_FAILURE}


def test_signature_that_pyhanko_does_not_see_is_a_dissent() -> None:
    house = standing_house()
    question = Question(document=good_record(), trust=house.trust, supplied=Supplied(), at=house.now, unrevoked_tsa=True)
    found = Ades().dissents(question, ["Signature-Nowhere"])
    assert "does not see this signature" in found["Signature-Nowhere"].text
