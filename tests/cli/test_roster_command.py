"""`eduseal roster`: import, show, blocked."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cli._roster_files import waiting
from records.roster import RosterFile
from tests.support.school_home import roster_files


@pytest.fixture
def files(desk) -> list[str]:
    for name, data in roster_files().items():
        Path(name).write_bytes(data)
    return list(roster_files())


def test_import_counts_accepted_blocked_and_broken(desk, files):
    assert desk("roster", "import", *files) == (
        0,
        "Schools        3 accepted\n"
        "Staff          7 accepted      0 blocked\n"
        "Pupils         3 accepted      2 blocked\n"
        "Broken         0 rows\n"
        "  blocked      1 MALFORMED_CODE\n"
        "  blocked      1 MISSING_CODE\n"
        "`eduseal roster blocked` lists them with what to put right.\n"
        "Roster         0 new           0 changed     12 as before\n",
        "",
    )


def test_an_import_tells_what_it_changed(desk, files):
    students = Path("students.csv").read_text(encoding="utf-8")
    Path("students.csv").write_text(students.replace("SM-9A-01,SM,9A", "SM-9A-01,SM,9B"), encoding="utf-8")
    out = desk("roster", "import", "students.csv")[1]
    Path("students.csv").write_text(students, encoding="utf-8")
    back = desk("roster", "import", "students.csv")[1]
    line = "Roster         0 new           1 changed      4 as before"
    assert (out.splitlines()[-1], back.splitlines()[-1]) == (line, line)


def test_one_file_is_imported_by_itself(desk, files):
    status, out, _ = desk("roster", "import", "students.csv")
    assert (status, "Pupils         3 accepted      2 blocked" in out) == (0, True)


def test_a_broken_row_imports_nothing_and_says_where(desk, files):
    Path("teachers.csv").write_bytes(Path("teachers.csv").read_bytes().replace(b"SM-GV06,SM", b"SM-GV99,XX"))
    status, out, err = desk("roster", "import", *files)
    assert (status, "Broken         1 row\n" in out) == (65, True)
    assert err == (
        "teachers.csv row 7, column school_id: names no school that is known; add the school to the schools file, or correct the cell\n"
        "eduseal: nothing was imported; mend the rows, or leave them out with --without-broken-rows\n"
    )
    assert "SM-GV99" not in desk("roster", "show", "--school", "SM")[1]


def test_sound_rows_go_through_when_asked_for(desk, files):
    teachers = Path("teachers.csv").read_text(encoding="utf-8")
    Path("teachers.csv").write_text(teachers.replace("SM-GV05,SM", "SM-GV55,XX").replace("SM-GV06,", "SM-GV66,"), encoding="utf-8")
    status, _, err = desk("roster", "import", *files, "--without-broken-rows")
    assert (status, err.count("\n")) == (0, 1)


def test_a_file_that_is_no_roster_file_is_refused(desk):
    Path("notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert desk("roster", "import", "notes.csv") == (
        65,
        "",
        "eduseal: notes.csv: the first line is no header of a roster file; expected one with a column teacher_id, student_id, identifier\n",
    )


def test_two_files_of_a_kind_are_refused(desk, files):
    Path("more.csv").write_bytes(Path("students.csv").read_bytes())
    _, _, err = desk("roster", "import", *files, "more.csv")
    assert err == "eduseal: more.csv: students.csv holds students already; give one file of each kind\n"


def test_a_file_that_is_not_there_is_one_line(desk):
    assert desk("roster", "import", "none.csv") == (66, "", "eduseal: none.csv cannot be read: No such file or directory\n")


def test_show_lists_schools(desk):
    status, out, err = desk("roster", "show")
    assert (status, err, len(out.splitlines())) == (0, "", 4)
    assert out.splitlines()[3].split("  ")[0] == "SM"
    assert out.splitlines()[3].endswith("  6      5       2")


def test_show_says_how_far_each_person_is(desk):
    _, out, _ = desk("roster", "show", "--school", "SM")
    standing = {line.split()[0]: line.rsplit("  ", 1)[1] for line in out.splitlines()[1:]}
    assert standing == {
        "SM-GV01": "in force",
        "SM-GV02": "signs nothing",
        "SM-GV03": "signs nothing",
        "SM-GV04": "in force",
        "SM-GV05": "waits for activation",
        "SM-GV06": "none",
        "SM-9A-01": "in force",
        "SM-9A-02": "waits for activation",
        "SM-9A-03": "none",
        "SM-9A-12": "blocked: MISSING_CODE",
        "SM-9A-21": "blocked: MALFORMED_CODE",
    }


def test_show_of_an_unknown_school_is_refused(desk):
    assert desk("roster", "show", "--school", "XX") == (65, "", "eduseal: school XX is not in the roster\n")


def test_looking_up_needs_no_passphrase(desk, monkeypatch):
    monkeypatch.delenv("EDUSEAL_PASSPHRASE")
    assert desk("roster", "blocked")[0] == 0


def test_blocked_says_what_to_put_right(desk):
    status, out, err = desk("roster", "blocked")
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == [
        "SM-9A-12  Nguyễn Văn Dũng    students.csv row 5  has no personal code; enter it once the civil registry has issued one",
        "SM-9A-21  Nguyễn Quang Phúc  students.csv row 6  has a personal code that is not of its scheme's form; check it against the "
        "identity card (malformed)",
    ]


def test_blocked_of_a_school_without_any(desk):
    assert desk("roster", "blocked", "--school", "BL") == (0, "Nobody is blocked.\n", "")


def test_blocked_as_csv(desk):
    assert desk("roster", "blocked", "--format", "csv")[1].splitlines() == [
        "person_id,school_id,name,reason,detail,file,row",
        "SM-9A-12,SM,Nguyễn Văn Dũng,MISSING_CODE,,students.csv,5",
        "SM-9A-21,SM,Nguyễn Quang Phúc,MALFORMED_CODE,malformed,students.csv,6",
    ]


def test_a_home_that_is_not_there_is_told_before_the_passphrase_is_wanted(desk, monkeypatch):
    monkeypatch.delenv("EDUSEAL_PASSPHRASE")
    Path("schools.csv").write_bytes(roster_files()["schools.csv"])
    _, _, err = desk("roster", "import", "schools.csv", "--home", "nowhere")
    assert err == "eduseal: nowhere holds no authority; `eduseal init --home nowhere` makes one\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_who_waits_for_a_long_import_sees_how_far_it_is(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    rows = 3_000
    with waiting({"students": RosterFile("students.csv", b"row\n" * rows)}) as watch:
        for _ in range(2 * rows):
            watch()
    assert f"{2 * rows}/{2 * rows}" in terminal.getvalue()


def test_an_import_of_a_moment_draws_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting({"students": RosterFile("students.csv", b"row\n" * 45)}) as watch:
        watch()
    assert terminal.getvalue() == ""
