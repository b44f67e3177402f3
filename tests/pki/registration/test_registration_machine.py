"""Hypothesis drives requests: whatever is tried in whatever order, nothing is redeemed that other people did not approve in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pki.registration.approval import Order, RegistrationError, Request, RequestState, approve, open_request, redeem, refuse
from pki.registration.policy import KindRule, RegistrationPolicy, RequestKind

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PEOPLE = st.sampled_from(["RA-1", "RA-2", "RA-3", "RA-4", "SM-GV01"])
OFFICERS = frozenset({"RA-1", "RA-2", "RA-3", "RA-4"})
DIGESTS = st.sampled_from([b"d" * 32, b"e" * 32])


class Registration(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now, self.redemptions = START, 0

    @initialize(by=PEOPLE, needed=st.integers(0, 3))
    def ask(self, by: str, needed: int) -> None:
        rules = dict.fromkeys(RequestKind, KindRule(needed, timedelta(hours=24), timedelta(hours=12)))
        self.policy = RegistrationPolicy(rules)
        order = Order(RequestKind.SEAL, "school-seal", "seal/SM", b"d" * 32)
        self.request = open_request(order, id="r1", by=by, at=START, policy=self.policy)

    @rule(hours=st.integers(0, 9))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(by=PEOPLE)
    def approve(self, by: str) -> None:
        before = self.request
        if self.attempt(lambda: approve(before, by=by, at=self.now, officers=OFFICERS, policy=self.policy)):
            assert before.state is RequestState.OPEN
            assert self.now < before.expires_at

    @rule(by=PEOPLE)
    def refuse(self, by: str) -> None:
        self.attempt(lambda: refuse(self.request, by=by, reason="no", at=self.now, officers=OFFICERS))

    @rule(digest=DIGESTS)
    def redeem(self, digest: bytes) -> None:
        before = self.request
        if self.attempt(lambda: redeem(before, digest=digest, at=self.now)[0]):
            self.redemptions += 1
            others = {approval.by for approval in before.approvals} - {before.requested_by}
            assert len(others) >= before.needed
            assert all(approval.at < before.expires_at for approval in before.approvals)
            assert self.now < before.expires_at
            assert digest == before.order.digest

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "request"):
            given = [approval.by for approval in self.request.approvals]
            assert len(given) == len(set(given)) <= max(self.request.needed, 0)
            assert set(given) <= OFFICERS - {self.request.requested_by}
            assert self.redemptions == (self.request.state is RequestState.REDEEMED) <= 1

    def attempt(self, move: Callable[[], Request] | Any) -> bool:
        try:
            self.request = move()
        except RegistrationError:
            return False
        return True


Registration.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None, derandomize=True)
TestRegistration = Registration.TestCase
