"""The journal of a bulk run on a disk that runs full: whole rows or none, and no report that is half one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signing.bulk.intake import find_items
from signing.bulk.journal import Journal, JournalError, settings_digest
from signing.bulk.task import Task
from signing.trust.store import TrustStore
from tests.support.verify_cases import ADES, RECORD

ROW = {"file": "a.pdf", "sha256": "00" * 32, "messages": ["x" * 3000]}


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"missing/report\.csv: cannot be written \(No such file or directory\)"):
        Journal(tmp_path / "missing" / "report.csv", settings="s", at=None, resume=False)


def test_a_full_disk_keeps_whole_rows_and_says_how_many(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk."""
    report = tmp_path / "report.jsonl"
    script = f"""
import resource, signal, sys
from pathlib import Path
from signing.bulk.journal import Journal, JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
journal = Journal(Path({str(report)!r}), settings="s", at=None, resume=False)
try:
    for number in range(5):
        journal.append({{**{ROW!r}, "file": str(number)}})
except JournalError as exc:
    print(exc)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "cannot be written (No space left on device); report.jsonl.partial keeps the 2 rows so far for --resume" in told
    lines = (tmp_path / "report.jsonl.partial").read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    assert all(line.endswith(b"\n") for line in lines)
    assert not report.exists()


def test_a_disk_that_is_full_from_the_start_leaves_no_journal(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    script = f"""
import resource, signal
from pathlib import Path
from signing.bulk.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
Journal(Path({str(report)!r}), settings="s", at=None, resume=False)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "JournalError" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_documents_of_one_name_keep_a_row_each(tmp_path: Path) -> None:
    """As two members of an archive may: a reader who unpacks it sees one of them, and the report must not show the other one twice."""
    report = tmp_path / "report.jsonl"
    journal = Journal(report, settings="s", at=None, resume=False)
    for sha256, indication in (("00" * 32, "TOTAL-FAILED"), ("11" * 32, "TOTAL-PASSED")):
        journal.append({**ROW, "sha256": sha256, "indication": indication})
    journal.finish("jsonl", lambda row: row)
    assert [json.loads(line)["indication"] for line in report.read_text().splitlines()] == ["TOTAL-FAILED", "TOTAL-PASSED"]


def test_a_resumed_run_takes_no_row_of_another_document_of_the_same_name(tmp_path: Path) -> None:
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.pdf", b"forged")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.pdf", b"genuine")
    forged, genuine = find_items([str(archive)])
    report = tmp_path / "report.jsonl"
    first = Journal(report, settings="s", at=None, resume=False)
    first.append({**ROW, "file": genuine.name, "sha256": hashlib.sha256(b"genuine").hexdigest()})
    first.close()
    again = Journal(report, settings="s", at=None, resume=True)
    assert again.find(forged) is None
    assert again.find(genuine) is not None
    again.close()


def test_what_a_run_is_judged_by_is_told_alike_in_every_process() -> None:
    """The members of a set stand in another order in each process."""
    script = """
from datetime import UTC, datetime
from signing.bulk.journal import settings_digest
from signing.bulk.task import Task
from signing.trust.store import TrustStore
from tests.support.verify_cases import ADES
print(settings_digest(Task(ADES, TrustStore(()), datetime(2026, 9, 5, tzinfo=UTC))))
"""

    def told(seed: int) -> str:
        place = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[3])}
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=place).stdout

    assert len({told(seed) for seed in range(4)}) == 1


def test_another_policy_is_another_run() -> None:
    moment = datetime(2026, 9, 5, tzinfo=UTC)
    assert settings_digest(Task(ADES, TrustStore(()), moment)) != settings_digest(Task(RECORD, TrustStore(()), moment))
