"""Officers: an act is by a person with their PIN, wrong ones lock, and nobody makes a second person of themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.registration import registration_policy
from db.engine import Database, open_database, sqlite_url
from db.log import Log
from db.officers import Officers as OfficerBooks
from db.registration import Requests
from db.schema import upgrade
from pki.errors import WrongSecretError
from pki.keys.kdf import KeyDerivation
from pki.keys.pin import Pin
from pki.registration.approval import NotApprovedError, Order, OwnApprovalError, RequestExpiredError, RequestState, UnknownOfficerError
from pki.registration.policy import RequestKind
from records.errors import OfficerError, OfficerLockedError
from records.officers import Officers
from records.registration import Registration
from tests.support.authority import TestAuthority, make_authority
from tests.support.registration import OFFICER, PINS, QUICK, SECOND, THIRD, add_officers

ORDER = Order(RequestKind.SEAL, "school-seal", "seal/SM", b"d" * 32)


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return make_authority()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(sqlite_url(tmp_path / "eduseal.sqlite"))
    upgrade(opened)
    return opened


@pytest.fixture
def officers(database: Database, authority: TestAuthority) -> Officers:
    made = Officers(OfficerBooks(database), authority.keys, KeyDerivation(QUICK), authority.clock)
    add_officers(made)
    return made


@pytest.fixture
def registration(database: Database, officers: Officers, policy) -> Registration:
    return Registration(Requests(database), officers, policy, officers.clock)


@pytest.fixture(scope="module")
def policy():
    return registration_policy()


def test_an_officer_proves_themselves_by_their_own_pin(officers: Officers) -> None:
    assert officers.prove(OFFICER, PINS[OFFICER]).id == OFFICER
    with pytest.raises(WrongSecretError, match="the PIN is not that of officer RA-1; 4 of 5 tries left"):
        officers.prove(OFFICER, PINS[SECOND])


def test_five_wrong_pins_lock_an_officer_and_the_right_one_opens_nothing(officers: Officers, database: Database) -> None:
    for _ in range(4):
        with pytest.raises(WrongSecretError):
            officers.prove(OFFICER, "wrong")
    with pytest.raises(OfficerLockedError, match="locked after 5 wrong PINs"):
        officers.prove(OFFICER, "wrong")
    with pytest.raises(OfficerLockedError):
        officers.prove(OFFICER, PINS[OFFICER])
    entries = [entry for entry in Log(database).of_subject("officer/RA-1") if entry.kind == "officer.wrong_pin"]
    assert [entry.details["locked"] for entry in entries] == [False, False, False, False, True]


def test_a_right_pin_starts_the_count_anew(officers: Officers) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(WrongSecretError):
                officers.prove(OFFICER, "wrong")
        officers.prove(OFFICER, PINS[OFFICER])


def test_of_many_guesses_at_once_five_are_tried(officers: Officers) -> None:
    def guess(_: int) -> bool:
        try:
            officers.prove(OFFICER, "wrong")
        except WrongSecretError:
            return True
        except OfficerLockedError:
            return False
        raise AssertionError("a wrong PIN passed")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(24))) == 4  # the fifth hears that it locked


def test_right_pins_at_once_lock_nobody(officers: Officers) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: officers.prove(OFFICER, PINS[OFFICER]), range(24)))


def test_a_row_written_into_the_books_from_outside_opens_nothing(officers: Officers, database: Database) -> None:
    forged = replace(officers.store.get(OFFICER), id="RA-9", name="Nobody")
    officers.store.add(forged, vouched_by=(), reason="")
    with pytest.raises(WrongSecretError):
        officers.prove("RA-9", PINS[OFFICER])


def test_the_first_officers_come_with_a_reason(officers: Officers) -> None:
    officers.remove(SECOND, by=OFFICER, secret=PINS[OFFICER])
    with pytest.raises(OfficerError, match="0 officers vouch for RA-3, expected 2; where there are not so many, give the reason"):
        officers.add(THIRD, name="Vũ Minh Khôi", pin=Pin(PINS[THIRD]), vouchers={})


@pytest.mark.parametrize("vouchers", [{}, {OFFICER: PINS[OFFICER]}], ids=["nobody", "one"])
def test_no_reason_makes_a_second_person_of_oneself_while_two_are_in_office(officers: Officers, vouchers: dict[str, str]) -> None:
    with pytest.raises(
        OfficerError, match="expected 2 of the 2 in office; a reason stands in their place only where there are not so many"
    ):
        officers.add(THIRD, name="Me again", pin=Pin(PINS[THIRD]), vouchers=vouchers, reason="in a hurry")
    with pytest.raises(UnknownOfficerError):
        officers.store.get(THIRD)


def test_locked_officers_do_not_hold_up_the_authority(officers: Officers) -> None:
    for officer in (OFFICER, SECOND):
        for _ in range(5):
            with pytest.raises((WrongSecretError, OfficerLockedError)):
                officers.prove(officer, "wrong")
    officers.add(THIRD, name="Vũ Minh Khôi", pin=Pin(PINS[THIRD]), vouchers={}, reason="both are locked")
    officers.remove(OFFICER, by=THIRD, secret=PINS[THIRD])


def test_two_officers_vouch_for_a_third(officers: Officers, database: Database) -> None:
    officers.add(THIRD, name="Vũ Minh Khôi", pin=Pin(PINS[THIRD]), vouchers={OFFICER: PINS[OFFICER], SECOND: PINS[SECOND]})
    (entry,) = Log(database).of_subject("officer/RA-3")
    assert entry.details == {"vouched_by": ["RA-1", "RA-2"]}


def test_a_voucher_with_a_wrong_pin_brings_nobody_in(officers: Officers) -> None:
    with pytest.raises(WrongSecretError):
        officers.add(THIRD, name="Vũ Minh Khôi", pin=Pin(PINS[THIRD]), vouchers={OFFICER: PINS[OFFICER], SECOND: "wrong"})
    with pytest.raises(UnknownOfficerError):
        officers.store.get(THIRD)


def test_a_removed_officer_comes_back_with_a_new_pin(officers: Officers) -> None:
    officers.remove(SECOND, by=OFFICER, secret=PINS[OFFICER])
    with pytest.raises(UnknownOfficerError):
        officers.prove(SECOND, PINS[SECOND])
    officers.add(SECOND, name="Phạm Quốc Anh", pin=Pin("mèo vàng chín 9"), vouchers={}, reason="forgot their PIN")
    assert officers.prove(SECOND, "mèo vàng chín 9").removed_at is None


@pytest.mark.parametrize("officer", ["", "api-key/7", "RA 1", "x" * 65, "RA\n1"])
def test_an_officers_id_is_a_plain_word(officers: Officers, officer: str) -> None:
    with pytest.raises(OfficerError, match="officer's id: expected 1 to 64 printable characters without a space or slash"):
        officers.add(officer, name="X", pin=Pin("x"), vouchers={}, reason="first")


def test_who_asks_for_what_needs_a_second_person_proves_who_they_are(registration: Registration) -> None:
    with pytest.raises(WrongSecretError):
        registration.open(ORDER, by=OFFICER, secret=PINS[SECOND])
    with pytest.raises(WrongSecretError):
        registration.open(ORDER, by=OFFICER)
    with pytest.raises(UnknownOfficerError):
        registration.open(ORDER, by="SM-GV01", secret="x")
    assert registration.list() == ()


def test_nobody_approves_under_another_name(registration: Registration) -> None:
    request = registration.open(ORDER, by=OFFICER, secret=PINS[OFFICER])
    with pytest.raises(WrongSecretError):
        registration.approve(request.id, by=SECOND, secret=PINS[OFFICER])
    with pytest.raises(OwnApprovalError):
        registration.approve(request.id, by=OFFICER, secret=PINS[OFFICER])
    assert registration.get(request.id).state is RequestState.OPEN


def test_an_approval_after_expiry_is_refused(registration: Registration, authority: TestAuthority) -> None:
    request = registration.open(ORDER, by=OFFICER, secret=PINS[OFFICER])
    late = replace(registration, clock=lambda: authority.clock() + timedelta(days=8))
    with pytest.raises(RequestExpiredError):
        late.approve(request.id, by=SECOND, secret=PINS[SECOND])


def test_a_program_asks_under_a_name_that_no_officer_has(registration: Registration) -> None:
    request = registration.open_for_program(ORDER, key_id="7f")
    assert request.requested_by == "api-key/7f"
    assert registration.approve(request.id, by=SECOND, secret=PINS[SECOND]).state is RequestState.APPROVED


def test_without_a_proof_nothing_that_needs_one_is_issued(registration: Registration) -> None:
    with pytest.raises(NotApprovedError, match="seal/SM: a second person must approve this seal"):
        registration.require(ORDER, None)
