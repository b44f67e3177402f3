"""The gate before a PIN: what counts, what locks, and who unlocks."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.pin import ActivationCode, new_activation_code
from records.errors import NotEntitledError, PinLockedError
from records.key_ports import HolderKey
from records.person import Role
from records.pin_gate import MAX_WRONG, UNLOCK_LIFETIME, UNLOCK_TRIES, PinGate
from records.state import Actor
from tests.support.record_stores import MemoryPinAttempts

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEY = HolderKey("SM-GV04", "issuing", 7, b"certificate", b"wrapped", activated=True, created_at=NOW)
SCHOOL = "NTRVN-0109999001"
ADMINISTRATOR = Actor("SM-GV02", Role.ADMINISTRATOR, SCHOOL)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryPinAttempts:
    return MemoryPinAttempts()


@pytest.fixture
def gate(store: MemoryPinAttempts, clock: Clock) -> PinGate:
    return PinGate(store, clock)


def wrong(gate: PinGate, code: ActivationCode | None = None) -> str:
    """What a wrong PIN is answered with."""
    with pytest.raises((WrongSecretError, PinLockedError)) as caught, gate.unlocking(KEY, code) if code else gate.attempt(KEY):
        raise WrongSecretError("wrong")
    return str(caught.value)


def lock(gate: PinGate) -> None:
    for _ in range(MAX_WRONG):
        wrong(gate)


def grant(gate: PinGate, by: Actor = ADMINISTRATOR) -> ActivationCode:
    return gate.grant_unlock(KEY, school=SCHOOL, by=by)


def test_a_wrong_pin_is_told_how_many_tries_are_left(gate: PinGate) -> None:
    assert [wrong(gate) for _ in range(4)] == [f"wrong; {left} of 5 tries left" for left in (4, 3, 2, 1)]


def test_the_fifth_wrong_pin_locks_and_says_what_to_do(gate: PinGate) -> None:
    for _ in range(4):
        wrong(gate)
    assert wrong(gate).startswith("the key of SM-GV04 is locked after 5 wrong PINs; an administrator and its holder unlock it together")


def test_a_locked_key_tries_no_pin(gate: PinGate) -> None:
    lock(gate)
    tried = False
    with pytest.raises(PinLockedError), gate.attempt(KEY):
        tried = True
    assert not tried


def test_a_right_pin_clears_the_count(gate: PinGate, store: MemoryPinAttempts) -> None:
    for _ in range(4):
        wrong(gate)
    with gate.attempt(KEY):
        pass
    assert store.wrong_so_far(KEY) == 0


def test_an_attempt_counts_before_its_outcome_is_known(gate: PinGate, store: MemoryPinAttempts) -> None:
    with gate.attempt(KEY):
        assert store.wrong_so_far(KEY) == 1


def test_a_killed_attempt_stays_counted(gate: PinGate, store: MemoryPinAttempts) -> None:
    with pytest.raises(KeyboardInterrupt), gate.attempt(KEY):
        raise KeyboardInterrupt
    assert store.wrong_so_far(KEY) == 1


def test_a_fault_that_says_nothing_about_the_pin_is_not_counted(gate: PinGate, store: MemoryPinAttempts) -> None:
    with pytest.raises(KeyStoreError), gate.attempt(KEY):
        raise KeyStoreError("the token is not there")
    assert store.wrong_so_far(KEY) == 0


def test_many_right_pins_at_once_lock_nothing(gate: PinGate) -> None:
    passed = []

    def sign() -> None:
        with gate.attempt(KEY):
            passed.append(True)

    threads = [threading.Thread(target=sign) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 20


def test_code_and_right_pin_unlock(gate: PinGate, store: MemoryPinAttempts) -> None:
    lock(gate)
    with gate.unlocking(KEY, grant(gate)):
        pass
    assert (store.wrong_so_far(KEY), store.log[-2:]) == (0, [("unlock_granted", "SM-GV04"), ("unlocked", "SM-GV04")])


def test_the_administrators_part_alone_unlocks_nothing(gate: PinGate) -> None:
    lock(gate)
    grant(gate)
    with pytest.raises(PinLockedError), gate.attempt(KEY):
        pass


def test_a_code_lets_a_pin_be_tried_three_times(gate: PinGate) -> None:
    lock(gate)
    code = grant(gate)
    for _ in range(UNLOCK_TRIES):
        assert "is locked after 5 wrong PINs" in wrong(gate, code)
    assert wrong(gate, code).startswith("the unlock code does not unlock the key of SM-GV04, or ran out")


def test_a_code_is_good_once(gate: PinGate) -> None:
    lock(gate)
    code = grant(gate)
    with gate.unlocking(KEY, code):
        pass
    lock(gate)
    assert "or ran out" in wrong(gate, code)


def test_a_code_is_good_for_minutes(gate: PinGate, clock: Clock) -> None:
    lock(gate)
    code = grant(gate)
    clock.moment += UNLOCK_LIFETIME
    assert "or ran out" in wrong(gate, code)


def test_a_guessed_code_tries_no_pin(gate: PinGate, store: MemoryPinAttempts) -> None:
    lock(gate)
    grant(gate)
    assert "or ran out" in wrong(gate, new_activation_code())
    assert store.wrong_so_far(KEY) == MAX_WRONG


@pytest.mark.parametrize(
    "by",
    [
        replace(ADMINISTRATOR, id="SM-GV04"),
        replace(ADMINISTRATOR, role=Role.TEACHER),
        replace(ADMINISTRATOR, role=Role.PRINCIPAL),
        replace(ADMINISTRATOR, school="NTRVN-0100000001"),
    ],
)
def test_only_another_person_administrator_of_the_school_grants(gate: PinGate, by: Actor) -> None:
    lock(gate)
    with pytest.raises(NotEntitledError, match=f"{by.id} may not unlock the key of SM-GV04; expected another person, administrator of"):
        grant(gate, by)


def test_a_key_that_is_not_locked_is_not_unlocked(gate: PinGate) -> None:
    wrong(gate)
    with pytest.raises(PinLockedError, match="the key of SM-GV04 is not locked"):
        grant(gate)


def test_a_pause_ends_no_lock(gate: PinGate, clock: Clock) -> None:
    lock(gate)
    clock.moment += timedelta(days=365)
    with pytest.raises(PinLockedError), gate.attempt(KEY):
        pass
