"""Where the key store's passphrase comes from: a file, the environment, or somebody at the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pki.durable import read_private
from pki.errors import KeyStoreError

VARIABLE = "EDUSEAL_PASSPHRASE"
MIN_PASSPHRASE = 8  # characters; the derivation is slow, but a one-letter passphrase defeats it
MAX_PASSPHRASE_FILE = 4096  # octets


class PassphraseError(KeyStoreError):
    """There is no usable passphrase. The message never shows it."""


def find_passphrase(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    prompt: Callable[[str], str] | None = None,
) -> str:
    """The passphrase: from `file` where one is named, else from the environment, else asked for with `prompt`.

    `prompt` takes the question and must not echo, as :func:`getpass.getpass`. Raises :class:`PassphraseError`, and KeyStoreError where the
    file is open to others.
    """
    if file is not None:
        return passphrase_in(file)
    found = (environment or {}).get(VARIABLE, "")
    if not found and prompt is not None:
        found = prompt("Passphrase of the key store: ")
    if not found:
        raise PassphraseError(f"no passphrase for the key store: name a passphrase file, or set {VARIABLE}")
    return found


def passphrase_in(file: Path) -> str:
    """The first line of a UTF-8 file that its owner alone may read; raises :class:`PassphraseError` or KeyStoreError."""
    try:
        content = read_private(file, MAX_PASSPHRASE_FILE)
        passphrase = content.decode("utf-8").partition("\n")[0].rstrip("\r")
    except FileNotFoundError:
        raise PassphraseError(f"passphrase file {file} is not there") from None
    except UnicodeDecodeError:
        raise PassphraseError(f"passphrase file {file} is not UTF-8 text") from None
    if not passphrase:
        raise PassphraseError(f"passphrase file {file}: the first line is empty")
    return passphrase


def check_passphrase(passphrase: str) -> None:
    """For a new passphrase; raises :class:`PassphraseError`."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise PassphraseError(f"the passphrase has {len(passphrase)} characters, expected at least {MIN_PASSPHRASE}")
