"""`eduseal verify` cut short: by an interrupt, by the end of its process, by streams that are closed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2]
EDUSEAL = (sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main())", "verify")
COUNT = 3_000
# a document whose reading never ends: a pipe that nobody writes into, which no folder hands out
STUCK = """
import sys
from datetime import UTC, datetime
from signing.bulk.pool import Item, Pool
from signing.bulk.task import Task
from signing.trust.store import TrustStore
from tests.support.verify_cases import RECORD
with Pool(Task(policy=RECORD, trust=TrustStore.read([]), at=datetime.now(UTC)), workers=1) as pool:
    rows = pool.run([Item("first.pdf", "first.pdf"), Item("pipe.pdf", sys.argv[1])])
    next(rows)
    print(pool._all[0].pid, flush=True)
    next(rows)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(COUNT):
        (folder / f"{number:04}.pdf").write_bytes(b"%PDF-1.7 and no more")
    return folder


def await_first(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any("0000.pdf" in line for line in iter(process.stdout.readline, ""))


@pytest.fixture
def begun(many: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that has told of its first documents, in a session of its own, as a terminal's is."""
    arguments = (*EDUSEAL, str(many), "--report", str(tmp_path / "r.jsonl"), "--workers", "1")
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=ROOM, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        await_first(process)
        yield process


def gone(pid: int) -> bool:
    """Whether the process ends; a minute is for a machine that is busy."""
    for _ in range(600):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def test_interrupt_says_what_is_kept_and_how_to_go_on(begun: subprocess.Popen[str], tmp_path: Path) -> None:
    os.killpg(begun.pid, signal.SIGINT)
    _, err = begun.communicate(timeout=60)
    kept = len((tmp_path / "r.jsonl.partial").read_bytes().splitlines()) - 1
    told = [
        f"eduseal: interrupted; {tmp_path}/r.jsonl.partial keeps {count} of {COUNT} rows: go on by the same command with --resume\n"
        for count in (kept, kept - 1)  # an interrupt may come between a row and its being counted
    ]
    assert err in told
    assert begun.returncode == 130


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGKILL])
def test_worker_whose_parent_has_ended_says_nothing(begun: subprocess.Popen[str], told: signal.Signals) -> None:
    begun.send_signal(told)
    assert begun.communicate(timeout=60)[1] == ""


def test_interrupt_without_a_report_says_that_one_would_help(eduseal_interrupted: tuple[int, str]) -> None:
    status, err = eduseal_interrupted
    assert status == 130
    assert f" of {COUNT} documents; a run with --report FILE can be gone on with later\n" in err


@pytest.fixture
def eduseal_interrupted(many: Path) -> tuple[int, str]:
    arguments = (*EDUSEAL, str(many), "--workers", "1")
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=ROOM, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        await_first(process)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    return process.returncode, err


def test_folder_that_is_removed_meanwhile_ends_the_run_which_says_what_is_kept(many: Path, tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "1.pdf").write_bytes(b"")
    arguments = (*EDUSEAL, str(many), str(tmp_path / "later"), "--report", str(tmp_path / "r.jsonl"), "--workers", "1")
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=ROOM, stdout=pipe, stderr=pipe, text=True) as process:
        await_first(process)
        shutil.rmtree(tmp_path / "later")
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 66
    assert err.startswith(
        f"eduseal: {tmp_path}/later: cannot be read (No such file or directory); interrupted; {tmp_path}/r.jsonl.partial keeps "
    )


@pytest.mark.skipif(sys.platform != "linux", reason="what ends a process with its parent is Linux's")
@pytest.mark.parametrize("stopped", [False, True])
def test_worker_that_is_stuck_ends_with_its_parent(tmp_path: Path, *, stopped: bool) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    arguments = (sys.executable, "-c", STUCK, str(tmp_path / "pipe.pdf"))
    with subprocess.Popen(arguments, cwd=ROOM, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        if stopped:
            os.kill(worker, signal.SIGSTOP)
        process.kill()
    assert gone(worker)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_status(good_pdf: Path, root_pem: Path, moment: str, closed: str) -> None:
    words = (*EDUSEAL, str(good_pdf), "--trust", str(root_pem), "--at", moment, "--report", str(good_pdf.with_name("closed.csv")))
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *words], cwd=ROOM, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert good_pdf.with_name("closed.csv").read_bytes().count(b"TOTAL-PASSED") == 1
