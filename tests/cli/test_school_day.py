"""One school from an empty folder to a superseded record, command by command, as docs/cli.md tells it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from records.canonical import content_as_dict
from records.record import RecordContent
from records.roster import RosterFile, import_roster
from records.sample import sample_records
from tests.support.school_home import PASSPHRASE, PIN, roster_files

PINS = {"RA-1": "mèo mun bảy 1", "RA-2": "chó vện tám 2"}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["folder", "token"])
def school(request: pytest.FixtureRequest, tmp_path: Path, eduseal: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An empty folder with the roster's files, keys in a folder or in a token; `typed` becomes standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    if request.param == "token":
        monkeypatch.setenv("EDUSEAL_KEY_STORE", request.getfixturevalue("softhsm").token(pin=PASSPHRASE).uri())
    for name, data in roster_files().items():
        Path(name).write_bytes(data)

    def run(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return eduseal(*arguments)

    return run


def contents() -> Iterator[tuple[str, RecordContent]]:
    """What the records of the three pupils say who are not blocked."""
    files = [RosterFile(name, data) for name, data in roster_files().items()]
    roster = import_roster(schools=files[0], teachers=files[1], students=files[2])
    school = next(school for school in roster.schools if school.id == "SM")
    from config.bootstrap import utc_now

    at = utc_now().replace(microsecond=0)
    for record in sample_records(school, roster.students, homeroom_teacher="Đỗ Hoàng Nam", prepared_at=at, commitments={}):
        yield record.id, record.content


def better_mark(record: str) -> str:
    document = json.loads(record)
    document["years"][-1]["marks"][1]["hk1"] = "9.9"
    return json.dumps(document, ensure_ascii=False)


def _two_officers(school: Run) -> None:
    for officer, pin in PINS.items():
        added = school("officer", "add", officer, "--name", "Lê Thu Hà", "--pin-file", "-", "--reason", "first officers", typed=pin + "\n")
        assert added == (0, f"{officer} is a registration officer.\n", "")


def _agree(school: Run, *wanted: str) -> None:
    """One officer asks, the other approves."""
    (first, pin), (second, other_pin) = PINS.items()
    status, out, err = school("request", *wanted, "--by", first, "--pin-file", "-", typed=pin + "\n")
    assert (status, err) == (0, "")
    assert school("request", "approve", out.split()[1], "--by", second, "--pin-file", "-", typed=other_pin + "\n")[0] == 0


def test_a_school_from_an_empty_folder_to_a_superseded_record(school: Run) -> None:
    done = school("init")
    assert (done[0], done[2]) == (0, "")
    status, out, _ = school("roster", "import", "schools.csv", "teachers.csv", "students.csv")
    assert (status, "Pupils         3 accepted      2 blocked\n" in out) == (0, True)
    _two_officers(school)
    _agree(school, "people")
    _agree(school, "seal", "SM")
    assert school("enrol", "--sheet", "codes.csv")[:2] == (
        0,
        "7 enrolled, 0 failed.\nActivation codes: codes.csv. It is the only copy: hand each line to its person, then destroy it.\n",
    )
    assert school("enrol", "--seal", "SM")[0] == 0
    with Path("codes.csv").open(encoding="utf-8-sig", newline="") as sheet:
        codes = {row["holder"]: row["activation_code"] for row in csv.DictReader(sheet)}
    for holder in ("SM-GV04", "SM-GV01"):
        done = school("activate", holder, "--code-file", "-", "--pin-file", "-", typed=f"{codes[holder]}\n{PIN}\n")
        assert (done[0], done[2]) == (0, "")

    records = [{"record": {"id": record_id}, **content_as_dict(content)} for record_id, content in contents()]
    Path("class.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    first, *_ = ids = [record["record"]["id"] for record in records]
    assert school("record", "open", "class.json", "--by", "SM-GV04") == (0, "".join(f"open    {i}  version 1\n" for i in ids), "")

    sign_and_seal(school, ids, version=1)
    assert school("record", "write", first, "--to", "first.pdf")[0] == 0
    status, out, _ = school("verify", "first.pdf", "--home", "var", "--workers", "1", "--format", "jsonl")
    verdict = json.loads(out)
    assert (status, verdict["indication"], verdict["entitlement"]) == (0, "TOTAL-PASSED", "complete")
    assert verdict["record"] == {"id": first, "version": 1, "status": "current"}

    assert school("record", "request-unlock", first, "--by", "SM-GV04", "--reason", "Nhập nhầm điểm Toán") == (
        0,
        f"{first} version 1: unlock asked for by SM-GV04. Another administrator or the principal decides.\n",
        "",
    )
    status, _, err = school("record", "confirm-unlock", first, "--by", "SM-GV04")
    assert (status, err) == (
        65,
        f"eduseal: record {first} version 1: teacher SM-GV04 may not decide on an unlock; "
        "expected administrator or principal of NTRVN-0109999001\n",
    )
    assert school("record", "confirm-unlock", first, "--by", "SM-GV02") == (
        0,
        f"{first} version 1 is unlocked by SM-GV02, for one revision.\n",
        "",
    )
    Path("revised.json").write_text(better_mark(school("record", "show", first, "--json")[1]), encoding="utf-8")
    assert school("record", "revise", first, "revised.json", "--by", "SM-GV04")[0] == 0
    sign_and_seal(school, [first], version=2)

    status, out, _ = school("record", "log", first)
    assert status == 0
    told = [line.split("  ", 1)[1] for line in out.splitlines()]
    at = told.index("v2  revised           SM-GV04  previous 1")
    assert [line.split() for line in told[at + 1 : at + 3]] == [
        ["FIELD", "OLD", "NEW"],
        ["years[2025-2026].marks[Toán].hk1", "7.9", "9.9"],
    ]
    assert told[-1] == "v1  superseded        seal/SM  superseded by 2"
    assert school("verify", "first.pdf", "--home", "var", "--workers", "1")[0] == 3


def sign_and_seal(school: Run, ids: list[str], *, version: int) -> None:
    for step, by in (("homeroom", "SM-GV04"), ("principal", "SM-GV01")):
        status, out, err = school("record", "sign", "--step", step, "--by", by, *ids, "--pin-file", "-", typed=f"{PIN}\n")
        assert status == 0
        assert re.fullmatch(rf"{len(ids)} to sign: step {step}, by {by}\.\nAuthorisation [0-9a-f]{{32}}, until \d\d:\d\d:\d\d UTC\.\n", err)
        assert out == "".join(f"signed   {i}  version {version}\n" for i in ids) + f"{len(ids)} signed, 0 before, 0 failed.\n"
    status, out, _ = school("record", "seal", "--school", "SM", *ids)
    assert (status, out.endswith(f"\n{len(ids)} sealed, 0 before, 0 failed.\n")) == (0, True)
