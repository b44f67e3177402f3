"""docs/cli.md names every command there is, and no option that is not."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from cli.main import _commands, build

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"


def commands() -> dict[str, dict[str, str]]:
    """Every command's words, such as "record sign", with its options and their help."""
    found: dict[str, dict[str, str]] = {}

    def walk(words: list[str], command: Any) -> None:
        inner = getattr(command, "commands", None)
        if inner is None or command.invoke_without_command:
            options = ((name, each.help) for each in command.params for name in each.opts if name.startswith("-"))
            found[" ".join(words)] = {name: told or "" for name, told in options}
        if inner is not None:
            for name, each in inner.items():
                walk([*words, name], each)

    app: typer.Typer = build(_commands())
    walk([], get_command(app))
    return found


def headings() -> list[str]:
    return re.findall(r"^### `eduseal (.+)`$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)


def examples() -> list[list[str]]:
    return [shlex.split(line)[1:] for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("eduseal ")]


def test_the_document_has_every_command_once():
    assert sorted(headings()) == sorted(commands())


def test_each_command_has_an_example():
    used = {" ".join(words[:length]) for words in examples() for length in (1, 2)}
    assert [name for name in commands() if name not in used] == []


@pytest.mark.parametrize("words", examples(), ids=" ".join)
def test_an_example_names_options_that_exist(words):
    known = commands()
    name = next(candidate for candidate in (" ".join(words[:2]), words[0]) if candidate in known)
    assert {word for word in words if word.startswith("--")} <= known[name].keys()


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help(name, eduseal):
    status, out, err = eduseal(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: eduseal {name}")


def test_every_option_has_help():
    assert [(name, option) for name, options in commands().items() for option, told in options.items() if not told] == []


def test_the_program_starts_by_itself(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "roster", "show", "--home", "nowhere"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(DOCUMENT.parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == "eduseal: nowhere holds no authority; `eduseal init --home nowhere` makes one\n"
