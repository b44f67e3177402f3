"""Reads the public data of this folder: profiles, policies, workflows. Returns parsed TOML; meaning is given by the rooms that use it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load(kind: str, name: str) -> dict[str, Any]:
    """The TOML file `certs/<kind>/<name>.toml`, such as load("profiles", "teacher"); raises FileNotFoundError."""
    return tomllib.loads((HERE / kind / f"{name}.toml").read_text(encoding="utf-8"))


def text(kind: str, name: str) -> str:
    """The same file as it stands, remarks and all: to be copied and changed; raises FileNotFoundError."""
    return (HERE / kind / f"{name}.toml").read_text(encoding="utf-8")


def names(kind: str) -> tuple[str, ...]:
    """The names of a kind, sorted."""
    return tuple(sorted(path.stem for path in (HERE / kind).glob("*.toml")))
