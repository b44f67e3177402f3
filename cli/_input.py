"""Files that a command is given, read in bounded memory."""

from __future__ import annotations

from pathlib import Path

from cli.main import DATA, NO_INPUT, UsageError


def read_input(path: str, *, limit: int) -> bytes:
    """The octets of a file; raises :class:`cli.main.UsageError` where it cannot be read or has more than `limit` octets."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror or type(exc).__name__}", status=NO_INPUT) from exc
    if len(data) > limit:
        raise UsageError(f"{path} has more than the {limit} octets that are read", status=DATA)
    return data
