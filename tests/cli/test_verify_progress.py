"""What `eduseal verify` shows on a terminal: rows above the bar, each once and whole, and figures that a narrow one has room for."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2]
EDUSEAL = (sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main())", "verify")
COUNT = 200
_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(params=[40, 100], ids=["narrow", "wide"])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, list[str]]:
    """Columns of a terminal, and what was written on it, line by line, those that were drawn over too."""
    for number in range(COUNT):
        (tmp_path / f"{number:03}.pdf").write_bytes(b"%PDF-1.7 and no more")
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, request.param, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}} | {"TERM": "xterm"}
    with subprocess.Popen(
        (*EDUSEAL, "."), cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "PYTHONPATH": str(ROOM)}
    ):
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:
            pass  # Linux says so where the other end of a terminal was closed
    os.close(ours)
    return request.param, re.split(r"[\r\n]+", _MOVES.sub("", b"".join(parts).decode()))


def test_rows_stand_above_the_bar_once_each_and_whole(shown: tuple[int, list[str]]) -> None:
    _, lines = shown
    rows = [line for line in lines if line.startswith("NO-SIGNATURE")]
    assert [row.split() for row in rows] == [["NO-SIGNATURE", "unknown", f"{number:03}.pdf"] for number in range(COUNT)]
    assert f"{COUNT} documents: {COUNT} NO-SIGNATURE" in lines


def test_bar_tells_count_rate_and_time_left_in_a_line(shown: tuple[int, list[str]]) -> None:
    columns, lines = shown
    drawn = [line for line in lines if re.search(rf"\d+/{COUNT} [0-9.]+/s +[0-9:-]+$", line)]
    assert drawn
    assert all(len(line) <= columns and "…" not in line for line in drawn)
    assert all(line.startswith("Verifying") == (columns == 100) for line in drawn)
