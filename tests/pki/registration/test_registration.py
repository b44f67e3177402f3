"""Requests and approvals as pure moves: who may, how often, until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certs.loader import load
from pki.registration.approval import (
    AlreadyDecidedError,
    NotApprovedError,
    Order,
    OtherDigestError,
    OwnApprovalError,
    RegistrationError,
    RepeatedApprovalError,
    Request,
    RequestExpiredError,
    RequestState,
    UnknownOfficerError,
    approve,
    open_request,
    redeem,
    refuse,
)
from pki.registration.policy import RegistrationPolicy, RegistrationPolicyError, RequestKind

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
OFFICERS = frozenset({"RA-1", "RA-2", "RA-3"})
POLICY = RegistrationPolicy.from_mapping(load("policies", "registration"))
TWO = RegistrationPolicy({**POLICY.rules, RequestKind.SEAL: replace(POLICY.rule(RequestKind.SEAL), approvals=2)})
DIGEST = b"d" * 32
ORDER = Order(RequestKind.SEAL, "school-seal", "seal/SM", DIGEST)


def opened(order: Order = ORDER, policy: RegistrationPolicy = POLICY) -> Request:
    return open_request(order, id="r1", by="RA-1", at=NOW, policy=policy)


def approved(request: Request, by: str = "RA-2", *, at: datetime = NOW, policy: RegistrationPolicy = POLICY) -> Request:
    return approve(request, by=by, at=at, officers=OFFICERS, policy=policy)


def test_a_seal_waits_for_a_second_person() -> None:
    request = opened()
    assert (request.state, request.needed) == (RequestState.OPEN, 1)
    with pytest.raises(NotApprovedError, match="request r1: has 0 of 1 approvals"):
        redeem(request, digest=DIGEST, at=NOW)


@pytest.mark.parametrize("kind", [RequestKind.SEAL, RequestKind.BULK, RequestKind.CA])
def test_the_shipped_policy_asks_a_second_person_for_what_the_issue_names(kind: RequestKind) -> None:
    assert POLICY.rule(kind).approvals == 1


def test_a_person_at_a_counter_needs_no_approval() -> None:
    assert opened(Order(RequestKind.PERSON, "teacher", "SM-GV04", DIGEST)).state is RequestState.APPROVED


def test_an_approved_request_is_redeemed_once() -> None:
    request, redeemed = redeem(approved(opened()), digest=DIGEST, at=NOW)
    assert (redeemed.requested_by, redeemed.approved_by, redeemed.order) == ("RA-1", ("RA-2",), ORDER)
    with pytest.raises(AlreadyDecidedError, match="redeemed before; an approval is good for one use"):
        redeem(request, digest=DIGEST, at=NOW)


def test_an_approval_by_the_requester_is_refused() -> None:
    with pytest.raises(OwnApprovalError, match="RA-1 asked for it and may not approve it; another officer must"):
        approved(opened(), "RA-1")


def test_an_approval_by_one_person_twice_is_refused() -> None:
    request = approved(opened(policy=TWO), "RA-2", policy=TWO)
    assert request.state is RequestState.OPEN
    with pytest.raises(RepeatedApprovalError, match="RA-2 has approved it; 2 different officers must"):
        approved(request, "RA-2", policy=TWO)
    assert approved(request, "RA-3", policy=TWO).state is RequestState.APPROVED


def test_an_approval_after_expiry_is_refused() -> None:
    request = opened()
    with pytest.raises(RequestExpiredError, match="its time ended at 2026-06-08 08:00 UTC; ask again"):
        approved(request, at=request.expires_at)
    assert approved(request, at=request.expires_at - timedelta(microseconds=1)).state is RequestState.APPROVED


def test_an_approval_expires_itself() -> None:
    request = approved(opened(), at=NOW + timedelta(days=6))
    assert request.expires_at == NOW + timedelta(days=9)
    with pytest.raises(RequestExpiredError, match="its time ended at 2026-06-10"):
        redeem(request, digest=DIGEST, at=request.expires_at)


def test_an_approval_by_somebody_who_is_no_officer_is_refused() -> None:
    with pytest.raises(UnknownOfficerError, match="SM-GV01 is not a registration officer"):
        approved(opened(), "SM-GV01")


def test_a_decided_request_is_not_decided_again() -> None:
    with pytest.raises(AlreadyDecidedError, match="it is approved already"):
        approved(approved(opened()), "RA-3")


def test_another_digest_than_the_approved_one_is_refused() -> None:
    with pytest.raises(OtherDigestError, match="what is to be issued is not what was approved"):
        redeem(approved(opened()), digest=b"e" * 32, at=NOW)


def test_the_proof_stands_for_its_own_kind_and_digest_alone() -> None:
    _, redeemed = redeem(approved(opened()), digest=DIGEST, at=NOW)
    redeemed.require(RequestKind.SEAL, DIGEST)
    for kind, digest in ((RequestKind.BULK, DIGEST), (RequestKind.SEAL, b"e" * 32)):
        with pytest.raises(OtherDigestError, match="approves another seal"):
            redeemed.require(kind, digest)


def test_a_refusal_is_final_and_says_why() -> None:
    request = refuse(opened(), by="RA-2", reason=" wrong school ", at=NOW, officers=OFFICERS)
    assert (request.state, request.refused_by, request.reason) == (RequestState.REFUSED, "RA-2", "wrong school")
    with pytest.raises(AlreadyDecidedError, match="it is refused already"):
        approved(request)
    with pytest.raises(NotApprovedError, match="refused by RA-2"):
        redeem(request, digest=DIGEST, at=NOW)


def test_the_requester_may_withdraw_until_it_is_used() -> None:
    assert refuse(approved(opened()), by="RA-1", reason="no longer wanted", at=NOW, officers=OFFICERS).state is RequestState.REFUSED


def test_a_refusal_needs_its_reason() -> None:
    with pytest.raises(RegistrationError, match="a refusal needs its reason"):
        refuse(opened(), by="RA-2", reason=" ", at=NOW, officers=OFFICERS)


def test_an_order_names_a_whole_digest() -> None:
    with pytest.raises(RegistrationError, match="got 3 octets, expected 32"):
        Order(RequestKind.SEAL, "school-seal", "seal/SM", b"abc")


def test_equal_orders_have_one_key_and_others_have_others() -> None:
    others = [replace(ORDER, reference="seal/BL"), replace(ORDER, digest=b"e" * 32), replace(ORDER, kind=RequestKind.CA)]
    assert ORDER.key == Order(ORDER.kind, ORDER.profile, ORDER.reference, DIGEST).key
    assert len({ORDER.key, *(other.key for other in others)}) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seal": {"approvals": -1, "decide_hours": 1, "hold_hours": 1}}, "seal: approvals must be a number from 0 to 8, got -1"),
        ({"seal": {"approvals": True, "decide_hours": 1, "hold_hours": 1}}, "approvals must be a number"),
        ({"seal": {"approvals": 1, "decide_hours": 1}}, "seal: expected exactly approvals, decide_hours, hold_hours"),
        ({"other": {}}, "unknown \\['other'\\]"),
    ],
)
def test_a_policy_that_does_not_say_what_it_must_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(RegistrationPolicyError, match=message):
        RegistrationPolicy.from_mapping({**load("policies", "registration"), **change})


def test_a_policy_names_every_kind() -> None:
    data = load("policies", "registration")
    del data["ca"]
    with pytest.raises(RegistrationPolicyError, match="missing \\['ca'\\]"):
        RegistrationPolicy.from_mapping(data)
