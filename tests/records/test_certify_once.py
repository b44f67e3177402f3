"""One certificate for one redeemed request, also where whoever issued it died half way, at each step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pki.errors import IssuanceError
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateState
from pki.registration.approval import Order
from pki.registration.policy import RequestKind
from records.certify_once import STALE, certify_once
from records.errors import StillIssuingError
from tests.support.authority import StandingClock, make_authority
from tests.support.registration import approved, memory_registration


class House:
    """An authority, a registration, and one redeemed request for a seal."""

    def __init__(self) -> None:
        made = make_authority()
        self.clock: StandingClock = made.clock
        self.authority = made.established.issuing
        self.store = made.store
        self.registration = memory_registration(made.keys, made.clock)
        self.outcomes = self.registration.requests
        self.redeemed = approved(self.registration, Order(RequestKind.SEAL, "school-seal", "seal/SM", b"d" * 32))
        subject = legal_person(country="VN", name="Sao Mai", identifier="NTRVN-0109999001")
        self.request = CertificateRequest(
            profile="school-seal", subject=subject, public_key=SoftwareKey.generate().public_key(), holder="seal/SM"
        )

    def certify(self):
        return certify_once(self.request, self.redeemed, authority=self.authority, outcomes=self.outcomes, pause=self.wait)

    def wait(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)

    def claim(self):
        now = self.clock()
        assert self.outcomes.claim(self.redeemed.request_id, at=now, stale=now - STALE)
        return now

    def states(self) -> list[CertificateState]:
        return [entry.state for entry in self.store.of_holder("seal/SM")]


@pytest.fixture
def house() -> House:
    return House()


def test_asking_again_gives_the_same_certificate(house: House) -> None:
    assert house.certify() == house.certify()
    assert house.states() == [CertificateState.ISSUED]


def test_a_revoked_certificate_is_still_the_one(house: House) -> None:
    first = house.certify()
    house.authority.revoke(first.serial, "superseded")
    assert house.certify().serial == first.serial


def test_while_another_issues_one_waits_and_then_gives_up(house: House) -> None:
    house.claim()
    with pytest.raises(StillIssuingError, match="is being issued by somebody else; ask again in a minute"):
        house.certify()
    assert house.states() == []


def test_a_claim_of_a_dead_process_is_taken_over(house: House) -> None:
    house.claim()
    house.clock.moment += STALE
    house.certify()
    assert house.states() == [CertificateState.ISSUED]


def test_what_a_dead_process_recorded_and_did_not_bind_is_not_given_out(house: House) -> None:
    house.claim()
    house.authority.record(house.authority.prepare(house.request))
    house.clock.moment += STALE
    house.certify()
    assert house.states() == [CertificateState.RECORDED, CertificateState.ISSUED]


def test_what_a_dead_process_bound_and_did_not_sign_is_revoked_and_never_signed(house: House) -> None:
    claimed = house.claim()
    prepared = house.authority.prepare(house.request)
    house.authority.record(prepared)
    assert house.outcomes.bind(house.redeemed.request_id, issuer=prepared.issuer, serial=prepared.serial, claimed_at=claimed)
    house.clock.moment += STALE
    house.certify()
    assert house.states() == [CertificateState.REVOKED, CertificateState.ISSUED]
    with pytest.raises(IssuanceError, match="revoked before it was issued"):
        house.authority.issue(prepared)


def test_a_failure_lets_the_next_one_in_at_once(house: House) -> None:
    good = house.request
    house.request = CertificateRequest(profile="no-such", subject=good.subject, public_key=good.public_key, holder=good.holder)
    with pytest.raises(IssuanceError, match="profile 'no-such' is unknown"):
        house.certify()
    house.request = good
    assert house.certify().profile == "school-seal"
