"""`eduseal record sign, seal, export, write`: many records in one run, and their files."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.support.school_home import PIN


def sign(desk, *arguments: str, step: str = "homeroom", by: str = "SM-GV04", pin: str = PIN):
    return desk("record", "sign", "--step", step, "--by", by, *arguments, "--pin-file", "-", typed=f"{pin}\n")


def test_a_class_is_signed_and_what_was_signed_is_passed_over(desk):
    status, out, err = sign(desk, "--class", "9A")
    assert status == 0
    assert out == "already  R-1  version 1\nalready  R-2  version 1\nsigned   R-3  version 1\n1 signed, 2 before, 0 failed.\n"
    assert re.fullmatch(
        r"1 to sign: step homeroom, by SM-GV04\.\nAuthorisation [0-9a-f]{32}, until [0-9]{2}:[0-9]{2}:[0-9]{2} UTC\.\n", err
    )


def test_repeating_signs_nothing_and_asks_for_no_pin(desk):
    sign(desk, "--all")
    assert desk("record", "sign", "--step", "homeroom", "--by", "SM-GV04", "--all") == (
        0,
        "already  R-1  version 1\nalready  R-2  version 1\nalready  R-3  version 1\n0 signed, 3 before, 0 failed.\n",
        "",
    )


def test_an_error_stops_only_its_own_record(desk):
    status, out, _ = sign(desk, "R-2", "R-3", "R-9", step="principal", by="SM-GV01")
    assert status == 1
    assert out == (
        "failed   R-3  record R-3 version 1: got step principal, expected homeroom\n"
        "failed   R-9  record R-9 is not in the books\n"
        "signed   R-2  version 1\n"
        "1 signed, 0 before, 2 failed.\n"
    )


def test_all_means_what_waits(desk):
    status, out, _ = sign(desk, "--all", step="principal", by="SM-GV01")
    assert (status, out) == (0, "already  R-1  version 1\nsigned   R-2  version 1\n1 signed, 1 before, 0 failed.\n")


def test_a_class_that_is_not_ready_is_told(desk):
    status, out, _ = sign(desk, "--class", "9A", step="principal", by="SM-GV01")
    assert (status, "failed   R-3  record R-3 version 1: got step principal, expected homeroom\n" in out) == (1, True)


def test_a_wrong_pin_signs_nothing(desk):
    status, _, err = sign(desk, "R-3", pin="not the PIN at all")
    assert (status, err.splitlines()[1]) == (65, "eduseal: the PIN or activation code does not open this key; 4 of 5 tries left")
    assert desk("record", "list", "--step", "homeroom")[1].count("R-3") == 1


def test_somebody_of_another_role_signs_nothing(desk):
    status, out, _ = sign(desk, "R-3", by="SM-GV01")
    assert status == 1
    assert "failed   R-3  record R-3 version 1: step homeroom is signed by the school's teacher, got principal SM-GV01\n" in out


def test_without_a_pin_chosen_nobody_signs(desk):
    status, _, err = sign(desk, "R-3", by="SM-GV05")
    assert (status, err) == (65, "eduseal: SM-GV05 has not chosen a PIN yet; `eduseal activate SM-GV05` does, with the activation code\n")


def test_a_revoked_certificate_signs_nothing(desk):
    with desk.books() as books:
        (entry,) = books.certificates.of_holder("SM-GV04")
    desk("revoke", f"{entry.serial:x}", "--reason", "superseded", "--yes")
    status, _, err = sign(desk, "R-3")
    assert (status, err) == (65, "eduseal: the certificate of SM-GV04 is revoked; `eduseal enrol --again SM-GV04` issues another\n")


def test_a_certificate_of_another_role_signs_nothing(desk):
    teachers = Path("teachers.csv")
    teachers.write_text(
        "teacher_id,school_id,surname,given_name,sex,birth_date,role,homeroom,code_scheme,personal_code\n"
        "SM-GV04,SM,Đỗ,Hoàng Nam,male,1988-03-03,principal,,,037088551703\n",
        encoding="utf-8",
    )
    assert desk("roster", "import", "teachers.csv")[0] == 0
    status, _, err = sign(desk, "R-2", step="principal")
    assert status == 65
    assert err == (
        "eduseal: the certificate of SM-GV04 is a teacher's, step principal asks for a principal's; "
        "`eduseal enrol --again SM-GV04` issues another\n"
    )


@pytest.mark.parametrize("choice", [[], ["R-1", "--all"], ["--all", "--class", "9A"]])
def test_the_records_are_named_in_one_way(desk, choice):
    assert sign(desk, *choice) == (64, "", "eduseal: name the records: either by their ids, or --class NAME, or --all\n")


def test_records_are_sealed_when_their_people_have_signed(desk):
    sign(desk, "R-2", step="principal", by="SM-GV01")
    assert desk("record", "seal", "--school", "SM", "--class", "9A") == (
        1,
        "already  R-1  version 1\n"
        "failed   R-3  record R-3 version 1: got step seal, expected homeroom\n"
        "sealed   R-2  version 1\n"
        "1 sealed, 1 before, 1 failed.\n",
        "",
    )


def test_sealing_again_changes_nothing(desk):
    with desk.books() as books:
        before = books.records.load("R-1")
    assert desk("record", "seal", "--school", "SM", "R-1")[:2] == (0, "already  R-1  version 1\n0 sealed, 1 before, 0 failed.\n")
    with desk.books() as books:
        assert books.records.load("R-1") == before


def test_another_schools_seal_closes_nothing(desk):
    desk.agree("seal", "BL")
    desk("enrol", "--seal", "BL")
    sign(desk, "R-2", step="principal", by="SM-GV01")
    status, out, _ = desk("record", "seal", "--school", "BL", "R-2")
    assert (status, "step seal is signed by the school's school-seal, got school-seal seal/BL" in out) == (1, True)


def test_a_school_without_a_seal_is_told_how_to_get_one(desk):
    with desk.books() as books:
        (entry,) = books.certificates.of_holder("seal/SM")
    desk("revoke", f"{entry.serial:x}", "--reason", "superseded", "--yes")
    sign(desk, "R-2", step="principal", by="SM-GV01")
    status, _, err = desk("record", "seal", "--school", "SM", "R-2")
    assert (status, err) == (65, "eduseal: school SM has no seal in force; `eduseal request seal SM` asks for one\n")


def test_a_record_is_written_with_its_signatures(desk):
    assert desk("record", "write", "R-1", "--to", "one.pdf") == (0, "Written: one.pdf\n", "")
    with desk.books() as books:
        assert books.records.load("R-1").working.signed[-1].document_sha256 == _sha256("one.pdf")
    assert stat.S_IMODE(Path("one.pdf").stat().st_mode) == 0o600


def test_several_records_are_written_into_a_folder(desk):
    Path("out").mkdir()
    assert desk("record", "write", "R-1", "R-2", "--to", "out")[:2] == (0, "Written: out/R-1.v1.pdf\nWritten: out/R-2.v1.pdf\n")


def test_several_records_do_not_fit_into_one_file(desk):
    status, _, err = desk("record", "write", "R-1", "R-2", "--to", "out")
    assert (status, err) == (64, "eduseal: out is no folder; for 2 records make one, and name it with --to\n")


def test_the_export_is_what_the_signed_file_begins_with(desk):
    desk("record", "export", "R-1", "--to", "export.pdf")
    desk("record", "write", "R-1", "--to", "one.pdf")
    assert Path("one.pdf").read_bytes().startswith(Path("export.pdf").read_bytes())


def test_no_file_is_replaced_unasked(desk):
    Path("one.pdf").write_text("kept", encoding="utf-8")
    assert desk("record", "write", "R-1", "--to", "one.pdf") == (
        64,
        "",
        "eduseal: one.pdf stands already and was not touched; --force replaces it\n",
    )
    assert Path("one.pdf").read_text(encoding="utf-8") == "kept"
    assert desk("record", "write", "R-1", "--to", "one.pdf", "--force")[0] == 0


def test_a_folder_that_is_not_there_is_one_line(desk):
    status, _, err = desk("record", "write", "R-1", "--to", "none/one.pdf")
    assert (status, err) == (74, "eduseal: none/one.pdf cannot be written: No such file or directory; nothing was changed\n")


def test_a_version_that_is_not_there_is_refused(desk):
    status, _, err = desk("record", "write", "R-1", "--version", "2", "--to", "one.pdf")
    assert (status, err) == (65, "eduseal: record R-1 version 2 has no signed document\n")
    assert not Path("one.pdf").exists()


def _sha256(path: str) -> str:
    import hashlib

    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
