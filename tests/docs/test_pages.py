"""What pages and docstrings say of the tree is so: paths, modules, links, make targets and benchmarks that they name are there."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import benches

ROOT = Path(__file__).parents[2]
ROOMS = ("pki", "signing", "records", "db", "config", "api", "cli", "certs")
PAGES = [ROOT / "NOTICE", *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "tests" / "corpus" / "README.md"]
SOURCES = [path for room in (*ROOMS, "benchmarks", "tests") for path in sorted((ROOT / room).rglob("*.py"))]

PATH = re.compile(rf"(?<![\w./-])((?:{'|'.join(ROOMS)}|tests|benchmarks|docs)/[\w./*-]*[\w*/])")
FILE = re.compile(rf"(?<![\w./-])((?:{'|'.join(ROOMS)}|tests|benchmarks|docs)/[\w./-]+\.(?:py|md|toml|json))\b")
MODULE = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")
TARGET = re.compile(r"`make ([a-z-]+)|^make ([a-z-]+)", re.MULTILINE)
BENCH = re.compile(r"\bONLY=([\w-]+)")

NOT_OURS = {"records.example.org"}  # a host
MADE_UP = {"cli/some_thing.py"}  # how a command's name becomes a file's


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def is_there(name: str) -> bool:
    """A module, or a class, function, constant, field or attribute of one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        if (ROOT.joinpath(*parts[:count]).with_suffix(".py")).is_file() or (ROOT.joinpath(*parts[:count]) / "__init__.py").is_file():
            found: Any = importlib.import_module(".".join(parts[:count]))
            for part in parts[count:]:
                if not hasattr(found, part):  # a field without a default, or what __init__ sets
                    return part in getattr(found, "__annotations__", {}) or f"self.{part}" in inspect.getsource(found)
                found = getattr(found, part)
            return True
    return False


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_paths_that_a_page_names_are_there(page: Path) -> None:
    assert [name for name in PATH.findall(text(page)) if not list(ROOT.glob(name.rstrip("/")))] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_modules_that_a_page_names_are_there(page: Path) -> None:
    assert [name for name in MODULE.findall(text(page)) if name not in NOT_OURS and not is_there(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(text(page)) if not (page.parent / link).exists()] == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {(ROOT / link).resolve() for link in LINK.findall(text(ROOT / "README.md"))}
    assert set(ROOT.glob("docs/*.md")) <= linked


def test_make_targets_that_pages_name_are_there() -> None:
    there = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert {one or other for page in PAGES for one, other in TARGET.findall(text(page))} <= there


def test_benchmarks_that_pages_name_are_there() -> None:
    assert {name for page in PAGES for name in BENCH.findall(text(page))} <= set(benches())


def test_files_that_the_source_names_are_there() -> None:
    named = {(relative(path), name) for path in SOURCES for name in FILE.findall(text(path)) if name not in MADE_UP}
    assert [each for each in sorted(named) if not (ROOT / each[1]).is_file()] == []


def test_modules_that_docstrings_name_are_there() -> None:
    named = {(relative(path), name) for path in SOURCES for name in MODULE.findall(text(path)) if name not in NOT_OURS}
    assert [each for each in sorted(named) if not is_there(each[1])] == []


@pytest.mark.parametrize("room", ["pki", "signing"])
def test_folders_of_tests_mirror_those_of_the_room(room: str) -> None:
    here = {path.name for path in (ROOT / "tests" / room).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert here <= {path.name for path in (ROOT / room).iterdir() if path.is_dir()}


def test_no_two_files_of_tests_bear_one_name() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
