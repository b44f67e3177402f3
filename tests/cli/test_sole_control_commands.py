"""`eduseal unlock-pin`, `reset-pin`, `record sign --resume`, `record authorisations`: what takes two people, or the signer alone."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest

from config.bootstrap import open_house, utc_now
from config.settings import Settings
from records.pin_gate import MAX_WRONG
from records.state import Actor
from tests.support.school_home import PASSPHRASE, PIN, SIGNERS

WRONG = "bốn con vịt xòe"
LOCKED = (
    "eduseal: the key of SM-GV04 is locked after 5 wrong PINs; an administrator and its holder unlock it together: "
    "`eduseal unlock-pin SM-GV04`. Where the PIN is forgotten: `eduseal reset-pin SM-GV04`\n"
)


@pytest.fixture
def locked(desk):
    """The desk after five wrong PINs of SM-GV04."""
    with desk.books() as books:
        key = books.holder_keys.get("SM-GV04")
        assert all(books.pin_attempts.begin(key, most=MAX_WRONG, at=utc_now()) for _ in range(MAX_WRONG))
    return desk


def change_pin(desk, pin: str):
    return desk("change-pin", "SM-GV04", "--old-pin-file", "-", "--pin-file", "-", typed=f"{pin}\n{WRONG}\n")


def unlock(desk, code: str, pin: str = PIN):
    return desk("unlock-pin", "SM-GV04", "--code-file", "-", "--pin-file", "-", typed=f"{code}\n{pin}\n")


def kinds(desk, subject: str) -> list[str]:
    with desk.books() as books:
        return [entry.kind for entry in books.log.of_subject(subject)]


def authorise(desk, *ids: str, by: Actor = SIGNERS["homeroom"], step: str = "homeroom", **lifetime: float) -> str:
    """As a run that was killed before its first signature leaves it."""
    house = open_house(Settings.from_environment({}, home=desk.home), clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
    try:
        found = house.services.records.authorise(ids, step=step, by=by, lifetime=timedelta(**lifetime or {"minutes": 5}))
    finally:
        house.close()
    return found.id


def resume(desk, authorisation: str, *arguments: str, by: str = "SM-GV04", pin: str = PIN):
    return desk("record", "sign", "--resume", authorisation, "--by", by, *arguments, "--pin-file", "-", typed=f"{pin}\n")


def test_five_wrong_pins_lock_a_key_for_every_command(desk):
    assert [change_pin(desk, WRONG)[2] == LOCKED for _ in range(5)] == [False] * 4 + [True]
    assert kinds(desk, "holder/SM-GV04") == ["pin.wrong"] * 5
    status, _, err = desk("record", "sign", "--step", "homeroom", "--by", "SM-GV04", "--all", "--pin-file", "-", typed=f"{PIN}\n")
    assert (status, err.splitlines(keepends=True)[-1]) == (65, LOCKED)


def test_a_locked_key_does_not_open_with_the_right_pin(locked):
    assert change_pin(locked, PIN) == (65, "", LOCKED)


def test_administrator_and_signer_unlock_it_together(locked):
    status, code, err = locked("unlock-pin", "SM-GV04", "--by", "SM-GV02")
    assert status == 0
    assert re.fullmatch(r"([0-9A-Z]{5}-){3}[0-9A-Z]{5}\n", code)
    assert err == ("Tell it to SM-GV04 alone, in person. For 15 minutes it lets them try their PIN 3 times: eduseal unlock-pin SM-GV04\n")
    assert change_pin(locked, PIN) == (65, "", LOCKED)
    assert unlock(locked, code.strip()) == (0, "The key of SM-GV04 is unlocked.\n", "")
    assert change_pin(locked, PIN)[0] == 0
    assert kinds(locked, "holder/SM-GV04") == ["pin.unlock_granted", "pin.unlocked"]


def test_the_code_with_a_wrong_pin_unlocks_nothing(locked):
    _, code, _ = locked("unlock-pin", "SM-GV04", "--by", "SM-GV02")
    assert unlock(locked, code.strip(), WRONG) == (65, "", LOCKED)


def test_a_mistyped_unlock_code_is_told_as_such(locked):
    assert unlock(locked, "ABC") == (65, "", "eduseal: unlock code: expected 20 letters and digits in groups of 5, as printed\n")


@pytest.mark.parametrize(("by", "role"), [("SM-GV01", "principal"), ("SM-GV05", "teacher"), ("BL-GV02", "administrator")])
def test_nobody_but_the_schools_administrator_grants_an_unlock(locked, by, role):
    assert locked("unlock-pin", "SM-GV04", "--by", by) == (
        65,
        "",
        f"eduseal: {role} {by} may not unlock the key of SM-GV04; expected another person, administrator of NTRVN-0109999001\n",
    )


def test_a_key_that_is_not_locked_needs_no_unlock(desk):
    assert desk("unlock-pin", "SM-GV04", "--by", "SM-GV02") == (65, "", "eduseal: the key of SM-GV04 is not locked; its PIN opens it\n")


def test_both_parts_in_one_command_are_refused(desk):
    status, _, err = desk("unlock-pin", "SM-GV04", "--by", "SM-GV02", "--code-file", "-")
    assert (status, "they come one after the other" in err) == (64, True)


def test_a_reset_gives_a_new_key_and_revokes_the_old_certificate(locked):
    with locked.books() as books:
        (old,) = books.certificates.of_holder("SM-GV04")
    status, out, err = locked("reset-pin", "SM-GV04", "--by", "SM-GV02", "--sheet", "sheet.csv")
    assert (status, out.splitlines()[0], err) == (0, "1 enrolled, 0 failed.", "")
    with locked.books() as books:
        entries = {entry.serial: entry for entry in books.certificates.of_holder("SM-GV04")}
    assert (entries.pop(old.serial).revocation_reason, [entry.state for entry in entries.values()]) == ("superseded", ["issued"])
    (row,) = csv.DictReader(Path("sheet.csv").read_text(encoding="utf-8-sig").splitlines())
    typed = f"{row['activation_code']}\n{WRONG}\n"
    assert locked("activate", "SM-GV04", "--code-file", "-", "--pin-file", "-", typed=typed)[0] == 0
    signing = ("record", "sign", "--step", "homeroom", "--by", "SM-GV04", "--all", "--pin-file", "-")
    assert locked(*signing, typed=f"{WRONG}\n")[0] == 0
    assert kinds(locked, "holder/SM-GV04")[-1] == "pin.reset"


def test_only_the_schools_administrator_resets(desk):
    assert desk("reset-pin", "SM-GV04", "--by", "SM-GV05", "--sheet", "sheet.csv") == (
        65,
        "",
        "eduseal: teacher SM-GV05 may not reset the PIN of SM-GV04; expected another person, administrator of NTRVN-0109999001\n",
    )
    assert not Path("sheet.csv").exists()


def test_an_interrupted_run_is_finished_under_its_authorisation(desk):
    authorisation = authorise(desk, "R-3")
    status, out, _ = desk("record", "authorisations")
    assert (status, out.splitlines()[1].split()[:6]) == (0, [authorisation, "SM-GV04", "homeroom", "1", "of", "1"])
    assert resume(desk, authorisation) == (
        0,
        "signed   R-3  version 1\n1 signed, 0 before, 0 failed.\n",
        "1 of 1 to sign: step homeroom, by SM-GV04.\n",
    )
    assert desk("record", "authorisations")[1] == "AUTHORISATION  HOLDER  STEP  LEFT  UNTIL\n"
    assert kinds(desk, f"authorisation/{authorisation}") == ["authorisation.granted", "authorisation.used"]


def test_a_finished_authorisation_is_refused_and_logged(desk):
    authorisation = authorise(desk, "R-3")
    resume(desk, authorisation)
    status, out, err = resume(desk, authorisation)
    assert (status, out, err) == (65, "", f"eduseal: authorisation {authorisation}: each of its 1 items is used already\n")
    assert kinds(desk, f"authorisation/{authorisation}")[-1] == "authorisation.refused"


def test_a_late_authorisation_is_refused_and_logged(desk):
    authorisation = authorise(desk, "R-3", microseconds=1)
    status, _, err = resume(desk, authorisation)
    assert (status, f"authorisation {authorisation} is not in force: it ran until" in err) == (65, True)
    assert kinds(desk, f"authorisation/{authorisation}")[-1] == "authorisation.refused"


def test_another_persons_authorisation_is_refused_and_logged(desk):
    authorisation = authorise(desk, "R-3")
    status, _, err = resume(desk, authorisation, by="SM-GV01")
    assert (status, err) == (65, f"eduseal: authorisation {authorisation} was granted by SM-GV04, got SM-GV01\n")
    assert kinds(desk, f"authorisation/{authorisation}")[-1] == "authorisation.refused"


def test_another_document_is_refused_and_logged(desk):
    authorisation = authorise(desk, "R-3")
    status, out, _ = resume(desk, authorisation, "R-2")
    assert (status, out.splitlines()[0]) == (1, "failed   R-2  step homeroom of record R-2 version 1 was not authorised")
    assert kinds(desk, f"authorisation/{authorisation}")[-1] == "authorisation.refused"


def test_another_step_is_refused_and_logged(desk):
    authorisation = authorise(desk, "R-2", step="principal", by=SIGNERS["principal"])
    status, out, _ = resume(desk, authorisation, "R-3", "--step", "principal", by="SM-GV01")
    assert (status, out.splitlines()[0]) == (1, "failed   R-3  step principal of record R-3 version 1 was not authorised")
    assert kinds(desk, f"authorisation/{authorisation}")[-1] == "authorisation.refused"


def test_resuming_asks_for_the_pin(desk):
    authorisation = authorise(desk, "R-3")
    status, _, err = resume(desk, authorisation, pin=WRONG)
    assert (status, err.splitlines()[-1]) == (65, "eduseal: the PIN or activation code does not open this key; 4 of 5 tries left")


def test_signing_needs_a_step_or_an_authorisation(desk):
    status, _, err = desk("record", "sign", "--by", "SM-GV04", "--all")
    assert (status, err) == (64, "eduseal: name the step that is signed: --step STEP (or go on with --resume AUTHORISATION)\n")
