"""A list of what is to be verified: a path a line, as `find` writes it, or ended by NUL octets as `find -print0` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cli.main import NO_INPUT, UsageError

MAX_LIST = 256 * 1024 * 1024  # octets: paths of a million documents
STANDARD_INPUT = "-"


def listed(name: str) -> list[str]:
    """The paths in the file `name`, or on standard input where it is `-`; raises :class:`UsageError` for none, or too many."""
    if name == STANDARD_INPUT:
        data = sys.stdin.buffer.read(MAX_LIST + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(MAX_LIST + 1)
    if len(data) > MAX_LIST:
        raise UsageError(f"{name}: more than the {MAX_LIST} octets that are read of a list", status=NO_INPUT)
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    if paths := [os.fsdecode(line) for line in lines if line]:
        return paths
    raise UsageError(f"{name}: lists no file, folder or archive", status=NO_INPUT)
