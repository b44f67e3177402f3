"""PINs and codes: from a file, from standard input, or asked for without echo. Never from an argument, which others on the machine see."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from cli.main import DATA, NO_INPUT, UsageError
from pki.durable import read_private

STDIN = "-"
MAX_SECRET = 4096  # octets of the file, characters of the line


def secret(what: str, *, flag: str, file: str | None, twice: bool = False) -> str:
    """The first line of `file`, which its owner alone may read; of "-", the next line of standard input; of None, asked for.

    `flag` is the option that names the file; `twice` asks again, for a secret that is chosen now. Raises :class:`cli.main.UsageError`,
    and :class:`pki.errors.KeyStoreError` where others may read the file.
    """
    if file == STDIN:
        found = sys.stdin.readline(MAX_SECRET).rstrip("\r\n")
    elif file is not None:
        found = _in_file(what, Path(file))
    elif sys.stdin.isatty():
        found = getpass.getpass(f"{what}: ")
        if twice and getpass.getpass(f"{what} again: ") != found:
            raise UsageError(f"{what}: the two differ; nothing was changed")
    else:
        raise UsageError(f"{what}: nobody is here to ask; name a file with {flag} FILE, or {flag} - for a line of standard input")
    if not found:
        raise UsageError(f"{what}: got nothing; expected it on the first line", status=DATA)
    return found


def new_passphrase(question: str) -> str:
    """One that is chosen now, asked for twice without echo."""
    first = getpass.getpass(question)
    if getpass.getpass("Again: ") != first:
        raise UsageError("the two passphrases differ; nothing was made")
    return first


def _in_file(what: str, file: Path) -> str:
    try:
        return read_private(file, MAX_SECRET).decode("utf-8").partition("\n")[0].rstrip("\r")
    except FileNotFoundError:
        raise UsageError(f"{what}: {file} is not there", status=NO_INPUT) from None
    except UnicodeDecodeError:
        raise UsageError(f"{what}: {file} is not UTF-8 text", status=DATA) from None
