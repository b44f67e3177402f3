"""Bombs among honest files cost their own lines and change no other (issue 5)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.corpus import all_cases
from tests.corpus.good import JUDGED, built, corpus_trust

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # builders may ask pikepdf for what it thinks unwise
FILES = 49
BOMBS = [case for case in all_cases() if case.attack_class in range(36, 41) and not case.honest]


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """49 files that are no bombs: honest, altered, unsigned."""
    folder = tmp_path_factory.mktemp("peaceful")
    others = [case for case in all_cases() if case.attack_class not in range(36, 41)]
    for number in range(FILES):
        case = others[number * len(others) // FILES]
        (folder / f"{number:02}-{case.id}.pdf").write_bytes(built(case))
    return folder


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "anchors.pem"
    pems = [x509.load_der_x509_certificate(anchor.certificate_der).public_bytes(Encoding.PEM) for anchor in corpus_trust().anchors]
    path.write_bytes(b"".join(pems))
    return path


def lines(eduseal: Run, folder: Path, trust: Path) -> dict[str, dict[str, object]]:
    """The rows by file name, without the time that each took."""
    _, out, err = eduseal("verify", folder, "--trust", trust, "--at", JUDGED.isoformat(), "--format", "jsonl", "--workers", 2)
    assert err == ""
    rows = {Path(row["file"]).name: row for row in map(json.loads, out.splitlines())}
    return {name: {key: value for key, value in row.items() if key not in ("ms", "file")} for name, row in rows.items()}


def test_one_bomb_among_fifty_files_changes_no_other_line(eduseal: Run, peaceful: Path, trust: Path, tmp_path: Path) -> None:
    before = lines(eduseal, peaceful, trust)
    assert len(before) == FILES
    shutil.copytree(peaceful, tmp_path / "mixed")
    bomb = next(case for case in BOMBS if case.id == "36-double-flate")
    (tmp_path / "mixed" / "24-z-bomb.pdf").write_bytes(built(bomb))
    after = lines(eduseal, tmp_path / "mixed", trust)
    assert after.pop("24-z-bomb.pdf")["indication"] == "TOTAL-FAILED"
    assert after == before


def test_every_bomb_among_the_files_changes_no_other_line(eduseal: Run, peaceful: Path, trust: Path, tmp_path: Path) -> None:
    before = lines(eduseal, peaceful, trust)
    shutil.copytree(peaceful, tmp_path / "mixed")
    for number, case in enumerate(BOMBS):
        (tmp_path / "mixed" / f"{number * FILES // len(BOMBS):02}-z-{case.id}.pdf").write_bytes(built(case))
    after = lines(eduseal, tmp_path / "mixed", trust)
    assert {name: row for name, row in after.items() if "-z-" not in name} == before
    assert {row["indication"] for name, row in after.items() if "-z-" in name} <= {"TOTAL-FAILED", "INDETERMINATE"}
