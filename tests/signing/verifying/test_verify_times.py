"""Time in the verdict: proofs of existence, revocation, expiry, renewal, time stamps that lie (attack classes 30 and 33)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pki.authority.renew import renew
from pki.identity.subject import legal_person
from pki.keys.softkey import SoftwareKey
from pki.status.crl import CrlSigner
from pki.status.evidence import InProcessValidationData
from pki.status.ocsp import OcspResponder
from pki.status.timestamp import TimeStampAuthority
from signing.applying.archive import archive, time_stamp_document
from signing.applying.dss import ValidationData, add_validation_data
from signing.applying.sign import sign
from signing.trust.store import Supplied
from signing.verdict import Indication, SubIndication, Verdict
from tests.support.authority import BASE_URL, make_authority
from tests.support.signing_cases import foreign_pdf
from tests.support.tokens import ForgedStamper
from tests.support.verify_cases import ADES, STEPS, RecordHouse, codes, exported, good_record, make_record_house, standing_house

PASSED, FAILED, UNDETERMINED = Indication.TOTAL_PASSED, Indication.TOTAL_FAILED, Indication.INDETERMINATE
YEAR = timedelta(days=365)


def answer(verdict: Verdict) -> tuple[Indication, SubIndication | None]:
    return verdict.indication, verdict.sub_indication


def responder(house: RecordHouse, certificate_der: bytes | None = None, key: SoftwareKey | None = None) -> OcspResponder:
    authority = house.house.authority
    return OcspResponder(
        issuers={"issuing": authority.issuing_der},
        certificate_der=certificate_der or authority.ocsp_der,
        key=key or authority.ocsp_key,
        store=authority.store,
        clock=authority.clock,
    )


def status(house: RecordHouse, *certificates: bytes) -> Supplied:
    """What the authority says now of `certificates`, and of its own issuing CA: as if given with --evidence."""
    _, crls, _ = house.house.evidence.gather((house.house.authority.issuing_der,))
    today = renew(house.house.authority.established).ocsp.certificate_der
    return Supplied(crls=crls, ocsps=tuple(responder(house, today).answer_about(der).der for der in certificates))


def signed_once(house: RecordHouse, *, stamped: bool = True) -> bytes:
    """One teacher's signature on a plain file, judged under `ades` so that entitlement plays no part."""
    request = house.house.request("homeroom", create=True, appearance=None)
    document = sign(foreign_pdf(), request, time_stamper=house.house.tsa if stamped else None)
    house.house.authority.advance(seconds=60)
    return document


# --- long term


def test_one_year_later_offline_the_record_still_passes() -> None:
    verdict = standing_house().judge(good_record(), later=YEAR)
    assert answer(verdict) == (PASSED, None)
    assert codes(verdict) == {"TSA_REVOCATION_NOT_FRESH"}
    assert [signature.level for signature in verdict.signatures] == ["PAdES-BASELINE-LTA"] * 3


def test_one_year_later_the_strict_policy_wants_fresh_revocation_data() -> None:
    verdict = standing_house().judge(good_record(), later=YEAR, policy=ADES)
    assert (verdict.indication, verdict.timestamps[-1].sub_indication) == (UNDETERMINED, SubIndication.TRY_LATER)


def test_after_the_tsa_certificate_expires_the_record_is_undetermined() -> None:
    verdict = standing_house().judge(good_record(), later=6 * YEAR + timedelta(days=5))
    assert answer(verdict) == (UNDETERMINED, SubIndication.OUT_OF_BOUNDS_NO_POE)


def renewed(house: RecordHouse, document: bytes, *, after: timedelta) -> bytes:
    """`document` stamped again `after`, by a TSA that was set up when the record was five years old."""
    authority = house.house.authority
    stamping = authority.clock.moment + after
    authority.clock.moment += 5 * YEAR
    credential = authority.issue("tsa", legal_person(country="VN", name="TSA 2", identifier="NTRVN-0100000001"))
    authority.clock.moment = stamping
    answering = authority.issue("ocsp", legal_person(country="VN", name="OCSP 2", identifier="NTRVN-0100000001"))
    root_crl = CrlSigner(
        issuer="root",
        issuer_certificate_der=authority.root_der,
        key=authority.root_key,
        store=authority.store,
        clock=authority.clock,
        shards=1,
        base_url=BASE_URL,
    )
    evidence = InProcessValidationData(
        responders=(responder(house, answering.certificate_der, answering.key),), crl_signers=(root_crl,), clock=authority.clock
    )
    tsa = TimeStampAuthority(
        certificate_der=credential.certificate_der,
        chain=(authority.issuing_der,),
        key=credential.key,
        policy_oid="1.3.6.1.4.1.32473.1.2.1",
        clock=authority.clock,
    )
    document = archive(document, time_stamper=tsa, validation=evidence)
    authority.advance(seconds=60)
    return document


def test_record_renewed_before_the_tsa_certificate_expired_passes_after_it() -> None:
    house = make_record_house()
    document = renewed(house, house.record(), after=5 * YEAR)
    verdict = house.judge(document, later=3 * YEAR)
    assert answer(verdict) == (PASSED, None)
    assert [stamp.indication for stamp in verdict.timestamps] == [PASSED] * 5


def test_record_renewed_only_after_the_tsa_certificate_expired_is_undetermined() -> None:
    house = make_record_house()
    document = renewed(house, house.record(), after=6 * YEAR + timedelta(days=30))
    verdict = house.judge(document)
    assert answer(verdict) == (UNDETERMINED, SubIndication.OUT_OF_BOUNDS_NO_POE)


def test_moment_before_the_signing_is_undetermined() -> None:
    document, house = good_record(), standing_house()
    verdict = house.judge(document, at=house.house.authority.clock.moment - timedelta(hours=5))
    assert verdict.indication is UNDETERMINED
    assert "TIMESTAMP_IN_FUTURE" in codes(verdict)


# --- revocation and validity of the signer (attack class 30)


def test_revoked_after_a_trusted_time_stamp_still_passes() -> None:
    house = make_record_house()
    document = house.record()
    house.house.authority.advance(days=30)
    house.house.authority.revoke(house.house.teacher, "cessationOfOperation")
    house.house.authority.advance(days=1)
    verdict = house.judge(document, supplied=status(house, house.house.teacher.certificate_der))
    assert answer(verdict) == (PASSED, None)
    assert "REVOKED_LATER" in {message.code for message in verdict.signatures[0].messages}


def test_revoked_before_the_time_stamp_fails() -> None:
    house = make_record_house()
    house.house.authority.revoke(house.house.teacher, "keyCompromise")
    house.house.authority.advance(seconds=60)
    document = signed_once(house)
    supplied = status(house, house.house.teacher.certificate_der, house.house.authority.tsa_der)
    verdict = house.judge(document, policy=ADES, supplied=supplied)
    assert answer(verdict) == (FAILED, SubIndication.REVOKED)
    assert "CERTIFICATE_REVOKED" in codes(verdict)


def test_revoked_before_and_without_proof_of_existence_is_undetermined() -> None:
    house = make_record_house()
    document = signed_once(house, stamped=False)
    house.house.authority.revoke(house.house.teacher)
    house.house.authority.advance(seconds=60)
    verdict = house.judge(document, policy=ADES, supplied=status(house, house.house.teacher.certificate_der))
    assert answer(verdict) == (UNDETERMINED, SubIndication.REVOKED_NO_POE)


def test_flood_of_evidence_does_not_hide_a_revocation() -> None:
    house = make_record_house()
    document = house.record()
    house.house.authority.advance(days=1)
    flood = Supplied(ocsps=tuple(b"0\x02\x05" + bytes([number >> 8, number & 255]) for number in range(2001)))
    verdict = house.judge(document, supplied=flood)
    assert verdict.indication is UNDETERMINED
    assert "EVIDENCE_LIMIT" in codes(verdict)


def test_revocation_later_than_the_moment_of_judging_is_ignored() -> None:
    house = make_record_house()
    document = signed_once(house)
    teacher, tsa = house.house.teacher.certificate_der, house.house.authority.tsa_der
    before = status(house, teacher, tsa)
    moment = house.now
    house.house.authority.advance(days=1)
    house.house.authority.revoke(house.house.teacher)
    after = status(house, teacher, tsa)
    both = Supplied(crls=before.crls + after.crls, ocsps=before.ocsps + after.ocsps)
    assert answer(house.judge(document, at=moment, policy=ADES, supplied=both)) == (PASSED, None)


def test_signature_without_time_stamp_passes_while_its_signer_is_known_to_be_good() -> None:
    house = make_record_house()
    document = signed_once(house, stamped=False)
    verdict = house.judge(document, policy=ADES, supplied=status(house, house.house.teacher.certificate_der))
    assert answer(verdict) == (PASSED, None)
    assert (verdict.signatures[0].level, verdict.signatures[0].best_signature_time) == ("PAdES-BASELINE-B", None)


def test_record_without_time_stamps_does_not_pass_though_its_signers_are_known_to_be_good() -> None:
    house = make_record_house()
    document = exported()
    for step in STEPS:
        document = sign(document, house.house.request(step), time_stamper=None)
    signers = (house.house.teacher, house.house.principal, house.house.seal)
    verdict = house.judge(document, supplied=status(house, *(signer.certificate_der for signer in signers)))
    assert answer(verdict) == (UNDETERMINED, SubIndication.NO_POE)
    assert codes(verdict) == {"NOT_TIME_STAMPED"}


def test_revoked_teacher_gains_nothing_by_leaving_the_time_stamp_out() -> None:
    """Revocation data from before the revocation, embedded again, are current until their nextUpdate."""
    house = make_record_house()
    signers = (house.house.teacher, house.house.principal, house.house.seal)
    before = status(house, *(signer.certificate_der for signer in signers))
    house.house.authority.advance(seconds=60)
    house.house.authority.revoke(house.house.teacher)
    document = exported()
    for step in STEPS:
        document = sign(document, house.house.request(step), time_stamper=None)
    document = add_validation_data(document, ValidationData(before.certificates, before.crls, before.ocsps))
    verdict = house.judge(document)
    assert answer(verdict) == (UNDETERMINED, SubIndication.NO_POE)


def test_without_revocation_data_the_answer_is_to_try_later() -> None:
    house = make_record_house()
    verdict = house.judge(signed_once(house, stamped=False), policy=ADES)
    assert answer(verdict) == (UNDETERMINED, SubIndication.TRY_LATER)
    assert "give its CRL or OCSP response" in verdict.signatures[0].messages[0].text


def test_signer_expired_since_with_a_proof_from_before_passes() -> None:
    house = make_record_house()
    verdict = house.judge(house.record(), later=4 * YEAR)
    assert answer(verdict) == (PASSED, None)


def test_signer_expired_before_the_time_stamp_is_undetermined() -> None:
    house = make_record_house()
    request = house.house.request("homeroom", create=True, appearance=None)
    house.house.authority.advance(days=4 * 365)
    document = sign(foreign_pdf(), request, time_stamper=house.house.tsa)
    supplied = status(house, house.house.authority.tsa_der)
    verdict = house.judge(document, policy=ADES, supplied=supplied, later=timedelta(minutes=1))
    assert verdict.indication is UNDETERMINED
    assert "CERTIFICATE_EXPIRED" in codes(verdict)


def test_signature_proven_to_exist_before_its_certificate_was_valid_fails() -> None:
    house = make_record_house()
    authority = house.house.authority
    early = ForgedStamper(authority.tsa_der, authority.tsa_key, (authority.issuing_der,), lambda: authority.clock.moment)
    moment = authority.clock.moment
    authority.advance(days=10)
    late = authority.issue_teacher("Người Mới")
    request = replace(house.house.request("homeroom", create=True, appearance=None), certificate_der=late.certificate_der, key=late.key)
    stamper = replace(early, clock=lambda: moment + timedelta(days=1))
    document = sign(foreign_pdf(), request, time_stamper=stamper)
    verdict = house.judge(document, policy=ADES, supplied=status(house, authority.tsa_der), later=timedelta(minutes=1))
    assert answer(verdict) == (FAILED, SubIndication.NOT_YET_VALID)


# --- time stamps that lie (attack class 33)


def stamper(house: RecordHouse, **changes: object) -> ForgedStamper:
    authority = house.house.authority
    honest = ForgedStamper(authority.tsa_der, authority.tsa_key, (authority.issuing_der,), lambda: authority.clock.moment)
    return replace(honest, **changes)  # type: ignore[arg-type]  # a test changes any of them


def wrong_imprint(house: RecordHouse) -> ForgedStamper:
    return stamper(house, imprint=hashlib.sha256(b"something else").digest())


def teacher_as_tsa(house: RecordHouse) -> ForgedStamper:
    teacher = house.house.authority.issue_teacher("Kẻ Mạo Danh")
    return stamper(house, certificate_der=teacher.certificate_der, key=teacher.key)


def rogue_tsa(house: RecordHouse) -> ForgedStamper:
    rogue = make_authority(house.now)
    return stamper(house, certificate_der=rogue.tsa_der, key=rogue.tsa_key, chain=(rogue.issuing_der, rogue.root_der))


def from_the_future(house: RecordHouse) -> ForgedStamper:
    return stamper(house, clock=lambda: house.now + timedelta(days=30))


def broken(house: RecordHouse) -> ForgedStamper:
    return stamper(house, damage=lambda der: der[:-1] + bytes([der[-1] ^ 1]))


def truncated(house: RecordHouse) -> ForgedStamper:
    return stamper(house, damage=lambda der: der[: len(der) // 2] + bytes(len(der) - len(der) // 2))


LIES: dict[str, tuple[Callable[[RecordHouse], ForgedStamper], str]] = {
    "wrong imprint": (wrong_imprint, "IMPRINT_MISMATCH"),
    "TSA without the purpose": (teacher_as_tsa, "CHAIN_PURPOSE"),
    "rogue TSA": (rogue_tsa, "CHAIN_SIGNATURE"),
    "from the future": (from_the_future, "TIMESTAMP_IN_FUTURE"),
    "broken signature": (broken, "SIGNATURE_VALUE"),
    "truncated": (truncated, "TIMESTAMP_MALFORMED"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lying_archive_time_stamp_takes_the_record_down(lie: str) -> None:
    make, code = LIES[lie]
    house = make_record_house()
    document = house.record()
    verdict = house.judge(time_stamp_document(document, time_stamper=make(house)), later=timedelta(minutes=1))
    assert verdict.indication is not PASSED
    assert code in codes(verdict)


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "truncated"])
def test_lying_signature_time_stamp_takes_its_signature_down(lie: str) -> None:
    make, code = LIES[lie]
    house = make_record_house()
    signed = sign(exported(), house.house.request("homeroom"), time_stamper=make(house))
    verdict = house.judge(signed, later=timedelta(minutes=1))
    assert verdict.indication is not PASSED
    assert code in codes(verdict)
    assert verdict.signatures[0].best_signature_time is None


def test_token_copied_from_another_signature_is_about_other_bytes() -> None:
    house = make_record_house()
    copied = house.house.tsa.stamp(hashlib.sha256(b"another signature").digest())
    signed = sign(exported(), house.house.request("homeroom"), time_stamper=stamper(house, damage=lambda _: copied))
    assert "IMPRINT_MISMATCH" in codes(house.judge(signed))


def test_failed_time_stamp_under_ades_merely_proves_nothing() -> None:
    house = make_record_house()
    request = house.house.request("homeroom", create=True, appearance=None)
    document = sign(foreign_pdf(), request, time_stamper=wrong_imprint(house))
    supplied = status(house, house.house.teacher.certificate_der)
    verdict = house.judge(document, policy=ADES, supplied=supplied, later=timedelta(minutes=1))
    assert "TIMESTAMP_NOT_PASSED" in codes(verdict)
    assert verdict.signatures[0].best_signature_time is None


def test_archive_time_stamp_older_than_what_it_covers_is_out_of_order() -> None:
    house = make_record_house()
    document = house.record()
    backdated = stamper(house, clock=lambda: house.now - timedelta(hours=1))
    verdict = house.judge(time_stamp_document(document, time_stamper=backdated))
    assert verdict.indication is not PASSED
    assert "TIMESTAMP_ORDER" in codes(verdict)


def test_signature_older_than_the_one_it_signs_over_is_out_of_order() -> None:
    house = make_record_house()
    first = house.sign(exported(), "homeroom")
    house.house.authority.advance(hours=2)
    backdated = stamper(house, clock=lambda: house.now - timedelta(hours=3))
    second = sign(first, house.house.request("principal"), time_stamper=backdated)
    assert "TIMESTAMP_ORDER" in codes(house.judge(house.archive(second)))


def test_revoked_tsa_of_the_archive_time_stamp_contradicts_leniency() -> None:
    house = make_record_house()
    document = house.record()
    authority = house.house.authority
    serial = next(entry.serial for entry in authority.store.entries.values() if entry.profile == "tsa")
    authority.established.issuing.revoke(serial, "keyCompromise")
    authority.advance(seconds=60)
    verdict = house.judge(document, supplied=status(house, authority.tsa_der))
    assert verdict.indication is UNDETERMINED
    assert verdict.timestamps[-1].sub_indication is SubIndication.REVOKED_NO_POE
