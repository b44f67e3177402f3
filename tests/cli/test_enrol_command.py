"""`eduseal enrol`: certificates, the sheet of activation codes, seals."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest

from cli._sheet import Sheet
from cli.main import UsageError
from config.bootstrap import utc_now
from pki.issuing.issue import IssuedCertificate
from pki.keys.pin import read_activation_code
from pki.ports import CertificateState
from records.enrolment import Enrolled, seal_holder


def rows(sheet: str) -> list[dict[str, str]]:
    with Path(sheet).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_everybody_who_waits_is_enrolled_and_stands_on_the_sheet(desk):
    desk.agree("people")
    assert desk("enrol", "--sheet", "codes.csv") == (
        0,
        "2 enrolled, 0 failed.\nActivation codes: codes.csv. It is the only copy: hand each line to its person, then destroy it.\n",
        "",
    )
    found = rows("codes.csv")
    assert [(row["holder"], row["name"], row["class"]) for row in found] == [
        ("SM-GV06", "Nguyễn Minh Mai", ""),
        ("SM-9A-03", "Nguyễn Thị Nhung", "9A"),
    ]
    assert all(read_activation_code(row["activation_code"]).text == row["activation_code"] for row in found)


def test_the_sheet_is_for_its_owner_alone(desk):
    desk.agree("people")
    desk("enrol", "--sheet", "codes.csv")
    assert stat.S_IMODE(Path("codes.csv").stat().st_mode) == 0o600


def test_codes_stand_nowhere_but_on_the_sheet(desk):
    desk.agree("people")
    _, out, err = desk("enrol", "--sheet", "codes.csv")
    assert not any(row["activation_code"] in out + err for row in rows("codes.csv"))


def test_a_sheet_is_never_overwritten(desk):
    Path("codes.csv").write_text("kept", encoding="utf-8")
    assert desk("enrol", "--sheet", "codes.csv") == (
        64,
        "",
        "eduseal: codes.csv stands already and may hold the only copy of codes; name another file\n",
    )
    assert Path("codes.csv").read_text(encoding="utf-8") == "kept"
    with desk.books() as books:
        assert books.holder_keys.of_holder("SM-GV06") == ()


def test_repeating_finds_nobody_and_makes_no_sheet(desk):
    desk.agree("people")
    desk("enrol", "--sheet", "codes.csv")
    assert desk("enrol", "--sheet", "more.csv") == (0, "Nobody waits for a certificate.\n", "")
    assert not Path("more.csv").exists()


@pytest.mark.parametrize(
    ("options", "holders"),
    [
        (["--role", "student"], ["SM-9A-03"]),
        (["--role", "teacher"], ["SM-GV06"]),
        (["--class", "9A"], ["SM-9A-03"]),
        (["--school", "SM"], ["SM-GV06", "SM-9A-03"]),
    ],
)
def test_a_part_is_enrolled_alone(desk, options, holders):
    if len(holders) > 1:
        desk.agree("people", *options)
    desk("enrol", "--sheet", "codes.csv", *options)
    assert [row["holder"] for row in rows("codes.csv")] == holders


def test_without_a_place_for_codes_nobody_is_enrolled(desk):
    assert desk("enrol") == (
        64,
        "",
        "eduseal: the activation codes need a place: name a new file with --sheet FILE (or a school with --seal SCHOOL)\n",
    )


def test_a_sheet_that_cannot_be_made_enrols_nobody(desk):
    status, _, err = desk("enrol", "--sheet", "missing/codes.csv")
    assert (status, err) == (74, "eduseal: missing/codes.csv cannot be made: No such file or directory\n")


def test_again_replaces_a_certificate_and_revokes_the_old(desk):
    assert desk("enrol", "--again", "SM-GV05", "--sheet", "codes.csv")[0] == 0
    with desk.books() as books:
        old, new = books.certificates.of_holder("SM-GV05")
        assert (old.state, old.revocation_reason, new.state) == (CertificateState.REVOKED, "superseded", CertificateState.ISSUED)
        assert f"{new.serial:x}" == rows("codes.csv")[0]["certificate"]


def test_again_refuses_who_is_blocked(desk):
    status, _, err = desk("enrol", "--again", "SM-9A-12", "--sheet", "codes.csv")
    assert (status, err) == (
        65,
        "eduseal: SM-9A-12 is not among those who may have a certificate; see `eduseal roster show` and `roster blocked`\n",
    )


def test_a_full_disk_leaves_no_half_line_and_says_whose_code_is_lost(desk):
    with desk.books() as books:
        who, school = books.roster.teachers(school_id="SM")[5], books.roster.school("SM")
    full = os.open("/dev/full", os.O_WRONLY)
    certificate = IssuedCertificate("issuing", 7, "teacher", who.id, b"", utc_now(), utc_now())
    enrolled = Enrolled(who.id, certificate, read_activation_code(desk.codes["SM-GV05"]))
    with pytest.raises(UsageError, match="after 0 people: No space left on device; the code of SM-GV06 is lost: make room, then"):
        Sheet("codes.csv", full).add(enrolled, who, school)
    os.close(full)


def test_many_at_once_wait_for_a_second_person_and_nobody_is_enrolled(desk):
    assert desk("enrol", "--sheet", "codes.csv") == (
        65,
        "",
        "eduseal: batch/2: a second person must approve this bulk first; ask with `eduseal request people --by OFFICER`\n",
    )
    assert not Path("codes.csv").exists()
    with desk.books() as books:
        assert books.holder_keys.of_holder("SM-GV06") == ()


def test_an_approval_of_many_is_for_those_alone(desk):
    desk.agree("people", "--school", "SM")
    desk("enrol", "--sheet", "one.csv", "--class", "9A")  # one pupil at the counter: what waits now is another batch, of one
    assert desk("enrol", "--sheet", "codes.csv", "--again", "SM-GV05", "--again", "SM-GV06")[0] == 65


def test_a_sheet_that_stands_already_uses_up_no_approval(desk):
    desk.agree("people")
    Path("codes.csv").write_text("kept", encoding="utf-8")
    assert desk("enrol", "--sheet", "codes.csv")[0] == 64
    assert desk("enrol", "--sheet", "more.csv")[0] == 0


def test_a_seal_waits_for_a_second_person(desk):
    assert desk("enrol", "--seal", "BL") == (
        65,
        "",
        "eduseal: seal/BL: a second person must approve this seal first; ask with `eduseal request seal BL --by OFFICER`\n",
    )


def test_a_seal_is_issued(desk):
    desk.agree("seal", "BL")
    status, out, err = desk("enrol", "--seal", "BL")
    with desk.books() as books:
        (entry,) = books.certificates.of_holder(seal_holder(books.roster.school("BL")))
    assert (status, err) == (0, "")
    assert out == f"BL has a seal until {entry.not_after:%Y-%m-%d}, certificate {entry.serial:x}; its key stays in the key store.\n"


def test_a_second_seal_is_issued_only_when_asked_for(desk):
    status, out, _ = desk("enrol", "--seal", "SM")
    assert (status, out.startswith("SM has a seal in force until "), out.endswith("; --renew adds another.\n")) == (0, True, True)
    assert desk("enrol", "--seal", "SM", "--renew")[0] == 65
    desk.agree("seal", "SM", "--renew")
    desk("enrol", "--seal", "SM", "--renew")
    with desk.books() as books:
        assert len(books.certificates.of_holder("seal/SM")) == 2


def test_a_seal_of_an_unknown_school_is_refused(desk):
    assert desk("enrol", "--seal", "XX") == (65, "", "eduseal: school XX is not in the roster\n")


def test_seals_and_people_are_runs_of_their_own(desk):
    status, _, err = desk("enrol", "--seal", "SM", "--sheet", "codes.csv")
    assert (status, err) == (64, "eduseal: --seal issues seals alone; enrol people in a run of their own\n")
