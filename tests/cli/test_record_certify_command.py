"""`eduseal record certify`, and records whose teachers sign side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.school_home import PIN


@pytest.fixture
def opened(desk) -> str:
    """A record of the workflow with twelve subject teachers, made from R-3."""
    _, shown, _ = desk("record", "show", "R-3", "--json")
    contents = json.loads(shown)
    contents["record"]["id"] = "S-1"
    Path("s-1.json").write_text(json.dumps(contents), encoding="utf-8")
    status, out, err = desk("record", "open", "s-1.json", "--workflow", "school-record-subjects", "--by", "SM-GV04")
    assert (status, err) == (0, ""), out
    return "S-1"


def test_the_school_certifies_once_and_the_teachers_follow(desk, opened):
    assert desk("record", "certify", "--school", "SM", opened) == (0, "certified   S-1  version 1\n1 certified, 0 before, 0 failed.\n", "")
    assert desk("record", "certify", "--school", "SM", opened)[1] == "already  S-1  version 1\n0 certified, 1 before, 0 failed.\n"
    assert "S-1" in desk("record", "list", "--step", "music")[1]
    status, out, _ = desk("record", "sign", opened, "--step", "music", "--by", "SM-GV04", "--pin-file", "-", typed=f"{PIN}\n")
    assert (status, out) == (0, "signed   S-1  version 1\n1 signed, 0 before, 0 failed.\n")
    assert "S-1" not in desk("record", "list", "--step", "music")[1]
    assert "S-1" in desk("record", "list", "--step", "civics")[1]


def test_no_teacher_signs_before_the_school(desk, opened):
    status, out, _ = desk("record", "sign", opened, "--step", "music", "--by", "SM-GV04", "--pin-file", "-", typed=f"{PIN}\n")
    assert status == 1
    assert "failed   S-1  record S-1 version 1: got step music, expected export\n" in out


def test_a_workflow_without_certification_has_nothing_to_certify(desk):
    assert desk("record", "certify", "--school", "SM", "R-3") == (
        1,
        "failed   R-3  workflow school-record/1 has no certification\n0 certified, 0 before, 1 failed.\n",
        "",
    )
