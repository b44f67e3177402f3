"""Signatures of people whose certificate was suspended: before, meanwhile, and after it was released or revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pki.status.ocsp import OcspResponder
from signing.applying.sign import sign
from signing.trust.store import Supplied
from signing.verdict import Indication, SubIndication, Verdict
from tests.support.signing_cases import foreign_pdf
from tests.support.verify_cases import ADES, RecordHouse, codes, make_record_house

PASSED, FAILED, UNDETERMINED = Indication.TOTAL_PASSED, Indication.TOTAL_FAILED, Indication.INDETERMINATE


@pytest.fixture
def house() -> RecordHouse:
    return make_record_house()


def answer(verdict: Verdict) -> tuple[Indication, SubIndication | None]:
    return verdict.indication, verdict.sub_indication


def evidence(house: RecordHouse) -> Supplied:
    """What the authority says now of the teacher and the TSA, by OCSP and by every list."""
    authority = house.house.authority
    responder = OcspResponder(
        issuers={"issuing": authority.issuing_der},
        certificate_der=authority.ocsp_der,
        key=authority.ocsp_key,
        store=authority.store,
        clock=authority.clock,
    )
    asked = (house.house.teacher.certificate_der, authority.tsa_der)
    _, crls, _ = house.house.evidence.gather((authority.issuing_der,))
    return Supplied(crls=crls, ocsps=tuple(responder.answer_about(der).der for der in asked))


def signed(house: RecordHouse, *, stamped: bool = True) -> bytes:
    document = sign(
        foreign_pdf(), house.house.request("homeroom", create=True, appearance=None), time_stamper=house.house.tsa if stamped else None
    )
    house.house.authority.advance(minutes=1)
    return bytes(document)


def suspend(house: RecordHouse) -> None:
    house.house.authority.established.issuing.suspend(house.house.teacher.serial)
    house.house.authority.advance(minutes=1)


def release(house: RecordHouse) -> None:
    house.house.authority.established.issuing.release(house.house.teacher.serial)
    house.house.authority.advance(minutes=1)


def test_a_record_signed_before_the_suspension_still_passes(house: RecordHouse) -> None:
    document = house.record()
    house.house.authority.advance(days=30)
    suspend(house)
    verdict = house.judge(document, supplied=evidence(house))
    assert answer(verdict) == (PASSED, None)
    assert "REVOKED_LATER" in codes(verdict)


@pytest.mark.parametrize("stamped", [True, False])
def test_a_signature_made_while_suspended_waits_for_the_end_of_the_suspension(house: RecordHouse, *, stamped: bool) -> None:
    suspend(house)
    document = signed(house, stamped=stamped)
    verdict = house.judge(document, policy=ADES, supplied=evidence(house))
    assert answer(verdict) == (UNDETERMINED, SubIndication.TRY_LATER)
    text = next(message.text for message in verdict.signatures[0].messages if message.code == "CERTIFICATE_ON_HOLD")
    assert "certificate is suspended since" in text
    assert "ask again after" in text


def test_unproven_signatures_wait_too_while_their_signer_is_suspended(house: RecordHouse) -> None:
    document = signed(house, stamped=False)
    suspend(house)
    assert answer(house.judge(document, policy=ADES, supplied=evidence(house))) == (UNDETERMINED, SubIndication.TRY_LATER)


def test_a_signature_made_after_the_release_passes(house: RecordHouse) -> None:
    suspend(house)
    held = evidence(house)
    house.house.authority.advance(days=1)
    release(house)
    document = signed(house)
    later = evidence(house)
    both = Supplied(crls=held.crls + later.crls, ocsps=held.ocsps + later.ocsps)
    assert answer(house.judge(document, policy=ADES, supplied=both)) == (PASSED, None)


def test_a_signature_known_to_fall_into_a_suspension_fails_although_it_was_released(house: RecordHouse) -> None:
    suspend(house)
    document = signed(house)
    house.house.authority.advance(hours=1)
    held = evidence(house)
    house.house.authority.advance(days=1)
    release(house)
    later = evidence(house)
    both = Supplied(crls=held.crls + later.crls, ocsps=held.ocsps + later.ocsps)
    assert answer(house.judge(document, policy=ADES, supplied=both)) == (FAILED, SubIndication.REVOKED)


def test_a_signature_made_while_suspended_fails_once_the_suspension_became_a_revocation(house: RecordHouse) -> None:
    suspend(house)
    document = signed(house)
    house.house.authority.advance(days=1)
    house.house.authority.revoke(house.house.teacher, "affiliationChanged")
    verdict = house.judge(document, policy=ADES, supplied=evidence(house), later=timedelta(minutes=1))
    assert answer(verdict) == (FAILED, SubIndication.REVOKED)
    assert "CERTIFICATE_REVOKED" in codes(verdict)
