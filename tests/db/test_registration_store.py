"""Requests and officers on both databases: one request for equal orders, one approval a person, one redemption, all in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certs.loader import load
from db.engine import Database
from db.log import Log
from db.officers import Officers
from db.registration import Requests, redeem
from pki.registration.approval import (
    AlreadyDecidedError,
    NotApprovedError,
    Order,
    OtherDigestError,
    OwnApprovalError,
    RegistrationError,
    RepeatedApprovalError,
    RequestExpiredError,
    RequestState,
    UnknownOfficerError,
    UnknownRequestError,
)
from pki.registration.policy import RegistrationPolicy, RequestKind
from records.errors import OfficerError
from records.registration_ports import Officer

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
POLICY = RegistrationPolicy.from_mapping(load("policies", "registration"))
TWO = RegistrationPolicy({**POLICY.rules, RequestKind.SEAL: replace(POLICY.rule(RequestKind.SEAL), approvals=2)})
DIGEST = b"d" * 32
ORDER = Order(RequestKind.SEAL, "school-seal", "seal/SM", DIGEST)
PERSON = Order(RequestKind.PERSON, "teacher", "SM-GV04", DIGEST)


@pytest.fixture
def officers(database: Database) -> Officers:
    found = Officers(database)
    for officer_id in ("RA-1", "RA-2", "RA-3"):
        found.add(Officer(officer_id, "Lê Thu Hà", b"verifier", NOW), vouched_by=(), reason="first")
    return found


@pytest.fixture
def requests(database: Database, officers: Officers) -> Requests:
    return Requests(database)


def opened(requests: Requests, order: Order = ORDER, policy: RegistrationPolicy = POLICY) -> str:
    return requests.open(order, by="RA-1", at=NOW, policy=policy).id


def kinds(database: Database, request_id: str) -> list[str]:
    return [entry.kind for entry in Log(database).of_subject(f"request/{request_id}")]


def test_a_request_is_read_back_as_it_was_saved(requests: Requests) -> None:
    made = requests.open(ORDER, by="RA-1", at=NOW, policy=POLICY)
    assert requests.get(made.id) == made
    moved = requests.approve(made.id, by="RA-2", at=NOW, policy=POLICY)
    assert requests.get(made.id) == moved
    assert requests.list(state=RequestState.APPROVED) == (moved,)
    assert requests.list(state=RequestState.OPEN) == ()


def test_the_whole_way_stands_in_the_log(requests: Requests, database: Database) -> None:
    request_id = opened(requests)
    requests.approve(request_id, by="RA-2", at=NOW, policy=POLICY)
    redeemed = requests.redeem(request_id, digest=DIGEST, at=NOW)
    assert kinds(database, request_id) == ["request.opened", "request.approved", "request.redeemed"]
    assert requests.redeemed(request_id) == redeemed
    assert redeemed.approved_by == ("RA-2",)


@pytest.mark.parametrize(
    ("by", "at", "error"),
    [
        ("RA-1", NOW, OwnApprovalError),
        ("RA-9", NOW, UnknownOfficerError),
        ("RA-2", NOW + timedelta(days=8), RequestExpiredError),
    ],
)
def test_a_refused_approval_leaves_nothing(
    requests: Requests, database: Database, by: str, at: datetime, error: type[RegistrationError]
) -> None:
    request_id = opened(requests)
    before, size = requests.get(request_id), Log(database).size()
    with pytest.raises(error):
        requests.approve(request_id, by=by, at=at, policy=POLICY)
    assert (requests.get(request_id), Log(database).size()) == (before, size)


def test_one_person_approves_once(requests: Requests) -> None:
    request_id = opened(requests, policy=TWO)
    requests.approve(request_id, by="RA-2", at=NOW, policy=TWO)
    with pytest.raises(RepeatedApprovalError):
        requests.approve(request_id, by="RA-2", at=NOW, policy=TWO)
    assert requests.approve(request_id, by="RA-3", at=NOW, policy=TWO).state is RequestState.APPROVED


def test_of_many_approvals_of_one_person_at_once_one_counts(requests: Requests) -> None:
    request_id = opened(requests, policy=TWO)

    def approve(_: int) -> bool:
        try:
            requests.approve(request_id, by="RA-2", at=NOW, policy=TWO)
        except RepeatedApprovalError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(approve, range(16))) == 1
    assert len(requests.get(request_id).approvals) == 1


def test_fifty_equal_orders_at_once_are_one_request(requests: Requests, database: Database) -> None:
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _: opened(requests, PERSON), range(50)))
    assert len(ids) == 1
    assert kinds(database, ids.pop()) == ["request.opened"]


def test_of_fifty_redemptions_at_once_one_passes(requests: Requests) -> None:
    request_id = opened(requests, PERSON)

    def use(_: int) -> bool:
        try:
            requests.redeem(request_id, digest=DIGEST, at=NOW)
        except AlreadyDecidedError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(use, range(50))) == 1


def test_an_order_that_was_redeemed_for_one_certificate_is_found_again(requests: Requests) -> None:
    request_id = opened(requests, PERSON)
    requests.redeem(request_id, digest=DIGEST, at=NOW)
    assert opened(requests, PERSON) == request_id


@pytest.mark.parametrize("kind", [RequestKind.BULK, RequestKind.CA])
def test_a_used_approval_of_a_batch_or_ceremony_is_not_found_again(requests: Requests, kind: RequestKind) -> None:
    order = replace(ORDER, kind=kind)
    request_id = opened(requests, order)
    requests.approve(request_id, by="RA-2", at=NOW, policy=POLICY)
    requests.redeem(request_id, digest=DIGEST, at=NOW)
    assert opened(requests, order) != request_id


def test_after_a_refusal_the_same_can_be_asked_for_again(requests: Requests) -> None:
    request_id = opened(requests)
    requests.refuse(request_id, by="RA-2", reason="not yet", at=NOW)
    assert requests.get(request_id).reason == "not yet"
    assert opened(requests) != request_id


def test_after_its_expiry_the_same_can_be_asked_for_again_by_many_at_once(requests: Requests) -> None:
    request_id = opened(requests)
    with ThreadPoolExecutor(8) as pool:
        again = {*pool.map(lambda _: requests.open(ORDER, by="RA-1", at=NOW + timedelta(days=8), policy=POLICY).id, range(16))}
    assert len(again - {request_id}) == len(again) == 1


def test_redeeming_joins_the_transaction_of_the_work_that_it_begins(requests: Requests, database: Database) -> None:
    request_id = opened(requests, PERSON)

    def begin_and_fail() -> None:
        with database.writing() as connection:
            redeem(connection, request_id, digest=DIGEST, at=NOW)
            raise RuntimeError("the work could not begin")

    with pytest.raises(RuntimeError):
        begin_and_fail()
    assert requests.get(request_id).state is RequestState.APPROVED
    with pytest.raises(NotApprovedError, match="is approved, expected redeemed"):
        requests.redeemed(request_id)


def test_another_digest_redeems_nothing(requests: Requests) -> None:
    request_id = opened(requests, PERSON)
    with pytest.raises(OtherDigestError):
        requests.redeem(request_id, digest=b"e" * 32, at=NOW)
    assert requests.get(request_id).state is RequestState.APPROVED


def test_an_unknown_request_is_named(requests: Requests) -> None:
    with pytest.raises(UnknownRequestError, match="there is no request beef"):
        requests.approve("beef", by="RA-2", at=NOW, policy=POLICY)


def test_a_certificate_is_issued_by_one_until_their_claim_is_stale(requests: Requests) -> None:
    request_id = opened(requests, PERSON)
    assert not requests.claim(request_id, at=NOW, stale=NOW)
    requests.redeem(request_id, digest=DIGEST, at=NOW)
    late = NOW + timedelta(minutes=1)
    assert [requests.claim(request_id, at=NOW, stale=NOW - timedelta(seconds=1)) for _ in range(2)] == [True, False]
    assert requests.claim(request_id, at=late, stale=NOW)
    assert not requests.bind(request_id, issuer="issuing", serial=7, claimed_at=NOW)
    assert requests.outcome(request_id) is None
    assert requests.bind(request_id, issuer="issuing", serial=8, claimed_at=late)
    assert requests.outcome(request_id) == ("issuing", 8)


def test_an_officer_who_was_removed_approves_nothing(requests: Requests, officers: Officers) -> None:
    request_id = opened(requests)
    officers.remove("RA-2", by="RA-3", at=NOW)
    with pytest.raises(UnknownOfficerError):
        requests.approve(request_id, by="RA-2", at=NOW, policy=POLICY)
    with pytest.raises(UnknownOfficerError):
        officers.get("RA-2")
    assert [(officer.id, officer.removed_at) for officer in officers.all()] == [("RA-1", None), ("RA-2", NOW), ("RA-3", None)]


def test_an_officer_in_office_is_not_replaced(officers: Officers) -> None:
    with pytest.raises(OfficerError, match="RA-1 is an officer already"):
        officers.add(Officer("RA-1", "Somebody Else", b"theirs", NOW), vouched_by=("RA-2", "RA-3"), reason="")


def test_officers_come_and_go_in_the_log_without_their_names(officers: Officers, database: Database) -> None:
    officers.remove("RA-1", by="RA-2", at=NOW)
    entries = Log(database).of_subject("officer/RA-1")
    assert [entry.kind for entry in entries] == ["officer.added", "officer.removed"]
    assert [dict(entry.details) for entry in entries] == [{"reason": "first", "vouched_by": []}, {"by": "RA-2"}]


def test_of_many_pin_attempts_at_once_five_are_begun(officers: Officers) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: officers.begin("RA-1", most=5), range(24))) == 5
    officers.take_back("RA-1")
    assert officers.begin("RA-1", most=5)
    assert officers.wrong("RA-1", most=5, at=NOW) == 5
    officers.right("RA-1")
    assert officers.get("RA-1").wrong == 0
