"""Bytes on disk: a folder of PDFs, each written whole or not at all. The books (`db.documents`) say which file is which."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path, PurePosixPath

from db.errors import ContentError

SUFFIX = ".part"  # a file of this name was being written when its process died


class ContentFolder:
    """Files under `root`, readable by their owner alone. Folders are made as they are needed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: PurePosixPath, data: bytes) -> bool:
        """Writes a temporary file, makes it durable, then renames it. True where the file is new. Raises :class:`ContentError`."""
        target = self._root / path
        try:
            new = not target.exists()
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, suffix=SUFFIX)  # mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # the rename itself survives a power cut
    finally:
        os.close(handle)
