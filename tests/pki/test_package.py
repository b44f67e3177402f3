"""The face of the package: what it lists exists, its examples run, and importing it does nothing."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pki

ROOT = Path(pki.__file__).parents[1]
ROOMS = ("signing", "records", "db", "config", "api", "cli")


FOLDERS = [name for name in pki.__all__ if importlib.util.find_spec(f"pki.{name}").submodule_search_locations]  # type: ignore[union-attr]
PUBLIC = {
    *(f"pki.{name}" for name in pki.__all__ if name not in FOLDERS),
    *(f"pki.{folder}.{name}" for folder in FOLDERS for name in importlib.import_module(f"pki.{folder}").__all__),
}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_module_says_what_it_is_for(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_has_its_place_in_the_map_of_its_folder(folder: str) -> None:
    package = importlib.import_module(f"pki.{folder}")
    words = set(re.findall(r"\w+", package.__doc__ or ""))
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} <= words


def test_every_folder_has_its_place_in_the_map() -> None:
    named = set(re.findall(r"^    (\w+)/ ", pki.__doc__ or "", re.MULTILINE))
    assert named == set(FOLDERS) == {module.name for module in pkgutil.iter_modules(pki.__path__) if module.ispkg}


@pytest.mark.parametrize("name", ["pki", "pki.identity.codes", "pki.identity.commitment", "pki.identity.subject"])
def test_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_use_the_public_face_only(room: str) -> None:
    used = set()
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pki":
                folder = node.module.removeprefix("pki.") in FOLDERS
                used |= {f"{node.module}.{alias.name}" for alias in node.names} if folder else {node.module}
    assert used <= PUBLIC


def test_importing_issuance_does_not_import_pkilint() -> None:
    script = "import sys, pki.issuing.issue, pki.authority.establish; sys.exit('pkilint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
