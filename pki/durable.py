"""Files that are there whole or not at all: written aside, flushed to the disk, then given their name."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from pki.errors import KeyStoreError

OWNER_ONLY = 0o600
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)  # a memory stick knows no links


class FileTakenError(KeyStoreError):
    """A file of that name stands already; it was not touched."""


def write_new(path: Path, content: bytes) -> None:
    """Makes a file of mode 0600; raises :class:`FileTakenError`, or KeyStoreError where it cannot be written (a full disk)."""
    _write(path, content, replace=False)


def replace(path: Path, content: bytes) -> None:
    """Makes or replaces a file of mode 0600; raises :class:`pki.errors.KeyStoreError`."""
    _write(path, content, replace=True)


def read_private(path: Path, limit: int) -> bytes:
    """A file that its owner alone may read; raises FileNotFoundError or :class:`pki.errors.KeyStoreError` (mode, size, I/O)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise KeyStoreError(f"{path} is open to others (mode {mode & 0o777:04o}); run: chmod 600 {path}")
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise KeyStoreError(f"{path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    if len(content) > limit:
        raise KeyStoreError(f"{path} is longer than the {limit} octets expected")
    return content


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # mode 0600 from birth
        aside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                aside.replace(path)
            else:
                _name(aside, path)
        finally:
            aside.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except FileExistsError:
        raise FileTakenError(f"{path} stands already; it was not touched") from None
    except OSError as exc:
        raise KeyStoreError(f"{path} cannot be written: {exc.strerror or type(exc).__name__}; nothing was changed") from exc


def _name(aside: Path, path: Path) -> None:
    """By a link, which unlike a renaming fails where the name is taken."""
    try:
        os.link(aside, path)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, OWNER_ONLY))  # the name is ours, or it fails too
        aside.replace(path)


def _flush_folder(folder: Path) -> None:
    """So that the name survives a power cut as well as the content."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
