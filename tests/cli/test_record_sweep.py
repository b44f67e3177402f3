"""`eduseal record sweep`: transcripts."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

PDF = b"%PDF left behind"
NAME = hashlib.sha256(PDF).hexdigest()


@pytest.fixture
def documents(desk) -> Path:
    return Path(os.environ["EDUSEAL_HOME"]) / "documents"


def leave(documents: Path, octets: bytes = PDF) -> Path:
    digest = hashlib.sha256(octets).hexdigest()
    path = documents / digest[:2] / digest[2:4] / f"{digest}.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def test_a_file_without_a_row_is_moved_and_told(desk, documents):
    left = leave(documents)
    status, out, err = desk("record", "sweep")
    first, second = out.splitlines()
    assert (status, err) == (0, "")
    assert first.endswith(f"files are named by no record, moved into {documents / 'orphans'}.")
    assert second == f"  orphans/{NAME}.pdf"
    assert (left.exists(), (documents / "orphans" / f"{NAME}.pdf").read_bytes()) == (False, PDF)
    assert desk("record", "sweep")[1].startswith("0 of ")


def test_a_look_moves_nothing(desk, documents):
    left = leave(documents)
    assert f"  {NAME[:2]}/{NAME[2:4]}/{NAME}.pdf\n" in desk("record", "sweep", "--look")[1]
    assert left.exists()


def test_a_database_that_knows_hardly_any_document_is_taken_for_another(desk, documents):
    left = [leave(documents, b"%%PDF %d" % number) for number in range(40)]
    status, out, err = desk("record", "sweep")
    assert (status, out) == (65, "")
    assert "are named by no record; is this the database of this home? Nothing was moved" in err
    assert all(path.exists() for path in left)
    assert desk("record", "sweep", "--many")[0] == 0
    assert not any(path.exists() for path in left)
