"""The life cycle where teachers sign side by side: any order among them, none before the certification, locked at the last one."""

from __future__ import annotations

import random

import pytest

from certs import loader
from records.errors import AlreadySignedError, NotEntitledError, StepOrderError, TeachersNotFinishedError
from records.ledger import Event
from records.lifecycle import lock, open_record, record_signature
from records.person import Role
from records.state import Actor, Phase, RecordState
from records.state_json import state_from_json, state_json
from signing.verdict import RecordStatus
from signing.workflow import Workflow
from tests.support.record_cases import NOW, PRINCIPAL, SCHOOL, SEAL, TEACHER, make_record

SUBJECTS = Workflow.from_mapping(loader.load("policies", "workflow-school-record-subjects"))
PARALLEL = [step.id for step in SUBJECTS.steps if step.after == ("export",)]
WHO = {"teacher": TEACHER, "principal": PRINCIPAL, "school-seal": SEAL}


def signed(state: RecordState, *steps: str) -> RecordState:
    for name in steps:
        step = SUBJECTS.step(name)
        assert step is not None
        state, _ = record_signature(state, name, by=WHO[step.role], at=NOW, document_sha256="00" * 32)
    return state


@pytest.fixture
def opened() -> RecordState:
    return open_record(make_record(), SUBJECTS, by=TEACHER, at=NOW)[0]


@pytest.mark.parametrize("seed", range(5))
def test_teachers_sign_in_any_order_and_the_record_locks_at_the_last(opened: RecordState, seed: int) -> None:
    order = random.Random(seed).sample(PARALLEL, len(PARALLEL))
    state = signed(opened, "export", *order)
    assert state.phase is Phase.OPEN  # the homeroom teacher is a teacher, too
    state, entries = record_signature(state, "homeroom", by=TEACHER, at=NOW, document_sha256="00" * 32)
    assert state.phase is Phase.LOCKED
    assert [entry.event for entry in entries] == [Event.SIGNED, Event.LOCKED]
    state = signed(state, "principal", "seal")
    assert state.working.status is RecordStatus.CURRENT


def test_nobody_signs_before_the_certification(opened: RecordState) -> None:
    with pytest.raises(StepOrderError, match="got step music, expected export"):
        signed(opened, "music")


def test_the_homeroom_teacher_waits_for_every_subject(opened: RecordState) -> None:
    state = signed(opened, "export", *PARALLEL[:-1])
    with pytest.raises(StepOrderError, match=f"got step homeroom, expected {PARALLEL[-1]}$"):
        signed(state, "homeroom")


def test_a_parallel_step_is_not_signed_twice(opened: RecordState) -> None:
    with pytest.raises(AlreadySignedError, match="step music is already signed"):
        signed(opened, "export", "music", "music")


@pytest.mark.parametrize("by", [PRINCIPAL, SEAL, Actor("x", Role.TEACHER, "NTRVN-0000000000")], ids=["principal", "seal", "other school"])
def test_a_subject_is_signed_by_a_teacher_of_the_school(opened: RecordState, by: Actor) -> None:
    state = signed(opened, "export")
    with pytest.raises(NotEntitledError, match="step music is signed by the school's teacher"):
        record_signature(state, "music", by=by, at=NOW, document_sha256="00" * 32)


def test_an_unfinished_record_says_for_whom_it_waits(opened: RecordState) -> None:
    with pytest.raises(TeachersNotFinishedError, match="still waits for literature or mathematics or english or civics"):
        lock(signed(opened, "export"), by=TEACHER, at=NOW)


def test_the_state_survives_its_json(opened: RecordState) -> None:
    state = signed(opened, "export", "music", "civics")
    again = state_from_json(state_json(state), revision=state.revision)
    assert again == state
    assert [step.id for step in again.open_steps] == [name for name in PARALLEL if name not in ("music", "civics")]
    assert again.school == SCHOOL
