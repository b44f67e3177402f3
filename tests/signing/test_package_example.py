from __future__ import annotations

import doctest
from pathlib import Path

import signing


def test_the_example_of_the_package_runs() -> None:
    assert doctest.testmod(signing).failed == 0


def test_every_module_has_its_place_in_the_map() -> None:
    text = signing.__doc__ or ""
    modules = {path.stem for path in Path(signing.__path__[0]).glob("*.py")} - {"__init__"}
    assert {name for name in modules if name not in text and not name.startswith("role_")} == set()
