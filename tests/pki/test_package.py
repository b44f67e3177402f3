"""The face of the package: what it lists exists, its examples run, and importing it does nothing."""

from __future__ import annotations

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import pki

ROOT = Path(pki.__file__).parents[1]
ROOMS = ("signing", "records", "db", "config", "api", "cli")


@pytest.mark.parametrize("name", pki.__all__)
def test_public_module_says_what_it_is_for(name: str) -> None:
    assert (importlib.import_module(f"pki.{name}").__doc__ or "").strip()


@pytest.mark.parametrize("name", ["pki", "pki.identity", "pki.commitment", "pki.subject"])
def test_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_use_the_public_face_only(room: str) -> None:
    used = set()
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pki."):
                used.add(node.module.split(".")[1])
    assert used <= set(pki.__all__)


def test_importing_issuance_does_not_import_pkilint() -> None:
    script = "import sys, pki.issue, pki.establish; sys.exit('pkilint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
