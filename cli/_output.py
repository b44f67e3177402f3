"""Files that a command writes: there whole or not at all, readable by their owner alone, and never in the place of another unasked."""

from __future__ import annotations

from pathlib import Path

from cli.main import IO, UsageError
from pki.durable import FileTakenError, replace, write_new
from pki.errors import KeyStoreError


def write_output(path: str, data: bytes, *, hint: str, force: bool = False) -> None:
    """Writes and says so; `hint` tells what to do where a file stands there. Raises :class:`cli.main.UsageError`."""
    try:
        (replace if force else write_new)(Path(path), data)
    except FileTakenError:
        raise taken(path, hint) from None
    except KeyStoreError as exc:
        raise UsageError(str(exc), status=IO) from exc
    print(f"Written: {path}")


def taken(path: str, hint: str) -> UsageError:
    return UsageError(f"{path} stands already and was not touched; {hint}")
