"""Asking for, deciding on and using an unlock."""

from __future__ import annotations

import pytest

from records.canonical import record_sha256
from records.errors import (
    NoReasonError,
    NotEntitledError,
    NothingRevisedError,
    NotLockedError,
    NotUnlockedError,
    NoUnlockRequestError,
    OwnRequestError,
    UnlockPendingError,
)
from records.ledger import Event
from records.lifecycle import confirm_unlock, record_signature, refuse_unlock, relock, request_unlock, revise
from records.record import PreviousVersion
from records.state import Actor, Phase
from tests.support.record_cases import NOW, OTHER_REGISTRAR, PRINCIPAL, PUPIL, REGISTRAR, SCHOOL, STRANGER, TEACHER, make_content


@pytest.fixture
def requested(locked):
    return request_unlock(locked, by=TEACHER, reason="Nhập nhầm điểm Toán", at=NOW)[0]


@pytest.fixture
def unlocked(requested):
    return confirm_unlock(requested, by=REGISTRAR, at=NOW)[0]


def test_an_open_record_needs_no_unlock(opened):
    with pytest.raises(NotLockedError, match="is open: edit it"):
        request_unlock(opened, by=TEACHER, reason="x", at=NOW)


def test_a_request_keeps_who_asked_and_why(locked):
    state, entry = request_unlock(locked, by=TEACHER, reason=" Nhập nhầm ", at=NOW)
    assert (state.phase, state.unlock.by, state.unlock.reason) == (Phase.UNLOCK_REQUESTED, "SM-GV04", "Nhập nhầm")
    assert (entry.event, entry.details) == (Event.UNLOCK_REQUESTED, (("reason", "Nhập nhầm"),))


def test_a_request_needs_a_reason(locked):
    with pytest.raises(NoReasonError, match="expected a reason"):
        request_unlock(locked, by=TEACHER, reason="", at=NOW)


def test_a_pupil_does_not_ask_for_an_unlock(locked):
    with pytest.raises(NotEntitledError, match="student SM-9A-01 may not ask for an unlock"):
        request_unlock(locked, by=PUPIL, reason="x", at=NOW)


def test_a_second_request_waits_for_the_first(requested):
    with pytest.raises(UnlockPendingError, match="is already unlock-requested"):
        request_unlock(requested, by=PRINCIPAL, reason="x", at=NOW)


def test_signing_pauses_while_a_request_waits(requested):
    with pytest.raises(UnlockPendingError, match="not signed until that is settled"):
        record_signature(requested, "principal", by=PRINCIPAL, at=NOW, document_sha256="00" * 32)


def test_signing_pauses_while_a_record_is_unlocked(unlocked):
    with pytest.raises(UnlockPendingError, match="is unlocked"):
        record_signature(unlocked, "principal", by=PRINCIPAL, at=NOW, document_sha256="00" * 32)


@pytest.mark.parametrize("by", [REGISTRAR, PRINCIPAL], ids=lambda actor: actor.id)
def test_a_school_administrator_confirms(requested, by):
    state, entry = confirm_unlock(requested, by=by, at=NOW)
    assert state.phase is Phase.UNLOCKED
    assert (entry.event, entry.actor, entry.details) == (Event.UNLOCKED, by.id, (("requested_by", "SM-GV04"),))


@pytest.mark.parametrize(
    "decide", [confirm_unlock, lambda s, by, at: refuse_unlock(s, by=by, reason="x", at=at)], ids=["confirm", "refuse"]
)
def test_nobody_decides_on_their_own_request(locked, decide):
    state, _ = request_unlock(locked, by=REGISTRAR, reason="x", at=NOW)
    with pytest.raises(OwnRequestError, match="SM-GV02 asked for the unlock and may not decide on it"):
        decide(state, by=REGISTRAR, at=NOW)


def test_acting_in_another_role_does_not_make_a_request_somebody_elses(requested):
    with pytest.raises(OwnRequestError):
        confirm_unlock(requested, by=Actor(TEACHER.id, PRINCIPAL.role, SCHOOL), at=NOW)


@pytest.mark.parametrize("by", [TEACHER, PUPIL, STRANGER], ids=lambda actor: actor.id)
def test_only_the_schools_own_administrators_decide(requested, by):
    with pytest.raises(NotEntitledError, match="may not decide on an unlock"):
        confirm_unlock(requested, by=by, at=NOW)


def test_there_is_nothing_to_confirm_without_a_request(locked):
    with pytest.raises(NoUnlockRequestError, match="is locked; there is no unlock request"):
        confirm_unlock(locked, by=REGISTRAR, at=NOW)


def test_a_confirmed_request_is_not_confirmed_again(unlocked):
    with pytest.raises(NoUnlockRequestError, match="is unlocked"):
        confirm_unlock(unlocked, by=OTHER_REGISTRAR, at=NOW)


def test_a_refusal_locks_again_and_says_why(requested):
    state, entry = refuse_unlock(requested, by=REGISTRAR, reason="Điểm đúng", at=NOW)
    assert (state.phase, state.unlock) == (Phase.LOCKED, None)
    assert entry.details == (("reason", "Điểm đúng"), ("requested_by", "SM-GV04"))


def test_a_locked_record_is_not_revised(locked):
    with pytest.raises(NotUnlockedError, match="is locked; a revision needs a confirmed unlock"):
        revise(locked, make_content(maths="9.5"), by=TEACHER, at=NOW)


def test_a_request_alone_allows_no_revision(requested):
    with pytest.raises(NotUnlockedError, match="is unlock-requested"):
        revise(requested, make_content(maths="9.5"), by=TEACHER, at=NOW)


def test_a_revision_is_a_new_version_linked_to_the_old(unlocked):
    old = unlocked.working.record
    state, _ = revise(unlocked, make_content(maths="9.5"), by=TEACHER, at=NOW)
    assert (state.working.number, state.phase, state.working.signed) == (2, Phase.OPEN, ())
    assert state.working.record.previous == PreviousVersion(1, record_sha256(old, state.workflow))


def test_a_revision_logs_who_changed_what_and_when(unlocked):
    _, entry = revise(unlocked, make_content(maths="9.5", remark="Em tiến bộ."), by=TEACHER, at=NOW)
    assert (entry.event, entry.actor, entry.at, entry.version) == (Event.REVISED, "SM-GV04", NOW, 2)
    assert [(change.path, change.old, change.new) for change in entry.changes] == [
        ("years[2025-2026].marks[Toán].hk1", "8.5", "9.5"),
        ("years[2025-2026].remark", "Em chăm ngoan.", "Em tiến bộ."),
    ]


def test_a_revision_changes_something(unlocked):
    with pytest.raises(NothingRevisedError, match="differ in no field"):
        revise(unlocked, make_content(), by=TEACHER, at=NOW)


def test_one_unlock_allows_one_revision(unlocked):
    state, _ = revise(unlocked, make_content(maths="9.5"), by=TEACHER, at=NOW)
    with pytest.raises(NotUnlockedError, match="version 2 is open"):
        revise(state, make_content(maths="10.0"), by=TEACHER, at=NOW)


def test_an_unlock_without_a_revision_ends_by_locking_again(unlocked):
    state, entry = relock(unlocked, by=REGISTRAR, at=NOW)
    assert (state.phase, state.unlock, state.working.number, entry.event) == (Phase.LOCKED, None, 1, Event.LOCKED)


def test_only_an_unlocked_record_is_locked_again(locked):
    with pytest.raises(NotUnlockedError, match="there is no unlock to end"):
        relock(locked, by=REGISTRAR, at=NOW)
