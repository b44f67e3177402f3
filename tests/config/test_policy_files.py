from __future__ import annotations

from pathlib import Path

import pytest

from certs.loader import HERE
from config.errors import SettingsError
from config.policy import load_policy, policy_names
from signing.errors import PolicyError

RECORD = (HERE / "policies" / "record.toml").read_text(encoding="utf-8")


def test_the_policies_of_the_house_are_found_by_name() -> None:
    assert policy_names() == ("ades", "record")
    assert [load_policy(name).name for name in policy_names()] == ["ades", "record"]
    assert [workflow.id for workflow in load_policy("record").workflows] == ["school-record/1", "school-record-subjects/1"]


def test_a_file_is_a_policy_with_the_houses_workflows(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECORD.replace('name = "record"', 'name = "mine"'), encoding="utf-8")
    assert load_policy(str(file)).name == "mine"
    assert load_policy(str(file)).workflows == load_policy("record").workflows


def test_a_workflow_beside_the_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECORD, encoding="utf-8")
    text = (HERE / "policies" / "workflow-school-record.toml").read_text(encoding="utf-8")
    (tmp_path / "workflow-school-record.toml").write_text(text.replace("school-record/1", "mine/1"), encoding="utf-8")
    assert [workflow.id for workflow in load_policy(str(file)).workflows] == ["mine/1", "school-record-subjects/1"]


@pytest.mark.parametrize("name", ["nothing", "workflow-school-record", "../record", ""])
def test_what_is_neither_a_file_nor_a_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="is neither a file nor one of ades, record"):
        load_policy(name)


@pytest.mark.parametrize("workflow", ["../policies/workflow-school-record", "/etc/passwd", "..", "workflow-none"])
def test_a_policy_names_workflows_and_no_places_on_the_disk(tmp_path: Path, workflow: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECORD.replace('"workflow-school-record"', f'"{workflow}"'), encoding="utf-8")
    with pytest.raises(PolicyError):
        load_policy(str(file))


@pytest.mark.parametrize("content", [b"= nonsense", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="is not TOML"):
        load_policy(str(file))
