"""The face of the package: what it lists exists and has its place in the maps, and its example runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import signing

ROOT = Path(signing.__file__).parents[1]
ROOMS = ("records", "db", "config", "api", "cli")
FOLDERS = [
    module.name for module in pkgutil.iter_modules(signing.__path__) if module.ispkg and module.name != "fonts"
]  # a module of its own
PUBLIC = {
    *(f"signing.{name}" for name in signing.__all__ if name not in FOLDERS),
    *(f"signing.{folder}.{name}" for folder in FOLDERS for name in importlib.import_module(f"signing.{folder}").__all__),
}


def test_the_example_of_the_package_runs() -> None:
    assert doctest.testmod(signing).failed == 0


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_module_says_what_it_is_for(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()


def test_every_folder_and_module_has_its_place_in_the_map() -> None:
    words = set(re.findall(r"\w+", signing.__doc__ or ""))
    assert {module.name for module in pkgutil.iter_modules(signing.__path__)} <= words


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_has_its_place_in_the_map_of_its_folder(folder: str) -> None:
    package = importlib.import_module(f"signing.{folder}")
    words = set(re.findall(r"\w+", package.__doc__ or ""))
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} <= words


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_use_the_public_face_only(room: str) -> None:
    used = set()
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "signing":
                folder = node.module.removeprefix("signing.") in FOLDERS
                used |= {f"{node.module}.{alias.name}" for alias in node.names} if folder else {node.module}
    assert used <= PUBLIC
