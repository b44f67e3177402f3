"""What a status means at a time: freshness, expiry, later revocations, holds, conflicts, limits (attack class 30)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from pki.paths.chain import TrustAnchor, load_certificate
from pki.paths.validation_cache import ValidationCache
from pki.revocation.judgement import (
    UNTIL_NEXT_UPDATE,
    Evidence,
    Freshness,
    RevocationResult,
    RevocationState,
    revocation_status,
)
from pki.status.crl import CrlSigner
from tests.support.authority import BASE_URL, TestAuthority, make_authority
from tests.support.chain_cases import AT, DAY, HOUR, YEAR, Node, answer, crl, responder, revoking, root

TOP = root(end=AT + 20 * YEAR)
LEAF = TOP.issue()
SECOND = timedelta(seconds=1)
COMPROMISE = x509.ReasonFlags.key_compromise


def status(
    *, crls: tuple[bytes, ...] = (), ocsps: tuple[bytes, ...] = (), about: Node = LEAF, at=AT, now=AT + DAY, **kwargs
) -> RevocationResult:  # type: ignore[no-untyped-def]
    evidence = Evidence(kwargs.pop("certificates", ()), crls, ocsps)
    return revocation_status(about.parsed, TOP.parsed, evidence=evidence, at=at, now=now, anchors=[TOP.anchor], **kwargs)


def codes(result: RevocationResult) -> list[str]:
    return [message.code for message in result.messages]


def test_without_evidence_the_status_is_unknown_and_says_so() -> None:
    result = status()
    assert result.state is RevocationState.UNKNOWN
    assert not result.fresh
    assert codes(result) == ["NO_EVIDENCE"]
    assert result.messages[0].text.startswith("none of 0 OCSP responses and 0 CRLs is about the certificate")


def test_evidence_issued_at_the_control_time_is_good() -> None:
    result = status(crls=(crl(TOP, this_update=AT),))
    assert (result.state, result.source, result.this_update) == (RevocationState.GOOD, "CRL", AT)
    assert result.fresh
    assert result.signer_not_after == AT + 20 * YEAR


def test_evidence_issued_a_second_before_the_control_time_is_not_fresh() -> None:
    result = status(crls=(crl(TOP, this_update=AT - SECOND),))
    assert result.state is RevocationState.NOT_FRESH
    assert not result.fresh
    assert codes(result) == ["EVIDENCE_NOT_FRESH"]
    assert "the newest revocation data is of 2026-09-05T07:59:59+00:00, too old for 2026-09-05T08:00:00+00:00" in result.messages[0].text


def test_evidence_from_before_is_enough_where_the_caller_allows_it() -> None:
    old = crl(TOP, this_update=AT - HOUR)
    assert status(crls=(old,), freshness=UNTIL_NEXT_UPDATE).state is RevocationState.GOOD


def test_evidence_whose_next_update_has_passed_is_not_enough() -> None:
    stale = crl(TOP, this_update=AT - 2 * DAY, next_update=AT - DAY)
    assert status(crls=(stale,), freshness=UNTIL_NEXT_UPDATE).state is RevocationState.NOT_FRESH


def test_evidence_older_than_the_age_allowed_is_not_enough() -> None:
    old = crl(TOP, this_update=AT - 2 * DAY)
    assert status(crls=(old,), freshness=Freshness(accept_issued_before=True, max_age=DAY)).state is RevocationState.NOT_FRESH
    assert status(crls=(old,), freshness=Freshness(accept_issued_before=True, max_age=3 * DAY)).state is RevocationState.GOOD


def test_evidence_long_past_its_next_update_still_proves_an_earlier_control_time() -> None:
    kept = answer(LEAF, TOP, this_update=AT + HOUR)
    assert status(ocsps=(kept,), now=AT + 10 * YEAR).state is RevocationState.GOOD


def test_evidence_later_than_now_is_ignored() -> None:
    result = status(crls=(crl(TOP, this_update=AT + HOUR),), ocsps=(answer(LEAF, TOP, this_update=AT + HOUR),), now=AT)
    assert result.state is RevocationState.UNKNOWN
    assert codes(result) == ["EVIDENCE_FROM_FUTURE", "EVIDENCE_FROM_FUTURE"]


def test_revoked_before_the_control_time_is_revoked() -> None:
    result = status(crls=(crl(TOP, [revoking(LEAF, AT - DAY, COMPROMISE)]),))
    assert (result.state, result.revoked_at, result.reason) == (RevocationState.REVOKED, AT - DAY, "keyCompromise")


def test_revoked_at_the_very_control_time_is_revoked() -> None:
    assert status(crls=(crl(TOP, [revoking(LEAF, AT)]),)).state is RevocationState.REVOKED


def test_revoked_after_the_control_time_was_good_then_and_the_later_date_is_told() -> None:
    result = status(crls=(crl(TOP, [revoking(LEAF, AT + HOUR, COMPROMISE)], this_update=AT + 2 * HOUR),))
    assert result.state is RevocationState.GOOD
    assert (result.revoked_at, result.reason) == (AT + HOUR, "keyCompromise")


def test_revocation_learnt_later_than_now_is_not_known() -> None:
    later = crl(TOP, [revoking(LEAF, AT - DAY)], this_update=AT + 2 * DAY)
    assert status(crls=(crl(TOP), later), now=AT + DAY).state is RevocationState.GOOD


def test_compromise_counts_from_its_invalidity_date() -> None:
    later = crl(TOP, [revoking(LEAF, AT + HOUR, COMPROMISE, invalid_since=AT - DAY)], this_update=AT + 2 * HOUR)
    result = status(crls=(later,))
    assert (result.state, result.revoked_at) == (RevocationState.REVOKED, AT - DAY)


def test_invalidity_date_of_another_reason_does_not_count() -> None:
    entry = revoking(LEAF, AT + HOUR, x509.ReasonFlags.affiliation_changed, invalid_since=AT - DAY)
    assert status(crls=(crl(TOP, [entry], this_update=AT + 2 * HOUR),)).state is RevocationState.GOOD


def test_stale_evidence_of_a_revocation_still_counts() -> None:
    old = crl(TOP, [revoking(LEAF, AT - 300 * DAY)], this_update=AT - 200 * DAY)
    assert status(crls=(old,)).state is RevocationState.REVOKED


def test_one_source_that_says_revoked_outweighs_another_that_says_good() -> None:
    revoked = crl(TOP, [revoking(LEAF, AT - DAY)])
    assert status(crls=(revoked,), ocsps=(answer(LEAF, TOP, this_update=AT + HOUR),)).state is RevocationState.REVOKED


def test_hold_that_lasts_is_not_settled() -> None:
    held = crl(TOP, [revoking(LEAF, AT - DAY, x509.ReasonFlags.certificate_hold)])
    result = status(crls=(held,))
    assert (result.state, result.reason, result.revoked_at) == (RevocationState.ON_HOLD, "certificateHold", AT - DAY)
    assert result.fresh


def test_hold_that_began_after_the_control_time_was_good_then() -> None:
    held = crl(TOP, [revoking(LEAF, AT + DAY, x509.ReasonFlags.certificate_hold)], this_update=AT + 2 * DAY)
    result = status(crls=(held,), now=AT + 3 * DAY)
    assert (result.state, result.reason, result.revoked_at) == (RevocationState.GOOD, "certificateHold", AT + DAY)


def test_hold_that_became_a_revocation_is_revoked() -> None:
    held = crl(TOP, [revoking(LEAF, AT - DAY, x509.ReasonFlags.certificate_hold)])
    final = crl(TOP, [revoking(LEAF, AT + DAY, COMPROMISE)], this_update=AT + 2 * DAY, number=2)
    assert status(crls=(held, final), now=AT + 3 * DAY).state is RevocationState.REVOKED


def test_revocation_as_of_the_day_of_the_hold_outweighs_the_hold() -> None:
    held = crl(TOP, [revoking(LEAF, AT - DAY, x509.ReasonFlags.certificate_hold)])
    final = crl(TOP, [revoking(LEAF, AT - DAY, COMPROMISE)], this_update=AT + 2 * DAY, number=2)
    result = status(crls=(held, final), now=AT + 3 * DAY)
    assert (result.state, result.reason) == (RevocationState.REVOKED, "keyCompromise")


def test_good_from_before_the_hold_does_not_end_it() -> None:
    held = crl(TOP, [revoking(LEAF, AT - DAY, x509.ReasonFlags.certificate_hold)], number=2)
    assert status(crls=(crl(TOP, this_update=AT - 2 * DAY), held)).state is RevocationState.ON_HOLD


def test_hold_that_ended_before_the_control_time_is_good() -> None:
    held = crl(TOP, [revoking(LEAF, AT - 3 * DAY, x509.ReasonFlags.certificate_hold)], this_update=AT - 2 * DAY)
    assert status(crls=(held, crl(TOP, number=2))).state is RevocationState.GOOD


def test_hold_that_ended_after_the_control_time_is_revoked() -> None:
    held = crl(TOP, [revoking(LEAF, AT - DAY, x509.ReasonFlags.certificate_hold)], this_update=AT + HOUR)
    assert status(crls=(held, crl(TOP, this_update=AT + 2 * HOUR, number=2))).state is RevocationState.REVOKED


def test_revocation_other_than_a_hold_is_final() -> None:
    first = crl(TOP, [revoking(LEAF, AT - 3 * DAY, x509.ReasonFlags.superseded)], this_update=AT - 2 * DAY)
    assert status(crls=(first, crl(TOP, number=2))).state is RevocationState.REVOKED


# --- after expiry ------------------------------------------------------------------------------------------------------------------

EXPIRED = TOP.issue(end=AT - DAY)
GENERALIZED = b"\x18\x0f20250101000000Z"


def _extension(oid: str, der: bytes = GENERALIZED) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), der), False


def test_crl_issued_after_expiry_says_nothing_of_the_expired() -> None:
    result = status(crls=(crl(TOP),), about=EXPIRED, at=AT - 2 * DAY)
    assert result.state is RevocationState.UNKNOWN
    assert codes(result) == ["EVIDENCE_AFTER_EXPIRY"]


def test_crl_issued_after_expiry_counts_with_expired_certs_on_crl() -> None:
    kept = crl(TOP, extensions=[_extension("2.5.29.60")])
    assert status(crls=(kept,), about=EXPIRED, at=AT - 2 * DAY).state is RevocationState.GOOD


def test_expired_certs_on_crl_from_after_the_expiry_does_not_reach_back() -> None:
    late = crl(TOP, extensions=[_extension("2.5.29.60", b"\x18\x0f20260905000000Z")])
    assert status(crls=(late,), about=EXPIRED, at=AT - 2 * DAY).state is RevocationState.UNKNOWN


def test_ocsp_answer_produced_after_expiry_says_nothing_of_the_expired() -> None:
    result = status(ocsps=(answer(EXPIRED, TOP),), about=EXPIRED, at=AT - 2 * DAY)
    assert codes(result) == ["EVIDENCE_AFTER_EXPIRY"]


def test_revocation_learnt_after_expiry_counts() -> None:
    late = crl(TOP, [revoking(EXPIRED, AT - 3 * DAY)])
    assert status(crls=(late,), about=EXPIRED, at=AT - 2 * DAY).state is RevocationState.REVOKED


# --- our own authority -------------------------------------------------------------------------------------------------------------


def test_our_own_answers_and_lists_prove_our_own_certificates_good_even_after_expiry() -> None:
    house = make_authority()
    teacher, stamped = house.issue_teacher(), house.clock.moment
    for years in (0, 10):
        house.advance(days=365 * years)
        now = house.clock.moment
        evidence = Evidence((), tuple(_all_shards(house)), ())
        result = _own(house, teacher.certificate_der, evidence, stamped, now)
        assert result.state is RevocationState.GOOD, result.messages


def test_our_own_list_shows_a_revocation() -> None:
    house = make_authority()
    teacher = house.issue_teacher()
    house.advance(hours=1)
    house.revoke(teacher)
    house.advance(hours=1)
    result = _own(house, teacher.certificate_der, Evidence((), tuple(_all_shards(house)), ()), house.clock.moment, house.clock.moment)
    assert (result.state, result.reason) == (RevocationState.REVOKED, "keyCompromise")


def test_shard_that_holds_other_certificates_does_not_count() -> None:
    house = make_authority()
    teacher = house.issue_teacher()
    others = tuple(der for shard, der in enumerate(_all_shards(house)) if shard != teacher.serial % 4)
    result = _own(house, teacher.certificate_der, Evidence((), others, ()), house.clock.moment, house.clock.moment)
    assert result.state is RevocationState.UNKNOWN
    assert set(codes(result)) == {"CRL_OUT_OF_SCOPE"}


def _all_shards(house: TestAuthority) -> list[bytes]:
    signer = CrlSigner(
        issuer="issuing",
        issuer_certificate_der=house.issuing_der,
        key=house.issuing_key,
        store=house.store,
        clock=house.clock,
        shards=4,
        base_url=BASE_URL,
    )
    return [signer.crl(shard) for shard in range(4)]


def _own(house: TestAuthority, der: bytes, evidence: Evidence, at: datetime, now: datetime) -> RevocationResult:
    return revocation_status(
        load_certificate(der), load_certificate(house.issuing_der), evidence=evidence, at=at, now=now, anchors=[TrustAnchor(house.root_der)]
    )


# --- memory and limits -------------------------------------------------------------------------------------------------------------


def test_memory_gives_the_same_answers() -> None:
    cache = ValidationCache()
    by = responder(TOP)
    evidence = {"crls": (crl(TOP),), "ocsps": (answer(LEAF, TOP, signer=by),)}
    first, second = status(cache=cache, **evidence), status(cache=cache, **evidence)
    assert first == second
    assert first.state is RevocationState.GOOD


def test_memory_does_not_carry_a_forged_list_under_a_genuine_ones_signature() -> None:
    cache = ValidationCache()
    genuine = crl(TOP, [revoking(LEAF, AT - DAY)])
    assert status(crls=(genuine,), cache=cache).state is RevocationState.REVOKED
    forged = crl(TOP, signing_key=root().key)
    result = status(crls=(forged,), cache=cache)
    assert codes(result) == ["CRL_SIGNATURE_INVALID"]


def test_memory_of_what_evidence_says_is_not_asked_about_a_time_before_that_evidence() -> None:
    cache = ValidationCache()
    later = crl(TOP, this_update=AT + HOUR)
    assert status(crls=(later,), cache=cache).state is RevocationState.GOOD
    result = status(crls=(later,), now=AT, cache=cache)
    assert (result.state, codes(result)) == (RevocationState.UNKNOWN, ["EVIDENCE_FROM_FUTURE"])


def test_memory_of_what_evidence_says_is_not_asked_about_other_evidence() -> None:
    cache = ValidationCache()
    good, bad = crl(TOP), crl(TOP, [revoking(LEAF, AT - DAY)])
    assert status(crls=(good,), cache=cache).state is RevocationState.GOOD
    assert status(crls=(good, bad), cache=cache).state is RevocationState.REVOKED
    assert status(crls=(bad,), cache=cache).state is RevocationState.REVOKED
    assert status(crls=(good,), cache=cache).state is RevocationState.GOOD
    assert status(cache=cache).state is RevocationState.UNKNOWN


def test_memory_of_what_evidence_says_is_not_asked_about_another_certificate() -> None:
    cache = ValidationCache()
    lists = (crl(TOP, [revoking(LEAF, AT - DAY)]),)
    assert status(crls=lists, about=TOP.issue(), cache=cache).state is RevocationState.GOOD
    assert status(crls=lists, cache=cache).state is RevocationState.REVOKED


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (Evidence(ocsps=(b"0",) * 2001), "2001 OCSP responses, more than the 2000"),
        (Evidence(crls=(b"0",) * 501), "501 CRLs, more than the 500"),
        (Evidence(certificates=(b"0",) * 1001), "1001 certificates, more than the 1000"),
        (Evidence(crls=(b"0" * (33 * 2**20), b"1" * (33 * 2**20))), "octets, more than the 67108864"),
    ],
)
def test_more_evidence_than_is_read_leaves_the_status_unknown(evidence: Evidence, message: str) -> None:
    result = revocation_status(LEAF.parsed, TOP.parsed, evidence=evidence, at=AT, now=AT, anchors=[TOP.anchor])
    assert result.state is RevocationState.UNKNOWN
    assert codes(result) == ["EVIDENCE_LIMIT"]
    assert message in result.messages[0].text


def test_hundreds_of_forged_answers_cost_bounded_work_and_hide_nothing() -> None:
    forged = tuple(answer(LEAF, TOP, this_update=AT - number * SECOND, signing_key=LEAF.key) for number in range(600))
    started = time.perf_counter()
    result = status(ocsps=forged, crls=(crl(TOP),), now=AT + HOUR)
    assert codes(result)[-1] == "EVIDENCE_LIMIT"
    assert result.state is RevocationState.UNKNOWN
    assert time.perf_counter() - started < 3
