"""`eduseal record open, edit, list, show, log` and the moves that sign nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ADMINISTRATORS = ("SM-GV02", "SM-GV03")


@pytest.fixture
def contents(desk):
    """The record's contents as `record show --json` prints them; changed by `change`, written to `file`."""

    def write(record_id: str, file: str, change=lambda record: None) -> str:
        record = json.loads(desk("record", "show", record_id, "--json")[1])
        change(record)
        Path(file).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
        return file

    return write


def better(record: dict) -> None:
    record["years"][-1]["marks"][1]["hk1"] = "9.9"


def renamed(record: dict) -> None:
    record["record"]["id"] = "R-9"


def unlocked(desk, record_id: str = "R-1") -> None:
    desk("record", "request-unlock", record_id, "--by", "SM-GV02", "--reason", "nhập nhầm")
    assert desk("record", "confirm-unlock", record_id, "--by", "SM-GV03")[0] == 0


def test_a_record_is_opened_from_a_file(desk, contents):
    contents("R-3", "new.json", renamed)
    assert desk("record", "open", "new.json", "--by", "SM-GV04") == (0, "open    R-9  version 1\n", "")


def test_opening_takes_the_commitment_from_the_pupils_certificate(desk, contents):
    def without_commitment(record):
        renamed(record)
        del record["student"]["commitment"]

    desk("record", "open", contents("R-1", "new.json", without_commitment), "--by", "SM-GV04")
    with desk.books() as books:
        commitment = books.holder_keys.get("SM-9A-01").commitment
        assert commitment is not None
        assert books.records.load("R-9").working.record.content.student.commitment == commitment.hex()


def test_another_commitment_than_the_certificates_is_refused(desk, contents):
    def forged(record):
        renamed(record)
        record["student"]["commitment"] = "00" * 32

    status, _, err = desk("record", "open", contents("R-1", "new.json", forged), "--by", "SM-GV04")
    assert (status, err) == (65, "eduseal: new.json: student.commitment is not that of the pupil's certificate; leave it out\n")


def test_a_list_of_records_is_opened_and_what_stands_is_told(desk, contents):
    one = json.loads(Path(contents("R-3", "a.json", renamed)).read_text(encoding="utf-8"))
    Path("both.json").write_text(json.dumps([{**one, "record": {"id": "R-8"}}, {**one, "record": {"id": "R-1"}}]), encoding="utf-8")
    status, out, _ = desk("record", "open", "both.json", "--by", "SM-GV04")
    assert status == 1
    assert out.splitlines()[0] == "open    R-8  version 1"
    assert out.splitlines()[1].startswith("failed  R-1  record R-1 is at revision ")


def test_a_broken_file_opens_nothing(desk, contents):
    good = contents("R-3", "good.json", renamed)
    Path("bad.json").write_text("{", encoding="utf-8")
    status, out, err = desk("record", "open", good, "bad.json", "--by", "SM-GV04")
    assert (status, out, err.startswith("eduseal: bad.json is not JSON: Expecting property name")) == (65, "", True)
    assert desk("record", "show", "R-9")[0] == 65


def test_another_schools_record_is_refused(desk, contents):
    def elsewhere(record):
        renamed(record)
        record["record"]["school"]["identifier"] = "NTRVN-0109999002"

    status, _, err = desk("record", "open", contents("R-3", "new.json", elsewhere), "--by", "SM-GV04")
    assert (status, err) == (65, "eduseal: new.json: is of another school than NTRVN-0109999001\n")


def test_a_pupil_opens_nothing(desk, contents):
    status, out, _ = desk("record", "open", contents("R-3", "new.json", renamed), "--by", "SM-9A-01")
    assert status == 1
    assert out.startswith("failed  R-9  record R-9 version 1: student SM-9A-01 may not open it; expected teacher or administrator")


def test_an_unknown_person_does_nothing(desk, contents):
    status, _, err = desk("record", "open", contents("R-3", "new.json", renamed), "--by", "XX")
    assert (status, err) == (65, "eduseal: XX is not in the roster; `eduseal roster show --school SCHOOL` lists who is\n")


def test_an_unknown_workflow_is_refused(desk, contents):
    status, _, err = desk("record", "open", contents("R-3", "new.json", renamed), "--by", "SM-GV04", "--workflow", "none")
    assert (status, err) == (65, "eduseal: workflow 'none' is not one of school-record, school-record-subjects\n")


def test_an_unsigned_record_is_edited_in_place(desk, contents):
    status, out, _ = desk("record", "edit", "R-3", contents("R-3", "new.json", better), "--by", "SM-GV04")
    assert (status, out.splitlines()[0]) == (0, "R-3 is now version 1, open, and waits for homeroom. Changed:")


def test_a_signed_record_is_not_edited(desk, contents):
    status, _, err = desk("record", "edit", "R-2", contents("R-2", "new.json", better), "--by", "SM-GV04")
    assert (status, err) == (65, "eduseal: record R-2 version 1 is locked; ask for an unlock to revise it\n")


def test_list_says_what_each_record_waits_for(desk):
    status, out, _ = desk("record", "list")
    assert status == 0
    assert [re.split(r"  +", line)[:6] for line in out.splitlines()] == [
        ["RECORD", "VERSION", "STATUS", "PHASE", "WAITS FOR", "CLASS"],
        ["R-1", "1", "current", "locked", "nothing", "9A"],
        ["R-2", "1", "-", "locked", "principal", "9A"],
        ["R-3", "1", "-", "open", "homeroom", "9A"],
    ]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--phase", "open"], ["R-3"]),
        (["--step", "principal"], ["R-2"]),
        (["--school", "BL"], []),
        (["--school", "SM"], ["R-1", "R-2", "R-3"]),
    ],
)
def test_list_chooses(desk, options, ids):
    assert [line.split()[0] for line in desk("record", "list", *options)[1].splitlines()[1:]] == ids


def test_show_tells_versions_and_signatures(desk):
    status, out, _ = desk("record", "show", "R-1")
    assert (status, "Phase    locked, waits for nothing\nVersion  1: current\n" in out) == (0, True)
    assert re.findall(rf"^  (\w+) +(\S+) +{AT}  [0-9a-f]{{64}}$", out, re.MULTILINE) == [
        ("homeroom", "SM-GV04"),
        ("principal", "SM-GV01"),
        ("seal", "seal/SM"),
    ]


def test_show_tells_of_a_request(desk):
    desk("record", "request-unlock", "R-1", "--by", "SM-GV04", "--reason", "nhập nhầm")
    assert re.search(rf"^Unlock   asked for by SM-GV04 at {AT}: nhập nhầm$", desk("record", "show", "R-1")[1], re.MULTILINE)


def test_an_unknown_record_is_one_line(desk):
    for command in ("show", "log"):
        assert desk("record", command, "R-7") == (65, "", "eduseal: record R-7 is not in the books\n")


def test_the_requester_does_not_confirm_their_own_unlock(desk):
    desk("record", "request-unlock", "R-1", "--by", "SM-GV02", "--reason", "nhập nhầm")
    assert desk("record", "confirm-unlock", "R-1", "--by", "SM-GV02") == (
        65,
        "",
        "eduseal: record R-1 version 1: SM-GV02 asked for the unlock and may not decide on it; another administrator must\n",
    )


def test_another_schools_administrator_does_not_confirm(desk):
    desk("record", "request-unlock", "R-1", "--by", "SM-GV02", "--reason", "nhập nhầm")
    status, _, err = desk("record", "confirm-unlock", "R-1", "--by", "BL-GV02")
    assert (status, "administrator BL-GV02 may not decide on an unlock" in err) == (65, True)


def test_an_unlock_without_a_reason_is_refused(desk):
    status, _, err = desk("record", "request-unlock", "R-1", "--by", "SM-GV02", "--reason", " ")
    assert (status, err) == (65, "eduseal: record R-1 version 1: expected a reason of 1 to 500 characters, got 0\n")


def test_a_refused_unlock_leaves_the_record_locked(desk):
    desk("record", "request-unlock", "R-1", "--by", "SM-GV04", "--reason", "nhập nhầm")
    assert desk("record", "refuse-unlock", "R-1", "--by", "SM-GV02", "--reason", "điểm đúng") == (
        0,
        "R-1 version 1: unlock refused by SM-GV02; the record is locked as before.\n",
        "",
    )


def test_an_unlock_that_needs_no_revision_ends(desk):
    unlocked(desk)
    assert desk("record", "relock", "R-1", "--by", "SM-GV02") == (0, "R-1 version 1 is locked again.\n", "")


def test_a_locked_record_is_not_revised(desk, contents):
    status, _, err = desk("record", "revise", "R-1", contents("R-1", "new.json", better), "--by", "SM-GV04")
    assert (status, err) == (65, "eduseal: record R-1 version 1 is locked; a revision needs a confirmed unlock\n")


def test_a_revision_shows_each_field_that_differs(desk, contents):
    unlocked(desk)
    status, out, _ = desk("record", "revise", "R-1", contents("R-1", "new.json", better), "--by", "SM-GV04")
    assert status == 0
    assert out == (
        "R-1 is now version 2, open, and waits for homeroom. Changed:\n"
        "    FIELD                             OLD  NEW\n"
        "    years[2025-2026].marks[Toán].hk1  7.9  9.9\n"
    )


def test_a_file_of_another_record_revises_nothing(desk, contents):
    unlocked(desk)
    status, _, err = desk("record", "revise", "R-1", contents("R-2", "other.json", better), "--by", "SM-GV04")
    assert (status, err) == (65, "eduseal: other.json holds record R-2, expected R-1\n")


def test_the_log_tells_what_a_revision_changed(desk, contents):
    def change(record):
        better(record)
        record["years"][0]["award"] = ""
        record["years"][0]["remark"] = "Một nhận xét dài hơn một dòng của bảng, để xem nó có xuống dòng hay không."

    unlocked(desk)
    desk("record", "revise", "R-1", contents("R-1", "new.json", change), "--by", "SM-GV04")
    status, out, _ = desk("record", "log", "R-1")
    assert status == 0
    told = [re.sub(rf"^{AT}", "AT", line) for line in out.splitlines()]
    assert told[:8] == [
        "AT  v1  opened            SM-GV04",
        "AT  v1  signed            SM-GV04  step homeroom",
        "AT  v1  locked            SM-GV04",
        "AT  v1  signed            SM-GV01  step principal",
        "AT  v1  signed            seal/SM  step seal",
        "AT  v1  unlock requested  SM-GV02  reason nhập nhầm",
        "AT  v1  unlocked          SM-GV03  requested by SM-GV02",
        "AT  v2  revised           SM-GV04  previous 1",
    ]
    table = "\n".join(told[8:])
    assert re.search(r"years\[2025-2026\]\.marks\[Toán\]\.hk1 +7\.9 +9\.9$", table, re.MULTILINE)
    assert re.search(r"years\[2024-2025\]\.remark .*  Một nhận xét dài hơn một dòng của bảng, để$", table, re.MULTILINE)


def test_the_log_as_json_lines(desk):
    entries = [json.loads(line) for line in desk("record", "log", "R-2", "--format", "jsonl")[1].splitlines()]
    assert [(entry["event"], entry["actor"]) for entry in entries] == [
        ("record.opened", "SM-GV04"),
        ("record.signed", "SM-GV04"),
        ("record.locked", "SM-GV04"),
    ]


def test_a_record_is_withdrawn(desk):
    assert desk("record", "withdraw", "R-1", "--by", "SM-GV01", "--reason", "cấp nhầm") == (0, "R-1 is withdrawn by SM-GV01.\n", "")
    assert desk("record", "list", "--phase", "withdrawn")[1].splitlines()[1].split()[:3] == ["R-1", "1", "withdrawn"]


@pytest.mark.parametrize("command", ["open", "edit", "revise", "request-unlock", "confirm-unlock", "refuse-unlock", "relock", "withdraw"])
def test_help_says_that_the_operator_is_believed(eduseal, command):
    status, out, _ = eduseal("record", command, "--help")
    assert (status, "The operator of this machine is believed" in " ".join(out.split())) == (0, True)
