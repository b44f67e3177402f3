"""Hypothesis drives the life cycle: whatever is tried in whatever order, the rules hold and refusals change nothing."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from certs.loader import load
from records.errors import LifeCycleError
from records.ledger import Event, LogEntry
from records.lifecycle import (
    confirm_unlock,
    edit,
    open_record,
    record_signature,
    refuse_unlock,
    relock,
    request_unlock,
    revise,
    supersede,
    withdraw,
)
from records.state import Phase, RecordState
from records.state_json import state_from_json, state_json
from signing.verdict import RecordStatus
from signing.workflow import Workflow
from tests.support.record_cases import (
    NOW,
    OTHER_REGISTRAR,
    PRINCIPAL,
    PUPIL,
    REGISTRAR,
    SEAL,
    SIGNERS,
    STRANGER,
    TEACHER,
    make_content,
    make_record,
)

WORKFLOW = Workflow.from_mapping(load("policies", "workflow-school-record"))
ACTORS = st.sampled_from([TEACHER, PRINCIPAL, REGISTRAR, OTHER_REGISTRAR, SEAL, PUPIL, STRANGER])
CONTENTS = st.sampled_from([make_content(maths=mark) for mark in ("8.5", "9.0", "9.5")])
REASONS = st.sampled_from(["Nhập nhầm", ""])


class LifeCycle(RuleBasedStateMachine):
    """`log` is all that was ever logged; `self.state` the record."""

    def __init__(self) -> None:
        super().__init__()
        self.state, entry = open_record(make_record(), WORKFLOW, by=TEACHER, at=NOW)
        self.log: list[LogEntry] = [entry]

    def attempt(self, move, *args, **kwargs) -> bool:
        before = state_json(self.state)
        try:
            moved: tuple[RecordState, LogEntry | tuple[LogEntry, ...]] = move(self.state, *args, at=NOW, **kwargs)
        except LifeCycleError:
            assert state_json(self.state) == before
            return False
        self.state = moved[0]
        self.log += moved[1] if isinstance(moved[1], tuple) else [moved[1]]
        return True

    @rule(step=st.sampled_from(["homeroom", "principal", "seal", "parent"]), by=ACTORS)
    def sign_anything(self, step, by):
        phase, expected = self.state.phase, self.state.next_step
        if self.attempt(record_signature, step, by=by, document_sha256="00" * 32):
            assert phase in (Phase.OPEN, Phase.LOCKED)
            assert (expected.id, expected.role, by.school) == (step, by.role, self.state.school)

    @precondition(lambda self: self.state.next_step is not None)
    @rule()
    def sign_what_is_next(self):
        step = self.state.next_step.id
        self.attempt(record_signature, step, by=SIGNERS[step], document_sha256="00" * 32)

    @rule(by=ACTORS, content=CONTENTS)
    def edit(self, by, content):
        signed = self.state.working.signed
        if self.attempt(edit, content, by=by):
            assert not signed

    @rule(by=ACTORS, reason=REASONS)
    def request(self, by, reason):
        self.attempt(request_unlock, by=by, reason=reason)

    @rule(by=ACTORS)
    def confirm(self, by):
        request = self.state.unlock
        if self.attempt(confirm_unlock, by=by):
            assert request.by != by.id

    @rule(by=ACTORS, reason=REASONS)
    def refuse(self, by, reason):
        request = self.state.unlock
        if self.attempt(refuse_unlock, by=by, reason=reason):
            assert request.by != by.id

    @rule(by=ACTORS, content=CONTENTS)
    def revise(self, by, content):
        phase, number = self.state.phase, self.state.working.number
        if self.attempt(revise, content, by=by):
            assert phase is Phase.UNLOCKED
            assert self.state.working.number == number + 1

    @rule(by=ACTORS)
    def lock_again(self, by):
        self.attempt(relock, by=by)

    @rule(by=ACTORS)
    def supersede(self, by):
        assert not self.attempt(supersede, by=by), "superseding happens by itself, so nothing is ever left to supersede"

    @precondition(lambda self: len(self.state.versions) > 2)
    @rule(by=ACTORS, reason=REASONS)
    def withdraw(self, by, reason):
        self.attempt(withdraw, by=by, reason=reason)

    @invariant()
    def at_most_one_version_is_current(self):
        assert sum(version.status is RecordStatus.CURRENT for version in self.state.versions) <= 1

    @invariant()
    def only_complete_versions_are_current(self):
        for version in self.state.versions:
            if version.status is RecordStatus.CURRENT:
                assert len(version.signed) == len(WORKFLOW.steps)

    @invariant()
    def versions_are_numbered_and_linked(self):
        assert [version.number for version in self.state.versions] == list(range(1, len(self.state.versions) + 1))
        assert all(version.record.previous.version == version.number - 1 for version in self.state.versions[1:])

    @invariant()
    def an_open_version_waits_for_a_teacher_and_a_locked_one_for_none(self):
        if self.state.phase in (Phase.OPEN, Phase.LOCKED):
            assert (self.state.phase is Phase.LOCKED) == self.state.teachers_finished

    @invariant()
    def a_request_stands_only_while_it_matters(self):
        assert (self.state.unlock is not None) == (self.state.phase in (Phase.UNLOCK_REQUESTED, Phase.UNLOCKED))

    @invariant()
    def every_version_after_the_first_came_from_a_confirmed_unlock(self):
        events = [entry.event for entry in self.log]
        assert events.count(Event.REVISED) == len(self.state.versions) - 1 <= events.count(Event.UNLOCKED)

    @invariant()
    def a_revision_always_says_what_changed(self):
        assert all(entry.changes for entry in self.log if entry.event in (Event.REVISED, Event.EDITED))

    @invariant()
    def the_state_survives_its_store(self):
        assert state_from_json(state_json(self.state), revision=self.state.revision) == self.state


TestLifeCycle = LifeCycle.TestCase
TestLifeCycle.settings = settings(derandomize=True, max_examples=150, stateful_step_count=40, deadline=None)
