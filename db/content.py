"""Bytes on disk: a folder of PDFs, each written whole or not at all. The books (`db.documents`) say which file is which."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from db.errors import ContentError

SUFFIX = ".part"  # where unnamed files cannot be made: a file of this name was being written when its process died
OWNER_ONLY = 0o600
ORPHANS = "orphans"  # files that no row names, moved there by `eduseal record sweep`
MAX_NAMESAKES = 100

_HEX_FOLDER = re.compile("[0-9a-f]{2}")
_DOCUMENT = re.compile(r"[0-9a-f]{64}\.pdf")  # as db.documents names them
_UNFINISHED = re.compile(r"tmp[0-9a-z_]+\.part")


class ContentFolder:
    """Files under `root`, readable by their owner alone. Folders are made as they are needed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: PurePosixPath, data: bytes) -> bool:
        """Makes the octets durable before the file has its name. True where the file is new. Raises :class:`ContentError`."""
        target = self._root / path
        try:
            new = not target.exists()
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                if not (new and _write_unnamed(folder, target.name, data)):
                    _write_renamed(target, data)
                os.fsync(folder)  # the name itself survives a power cut
            finally:
                os.close(folder)
        except OSError as exc:
            raise ContentError(f"{target} cannot be written: {exc.strerror or type(exc).__name__}") from exc
        return new

    def get(self, path: PurePosixPath, *, sha256: str) -> bytes:
        """Raises :class:`ContentError` where the file is missing or its SHA-256 (lower-case hexadecimal) differs."""
        target = self._root / path
        try:
            data = target.read_bytes()
        except OSError as exc:
            raise ContentError(f"{target} cannot be read: {exc.strerror or type(exc).__name__}; restore it from a backup") from exc
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise ContentError(f"{target} has SHA-256 {found}, the books say {sha256}; restore it from a backup")
        return data

    def remove(self, path: PurePosixPath) -> None:
        """A file that is gone already is as good as removed."""
        with contextlib.suppress(OSError):
            (self._root / path).unlink()

    def older_than(self, moment: datetime) -> Iterator[PurePosixPath]:
        """Documents, and files that were never finished, last written before `moment`; whatever has another name is not ours to look at.

        Raises :class:`ContentError`.
        """
        try:
            for first in _folders(self._root):
                for second in _folders(first):
                    with os.scandir(second) as entries:
                        ours = sorted(entry.name for entry in entries if _is_ours(entry, first.name, second.name, moment))
                    yield from (PurePosixPath(first.name, second.name, name) for name in ours)
        except OSError as exc:
            raise ContentError(f"{exc.filename or self._root} cannot be read: {exc.strerror or type(exc).__name__}") from exc

    def set_aside(self, path: PurePosixPath, *, older_than: datetime) -> PurePosixPath | None:
        """Moves a file into the folder `orphans`, where it never replaces another; None where it is gone or was written since.

        One caller at a time. Raises :class:`ContentError`.
        """
        source, folder = self._root / path, self._root / ORPHANS
        try:
            if source.stat(follow_symlinks=False).st_mtime >= older_than.timestamp():
                return None
            folder.mkdir(mode=0o700, exist_ok=True)
            names = (path.name, *(f"{path.stem}.{number}{path.suffix}" for number in range(2, MAX_NAMESAKES)))
            free = next((name for name in names if not os.path.lexists(folder / name)), None)
            if free is None:
                raise ContentError(f"{folder} holds {MAX_NAMESAKES - 1} files {path.name} already; move them away")
            source.rename(folder / free)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise ContentError(f"{source} cannot be moved to {folder}: {exc.strerror or type(exc).__name__}") from exc
        return PurePosixPath(ORPHANS, free)


def _folders(root: Path) -> list[Path]:
    """The folders named by two hexadecimal digits, as documents lie in them."""
    with os.scandir(root) as entries:
        return sorted(Path(entry.path) for entry in entries if _HEX_FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False))


def _is_ours(entry: os.DirEntry[str], first: str, second: str, moment: datetime) -> bool:
    named = _DOCUMENT.fullmatch(entry.name) is not None and entry.name.startswith(first + second)
    try:
        return (
            (named or _UNFINISHED.fullmatch(entry.name) is not None)
            and entry.is_file(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_mtime < moment.timestamp()
        )
    except FileNotFoundError:
        return False  # replaced while we looked


def _write_unnamed(folder: int, name: str, data: bytes) -> bool:
    """Writes a file that gets its name last, so that a process killed half-way leaves nothing. False where the system cannot do that."""
    try:
        handle = os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, OWNER_ONLY, dir_fd=folder)
    except (AttributeError, OSError):  # not Linux, or a file system without unnamed files
        return False
    with os.fdopen(handle, "wb") as file:
        _write_durably(file, data)
        try:
            # open(2), O_TMPFILE; with a descriptor for the source, Python follows the link by linkat(2)
            os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        except OSError:  # no /proc, or somebody was faster
            return False
    return True


def _write_renamed(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=SUFFIX)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            _write_durably(file, data)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write_durably(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
