"""One run of `eduseal demo`, as a user runs it, for every test of this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.bootstrap import open_house, utc_now
from config.house import House
from config.settings import Settings
from pki.keys.passphrase import passphrase_in

EDUSEAL = Path(sys.executable).with_name("eduseal")


@dataclass(frozen=True)
class Demo:
    folder: Path
    said: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def root_pem(self) -> Path:
        return self.home / "ca" / "root.pem"

    @property
    def genuine(self) -> list[Path]:
        """Every file whose octets are as the school made them, the superseded one too."""
        return sorted([*(self.folder / "records").glob("*.pdf"), *(self.folder / "superseded").glob("*.pdf")])

    def verify(self, *arguments: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit status, and the rows of `eduseal verify --format jsonl` by file name."""
        done = run(EDUSEAL, "verify", *arguments, "--format", "jsonl")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, {Path(row["file"]).name: row for row in rows}


def run(*command: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EDUSEAL_")}
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env={**clean, **(environment or {})}
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "show"
    done = run(EDUSEAL, "demo", "--folder", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return Demo(folder, done.stdout)


@pytest.fixture(scope="session")
def house(demo: Demo) -> Iterator[House]:
    """The demo's authority, opened as the service would."""
    opened = open_house(Settings.from_environment({}, home=demo.home), clock=utc_now, passphrase=passphrase_in(demo.folder / "passphrase"))
    yield opened
    opened.close()
