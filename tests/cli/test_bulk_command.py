"""`eduseal bulk` from CSV files to sheets, with its second person."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli._bulk_watch import run_to_the_end
from tests.support.bulk_cases import bulk_files, codes_of
from tests.support.bulk_home import PASSPHRASE, make_bulk_home, open_bulk_home
from tests.support.registration import OFFICER, PINS, SECOND, house_registration

PEOPLE = 120  # at three schools
TOLD = re.compile(
    r"Batch ([0-9a-f]{16}): 118 people, SHA-256 [0-9a-f]{64}\.\n"
    r"Who is in it: eduseal bulk people [0-9a-f]{16}\n"
    r"Another officer approves it: eduseal request approve ([0-9a-f]+)"
)


@pytest.fixture
def desk(
    tmp_path: Path, eduseal: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Commands in a home with two officers; in the current folder schools.csv, teachers.csv (two of them at fault) and RA-1's PIN."""
    make_bulk_home(tmp_path / "home").close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDUSEAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    schools, teachers = bulk_files(PEOPLE)
    text = teachers.data.decode("utf-8-sig")
    first, second = codes_of(teachers)[3:5]
    Path("schools.csv").write_bytes(schools.data)
    Path("teachers.csv").write_text(text.replace(first, "").replace(second, second[:-1]), encoding="utf-8")
    Path("pin").write_text(PINS[OFFICER] + "\n", encoding="utf-8")
    Path("pin").chmod(0o600)
    return eduseal


def submitted(desk: Callable[..., tuple[int, str, str]]) -> tuple[str, str]:
    """The batch's id and its request's."""
    status, out, _ = desk("bulk", "submit", "schools.csv", "teachers.csv", "--by", OFFICER, "--pin-file", "pin")
    assert status == 0
    found = TOLD.search(out)
    assert found is not None
    return found[1], found[2]


def approve(request: str) -> None:
    house = open_bulk_home(Path("home"))
    house_registration(house).approve(request, by=SECOND, secret=PINS[SECOND])
    house.close()


def test_check_names_every_bad_row_and_keeps_nothing(desk: Callable[..., tuple[int, str, str]]) -> None:
    text = Path("teachers.csv").read_text("utf-8").replace("GV000007,S00000", "GV000007,S09999").replace("GV000008,", "GV 8,")
    Path("broken.csv").write_text(text, encoding="utf-8")
    status, out, err = desk("bulk", "check", "schools.csv", "broken.csv")
    assert (status, out.splitlines()[-1]) == (65, "116 would come into a batch.")
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "broken.csv row 5",
        "broken.csv row 6",
        "broken.csv row 9, column school_id",
        "broken.csv row 10, column teacher_id",
    ]
    assert desk("bulk", "status")[1] == "There is no bulk batch.\n"
    assert len(desk("roster", "show")[1].splitlines()) == 1


def test_a_batch_goes_from_files_to_sheets_and_not_without_its_approval(desk: Callable[..., tuple[int, str, str]]) -> None:
    batch, request = submitted(desk)
    listed = list(csv.DictReader(io.StringIO(desk("bulk", "people", batch)[1], newline="")))
    assert len(listed) == 118
    assert {key: listed[7][key] for key in ("person_id", "role", "school", "sheet", "state", "reason")} == {
        "person_id": "GV000009",
        "role": "teacher",
        "school": "S00000",
        "sheet": "00001-S00000",
        "state": "waiting",
        "reason": "",
    }

    status, out, err = desk("bulk", "run", batch, "--sheets", "sheets")
    assert (status, out, err) == (65, "", f"eduseal: request {request}: has 0 of 1 approvals\n")
    status, _, err = desk("bulk", "resume", batch)
    assert (status, err) == (65, f"eduseal: batch {batch} has not been started; `eduseal bulk run {batch} --sheets DIR` starts it\n")
    assert list(Path("sheets").iterdir()) == []

    approve(request)
    status, out, err = desk("bulk", "run", batch, "--sheets", "sheets", "--workers", "1")
    assert (status, err) == (0, "")
    assert re.match(r"118 issued in \d+ s, 0 before, 0 refused\.\nActivation codes: .*/sheets\. It is the only copy", out)
    sheets = sorted(Path("sheets").iterdir())
    assert [(sheet.name, oct(sheet.stat().st_mode)[-3:]) for sheet in sheets] == [
        (f"0000{number}-S0000{number - 1}.csv", "600") for number in (1, 2, 3)
    ]
    lines = [line for sheet in sheets for line in csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline=""))]
    assert len({line["holder"] for line in lines}) == len({line["activation_code"] for line in lines}) == 118

    assert desk("bulk", "people", batch)[1].count(",issued,") == 118
    status, out, _ = desk("bulk", "resume", batch)
    assert (status, out.splitlines()[0][:8]) == (0, "0 issued")
    assert f"{batch}  done   118     118     0        RA-1  {request}" in desk("bulk", "status")[1]
    assert "People    118: 118 issued, 0 refused, 0 waiting" in desk("bulk", "status", batch)[1]
    status, _, err = desk("bulk", "run", batch, "--sheets", "others")
    assert (status, err) == (65, f"eduseal: batch {batch} has been started before; `eduseal bulk resume {batch}` carries it on\n")


def test_somebody_refused_is_told_and_listed(desk: Callable[..., tuple[int, str, str]]) -> None:
    batch, request = submitted(desk)
    approve(request)
    changed = Path("teachers.csv").read_text("utf-8").replace("GV000007,S00000", "GV000007,S00001")
    Path("teachers.csv").write_text(changed, encoding="utf-8")
    assert desk("roster", "import", "schools.csv", "teachers.csv")[0] == 0
    reason = "the roster says something else since the batch was submitted; submit a batch anew for them"
    status, out, err = desk("bulk", "run", batch, "--sheets", "sheets", "--workers", "1")
    assert (status, err) == (1, f"GV000007 was refused: {reason}\n")
    assert re.match(r"117 issued in \d+ s, 0 before, 1 refused\.", out)
    assert desk("bulk", "status", batch, "--format", "csv")[1] == f"person_id,reason\r\nGV000007,{reason}\r\n"


def test_sheets_never_go_into_a_folder_that_holds_something(desk: Callable[..., tuple[int, str, str]]) -> None:
    batch, request = submitted(desk)
    approve(request)
    Path("sheets").mkdir()
    Path("sheets/old.csv").write_text("codes", encoding="utf-8")
    status, _, err = desk("bulk", "run", batch, "--sheets", "sheets")
    assert status == 65
    assert re.fullmatch(r"eduseal: /.*/sheets is not empty and may hold the only copy of codes; name another folder\n", err)
    assert "118     0       0" in desk("bulk", "status")[1]


def test_a_wrong_pin_submits_nothing(desk: Callable[..., tuple[int, str, str]]) -> None:
    Path("pin").write_text("something else\n", encoding="utf-8")
    status, _, err = desk("bulk", "submit", "schools.csv", "teachers.csv", "--by", OFFICER, "--pin-file", "pin")
    assert (status, err) == (65, "eduseal: the PIN is not that of officer RA-1; 4 of 5 tries left\n")
    assert len(desk("roster", "show")[1].splitlines()) == 1


def test_a_batch_that_fails_half_way_says_how_it_goes_on(
    desk: Callable[..., tuple[int, str, str]], capfd: pytest.CaptureFixture[str]
) -> None:
    batch, request = submitted(desk)
    approve(request)
    house = open_bulk_home(Path("home"))
    try:
        with pytest.raises(Exception, match="cannot be written: No such file or directory; put that right, then resume the batch"):
            run_to_the_end(house, batch, workers=1, sheets=Path("nowhere").absolute())
    finally:
        house.close()
    assert capfd.readouterr().err == f"eduseal: the batch did not come to its end; `eduseal bulk resume {batch}` goes on\n"
    Path("nowhere").mkdir(mode=0o700)
    status, out, _ = desk("bulk", "resume", batch)
    assert (status, out.splitlines()[0].partition(" in ")[0]) == (0, "118 issued")
