"""The certificate practice statement says what the program does: each limit in its tables is the code's own, and the code cites it."""

from __future__ import annotations

import importlib
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPS = ROOT / "docs" / "cps.md"
ROW = re.compile(r"^\| (?P<clause>\d+(?:\.\d+)*) \| (?P<what>[^|]+) \| (?P<limit>[^|]+) \| `(?P<where>[^`]+)` \|$", re.MULTILINE)
ROWS = [match.groupdict() for match in ROW.finditer(CPS.read_text(encoding="utf-8"))]
UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def seconds(limit: str) -> float:
    number, _, unit = limit.partition(" ")
    return float(number) * UNITS.get(unit, 1)


def value_of(where: str) -> float:
    """Of `module.CONSTANT`, or of `file.toml key.key`; times in seconds unless the key's name is in days or hours."""
    if " " in where:
        name, _, path = where.partition(" ")
        value = tomllib.loads((ROOT / name).read_text(encoding="utf-8"))
        for key in path.split("."):
            value = value[key]
        unit = next((unit for unit in UNITS if path.endswith(f"_{unit}")), "seconds")
        return float(value) * UNITS[unit]  # type: ignore[arg-type]  # a number, or the test fails
    module, _, constant = where.rpartition(".")
    found = getattr(importlib.import_module(module), constant)
    return found.total_seconds() if isinstance(found, timedelta) else float(found)


def source_of(where: str) -> Path:
    return ROOT / (where.partition(" ")[0] if " " in where else where.rpartition(".")[0].replace(".", "/") + ".py")


def test_the_statement_has_limits() -> None:
    assert len(ROWS) >= 25


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['clause']} {row['where']}" for row in ROWS])
def test_a_limit_is_the_codes_own(row: dict[str, str]) -> None:
    assert value_of(row["where"]) == pytest.approx(seconds(row["limit"]))


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['clause']} {row['where']}" for row in ROWS])
def test_the_code_cites_the_statement(row: dict[str, str]) -> None:
    source = source_of(row["where"])
    assert f"docs/cps.md {row['clause']}" in source.read_text(encoding="utf-8"), f"{source} does not cite docs/cps.md {row['clause']}"


def test_every_page_that_the_statement_names_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", CPS.read_text(encoding="utf-8")):
        assert (CPS.parent / link).is_file(), link
