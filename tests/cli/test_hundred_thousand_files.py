"""Memory over a hundred thousand files: the process that hands them out holds no more at the end than after a tenth of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.signing_cases import foreign_pdf

ROOT = Path(__file__).parents[2]
GROWTH = 8 * 1024 * 1024  # octets
IN_A_FOLDER = 1_000
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell of memory")


def resident(pid: int) -> int:
    """Octets of memory that process `pid` holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def make_files(folder: Path, count: int) -> None:
    """Unsigned documents: links to one file, since the process that hands them out sees only names and rows."""
    for number in range(count):
        place = folder / f"class-{number // IN_A_FOLDER:03}"
        if number % IN_A_FOLDER == 0:  # file systems bound the links to one file
            place.mkdir()
            (place / "seed").write_bytes(foreign_pdf())
        (place / f"{number:06}.pdf").hardlink_to(place / "seed")


def command(folder: Path, report: Path, *more: str) -> list[str]:
    run = "import sys; from cli.main import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-W", "ignore", "-c", run, "verify", str(folder), "--format", "jsonl", "--report", str(report), *more]


def watched(folder: Path, report: Path, count: int) -> dict[int, int]:
    """What the parent holds, by rows written; the run must end well."""
    journal = report.with_name(report.name + ".partial")
    held: dict[int, int] = {}
    with subprocess.Popen(command(folder, report, "--workers", "2"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        line = 0
        while run.poll() is None:
            if journal.exists():
                line = line or _line_length(journal)
                done = journal.stat().st_size // line if line else 0
                if count // 10 <= done < count:
                    held[done] = resident(run.pid)
            time.sleep(0.01)
    assert run.returncode == 2  # unsigned documents
    assert len(_names(report)) == count
    return held


def _line_length(journal: Path) -> int:
    with journal.open("rb") as file:
        file.readline()
        return len(file.readline())


def grows_by(folder: Path, count: int) -> int:
    make_files(folder / "in", count)
    held = watched(folder / "in", folder / "report.jsonl", count)
    early, late = (
        [octets for done, octets in held.items() if done < count // 3],
        [octets for done, octets in held.items() if done > count // 2],
    )
    assert early, held
    assert late, held
    return max(late) - max(early)


def test_memory_does_not_grow_over_five_thousand_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert grows_by(tmp_path, 5_000) < GROWTH


@pytest.mark.long
def test_memory_does_not_grow_over_a_hundred_thousand_files_and_the_run_resumes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert grows_by(tmp_path, 100_000) < GROWTH
    half = tmp_path / "half.jsonl"
    with subprocess.Popen(
        command(tmp_path / "in", half, "--workers", "2"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        journal = half.with_name("half.jsonl.partial")
        while run.poll() is None and not (journal.exists() and journal.stat().st_size > 10_000_000):
            time.sleep(0.1)
        run.kill()
    assert journal.exists()
    done = subprocess.run(
        command(tmp_path / "in", half, "--workers", "2", "--resume"), cwd=ROOT, capture_output=True, check=False, timeout=1_200
    )
    assert done.returncode == 2
    assert _names(half) == _names(tmp_path / "report.jsonl")


def _names(report: Path) -> list[bytes]:
    with report.open("rb") as file:
        return [line[: line.index(b'"sha256"')] for line in file]
