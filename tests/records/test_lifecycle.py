"""Moves of the life cycle up to completion, supersession and withdrawal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from records.errors import (
    AlreadyLockedError,
    AlreadySignedError,
    AlreadyWithdrawnError,
    NoReasonError,
    NotCompleteError,
    NotEntitledError,
    NothingRevisedError,
    StepOrderError,
    TeachersNotFinishedError,
)
from records.ledger import Event
from records.lifecycle import confirm_unlock, edit, lock, open_record, record_signature, request_unlock, revise, supersede, withdraw
from records.record import PreviousVersion
from records.state import Phase
from signing.verdict import RecordStatus
from signing.workflow import Step, Workflow
from tests.support.record_cases import (
    NOW,
    OTHER_REGISTRAR,
    PRINCIPAL,
    PUPIL,
    REGISTRAR,
    SEAL,
    STRANGER,
    TEACHER,
    make_content,
    make_record,
    signed_to,
)

SHA = "11" * 32


def test_a_record_opens_with_version_one(workflow):
    state, entry = open_record(make_record(), workflow, by=TEACHER, at=NOW)
    assert (state.phase, state.working.number, state.revision) == (Phase.OPEN, 1, 0)
    assert (entry.event, entry.actor, entry.at) == (Event.OPENED, "SM-GV04", NOW)


def test_a_record_does_not_open_with_a_later_version(workflow):
    record = replace(make_record(), version=2, previous=PreviousVersion(1, SHA))
    with pytest.raises(StepOrderError, match="opens with version 1, got 2"):
        open_record(record, workflow, by=TEACHER, at=NOW)


def test_a_teacher_of_another_school_opens_nothing(workflow):
    with pytest.raises(NotEntitledError, match="BL-GV02 may not open it; expected teacher or administrator of NTRVN-0109999001"):
        open_record(make_record(), workflow, by=STRANGER, at=NOW)


def test_an_edit_before_any_signature_keeps_the_version_and_logs_each_field(opened):
    state, entry = edit(opened, make_content(maths="9.5"), by=TEACHER, at=NOW)
    assert state.working.number == 1
    assert [change.as_dict() for change in entry.changes] == [{"path": "years[2025-2026].marks[Toán].hk1", "old": "8.5", "new": "9.5"}]


def test_an_edit_that_changes_nothing_is_refused(opened):
    with pytest.raises(NothingRevisedError, match="the new contents differ in no field"):
        edit(opened, make_content(), by=TEACHER, at=NOW)


def test_a_pupil_edits_nothing(opened):
    with pytest.raises(NotEntitledError, match="student SM-9A-01 may not edit it"):
        edit(opened, make_content(maths="10.0"), by=PUPIL, at=NOW)


def test_a_locked_record_is_not_edited(locked):
    with pytest.raises(AlreadyLockedError, match="is locked; ask for an unlock to revise it"):
        edit(locked, make_content(maths="9.5"), by=TEACHER, at=NOW)


def test_the_last_teachers_signature_locks_the_record_by_itself(opened):
    state, entries = record_signature(opened, "homeroom", by=TEACHER, at=NOW, document_sha256=SHA)
    assert state.phase is Phase.LOCKED
    assert [entry.event for entry in entries] == [Event.SIGNED, Event.LOCKED]
    assert entries[0].details == (("document_sha256", SHA), ("step", "homeroom"))


@pytest.fixture
def two_teachers():
    steps = (Step("maths", "teacher", "F1"), Step("homeroom", "teacher", "F2"), Step("seal", "school-seal", "F3", seal=True))
    workflow = Workflow("two-teachers/1", steps)
    return open_record(make_record(), workflow, by=TEACHER, at=NOW)[0]


def test_the_first_of_two_teachers_does_not_lock(two_teachers):
    state, entries = record_signature(two_teachers, "maths", by=TEACHER, at=NOW, document_sha256=SHA)
    assert state.phase is Phase.OPEN
    assert [entry.event for entry in entries] == [Event.SIGNED]


def test_contents_are_fixed_from_the_first_signature_on(two_teachers):
    state, _ = record_signature(two_teachers, "maths", by=TEACHER, at=NOW, document_sha256=SHA)
    with pytest.raises(AlreadySignedError, match="carries signatures; ask for an unlock"):
        edit(state, make_content(maths="9.5"), by=TEACHER, at=NOW)


def test_locking_waits_for_every_teacher(two_teachers):
    state, _ = record_signature(two_teachers, "maths", by=TEACHER, at=NOW, document_sha256=SHA)
    with pytest.raises(TeachersNotFinishedError, match="still waits for homeroom"):
        lock(state, by=TEACHER, at=NOW)


def test_a_locked_record_is_not_locked_again(locked):
    with pytest.raises(AlreadyLockedError, match="is already locked"):
        lock(locked, by=TEACHER, at=NOW)


def test_a_step_out_of_order_is_refused(opened):
    with pytest.raises(StepOrderError, match="got step seal, expected homeroom"):
        record_signature(opened, "seal", by=SEAL, at=NOW, document_sha256=SHA)


def test_an_unknown_step_is_refused(opened):
    with pytest.raises(StepOrderError, match="got step parent, expected homeroom"):
        record_signature(opened, "parent", by=TEACHER, at=NOW, document_sha256=SHA)


def test_a_step_is_signed_once(locked):
    with pytest.raises(AlreadySignedError, match="step homeroom is already signed"):
        record_signature(locked, "homeroom", by=TEACHER, at=NOW, document_sha256=SHA)


def test_a_complete_version_takes_no_further_step(complete):
    with pytest.raises(StepOrderError, match="got step parent, expected none"):
        record_signature(complete, "parent", by=TEACHER, at=NOW, document_sha256=SHA)


@pytest.mark.parametrize("by", [PUPIL, PRINCIPAL, STRANGER], ids=lambda actor: actor.id)
def test_a_step_is_signed_by_its_own_role_only(opened, by):
    with pytest.raises(NotEntitledError, match="step homeroom is signed by the school's teacher"):
        record_signature(opened, "homeroom", by=by, at=NOW, document_sha256=SHA)


def test_the_seal_of_another_school_is_refused(opened):
    state = signed_to(opened, "principal")
    with pytest.raises(NotEntitledError, match="step seal"):
        record_signature(state, "seal", by=replace(SEAL, school="NTRVN-0109999002"), at=NOW, document_sha256=SHA)


def test_the_closing_seal_makes_the_version_current(opened):
    state = signed_to(opened, "seal")
    assert state.complete
    assert state.status_of(1) is RecordStatus.CURRENT


def test_a_version_without_its_seal_has_no_status(opened):
    assert signed_to(opened, "principal").status_of(1) is None


def _revised(state):
    state, _ = request_unlock(state, by=TEACHER, reason="Nhập nhầm điểm", at=NOW)
    state, _ = confirm_unlock(state, by=REGISTRAR, at=NOW)
    return revise(state, make_content(maths="9.5"), by=TEACHER, at=NOW)


def test_the_old_version_stays_current_until_the_new_one_is_complete(complete):
    state, _ = _revised(complete)
    state = signed_to(state, "principal")
    assert (state.status_of(1), state.status_of(2)) == (RecordStatus.CURRENT, None)


def test_the_new_versions_seal_supersedes_the_old_version(complete):
    state = signed_to(_revised(complete)[0], "principal")
    state, entries = record_signature(state, "seal", by=SEAL, at=NOW, document_sha256=SHA)
    assert (state.status_of(1), state.status_of(2)) == (RecordStatus.SUPERSEDED, RecordStatus.CURRENT)
    assert [(entry.event, entry.version) for entry in entries] == [(Event.SIGNED, 2), (Event.SUPERSEDED, 1)]
    assert entries[1].details == (("superseded_by", "2"),)


def test_a_version_that_was_never_completed_is_superseded_too(locked):
    state = signed_to(_revised(locked)[0], "seal")
    assert (state.status_of(1), state.status_of(2)) == (RecordStatus.SUPERSEDED, RecordStatus.CURRENT)


def test_an_incomplete_version_supersedes_nothing(complete):
    state, _ = _revised(complete)
    with pytest.raises(NotCompleteError, match="version 2 still waits for homeroom"):
        supersede(state, by=SEAL, at=NOW)


def test_a_first_version_supersedes_nothing(complete):
    with pytest.raises(NotCompleteError, match="no earlier version left to supersede"):
        supersede(complete, by=SEAL, at=NOW)


def test_withdrawing_marks_the_current_version_and_ends_the_record(complete):
    state, entry = withdraw(complete, by=PRINCIPAL, reason="Cấp nhầm", at=NOW)
    assert (state.phase, state.status_of(1), state.current) == (Phase.WITHDRAWN, RecordStatus.WITHDRAWN, None)
    assert (entry.event, entry.version, entry.details) == (Event.WITHDRAWN, 1, (("reason", "Cấp nhầm"),))


def test_withdrawing_during_a_revision_marks_the_version_outsiders_hold(complete):
    state, entry = withdraw(_revised(complete)[0], by=REGISTRAR, reason="Cấp nhầm", at=NOW)
    assert (state.status_of(1), state.status_of(2), entry.version) == (RecordStatus.WITHDRAWN, None, 1)


def test_a_record_without_a_complete_version_is_not_withdrawn(locked):
    with pytest.raises(NotCompleteError, match="no complete version to withdraw"):
        withdraw(locked, by=PRINCIPAL, reason="Cấp nhầm", at=NOW)


def test_a_teacher_does_not_withdraw(complete):
    with pytest.raises(NotEntitledError, match="may not withdraw it; expected administrator or principal"):
        withdraw(complete, by=TEACHER, reason="Cấp nhầm", at=NOW)


def test_withdrawing_needs_a_reason(complete):
    with pytest.raises(NoReasonError, match="expected a reason of 1 to 500 characters, got 0"):
        withdraw(complete, by=PRINCIPAL, reason="  ", at=NOW)


@pytest.mark.parametrize(
    "move",
    [
        lambda s: edit(s, make_content(maths="9.5"), by=TEACHER, at=NOW),
        lambda s: lock(s, by=TEACHER, at=NOW),
        lambda s: record_signature(s, "homeroom", by=TEACHER, at=NOW, document_sha256=SHA),
        lambda s: request_unlock(s, by=TEACHER, reason="x", at=NOW),
        lambda s: confirm_unlock(s, by=OTHER_REGISTRAR, at=NOW),
        lambda s: revise(s, make_content(maths="9.5"), by=TEACHER, at=NOW),
        lambda s: supersede(s, by=SEAL, at=NOW),
        lambda s: withdraw(s, by=PRINCIPAL, reason="x", at=NOW),
    ],
    ids=["edit", "lock", "sign", "request", "confirm", "revise", "supersede", "withdraw"],
)
def test_nothing_moves_a_withdrawn_record(complete, move):
    state, _ = withdraw(complete, by=PRINCIPAL, reason="Cấp nhầm", at=NOW)
    with pytest.raises(AlreadyWithdrawnError, match="has been withdrawn"):
        move(state)
