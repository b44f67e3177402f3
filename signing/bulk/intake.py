"""From paths to documents: a file, a folder with all below it, or a ZIP archive, read within bounds.

A name is shown as the caller gave it; a member of an archive is `archive.zip:folder/member.pdf`.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from signing.errors import LimitError, SigningError

MAX_DOCUMENT = 256 * 1024 * 1024  # octets of one document
MAX_MEMBERS = 200_000  # entries of one archive
MAX_DIRECTORY = 128 * 1024 * 1024  # octets of the list of an archive's entries; each has some 46, and its name
MAX_RATIO = 200  # unpacked to packed octets of one member; a PDF is mostly compressed already
RATIO_FLOOR = 1024 * 1024  # octets below which the ratio does not matter
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_ENTRY = b"PK\x01\x02"  # begins each entry of an archive's directory
_CHUNK = 1024 * 1024
_ENCRYPTED = 0x1  # bit of a member's flags


class IntakeError(SigningError):
    """A path cannot be read; the message names it. A usage or I/O error of the caller's, never a verdict."""


@dataclass(frozen=True)
class Item:
    """One document to judge. `member` is its index in the archive at `path`; `size` in octets as announced, not yet as read."""

    name: str
    path: str
    member: int | None = None
    size: int = 0


def find_items(paths: Sequence[str]) -> Iterator[Item]:
    """The documents under `paths`, in the order given and sorted within a folder; raises :class:`IntakeError`.

    Folders are searched for `*.pdf` (any case); links to folders are not followed, and only regular files are opened.
    """
    for text in paths:
        path = Path(text)
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as exc:
            raise IntakeError(f"{text}: cannot be read ({_reason(exc)})") from exc
        if stat.S_ISDIR(mode):
            yield from _folder(text)
        elif not stat.S_ISREG(mode):
            raise IntakeError(f"{text}: is neither a file nor a folder")
        elif _is_zip(path):
            yield from _archive(text)
        else:
            yield Item(name=text, path=text, size=path.stat().st_size)


def read_item(item: Item) -> bytes:
    """The document's octets; raises :class:`IntakeError`, or :class:`LimitError` for one that is too large or unpacks suspiciously."""
    if item.size > MAX_DOCUMENT:
        raise LimitError(f"{item.size} octets, more than the {MAX_DOCUMENT} that are read of one document")
    try:
        if item.member is None:
            with Path(item.path).open("rb") as file:
                data = file.read(MAX_DOCUMENT + 1)
        else:
            data = _read_member(item.path, item.member)
    except (LimitError, IntakeError):
        raise
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError, IndexError) as exc:
        raise IntakeError(f"{item.name}: cannot be read ({_reason(exc)})") from exc
    except Exception as exc:
        # zlib.error, lzma.LZMAError and kin share no base; a broken member must not end the run over its archive
        raise IntakeError(f"{item.name}: cannot be unpacked ({type(exc).__name__})") from exc
    if len(data) > MAX_DOCUMENT:
        raise LimitError(f"more than the {MAX_DOCUMENT} octets that are read of one document")
    return data


def _folder(text: str) -> Iterator[Item]:
    def refuse(error: OSError) -> None:
        raise IntakeError(f"{error.filename}: cannot be read ({_reason(error)})") from error

    for root, folders, files in os.walk(text, onerror=refuse):
        folders.sort()
        above = str(Path(root) / "_").removesuffix("_")  # once: a path made for each of a million files is a minute
        for file in sorted(files):
            if file.lower().endswith(".pdf") and (size := _size(name := above + file)) is not None:
                yield Item(name=name, path=name, size=size)


def _size(path: str) -> int | None:
    """Octets of a regular file; None for anything else, also for a link to nowhere."""
    try:
        status = os.stat(path)  # noqa: PTH116 (see above)
    except OSError as exc:
        if exc.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return None
        raise IntakeError(f"{path}: cannot be read ({_reason(exc)})") from exc
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in _ZIP_MAGIC
    except OSError as exc:
        raise IntakeError(f"{path}: cannot be read ({_reason(exc)})") from exc


class _Directory(io.FileIO):
    """An archive whose directory is looked at before anything is made of its entries, some 400 octets of memory each."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise IntakeError(f"{self.name}: a directory of {size} octets, more than the {MAX_DIRECTORY} that are read of one archive")
        data = super().read(size)
        if (count := data.count(_ENTRY)) > MAX_MEMBERS:
            raise IntakeError(f"{self.name}: {count} entries, more than the {MAX_MEMBERS} that are read of one archive")
        return data


def _archive(text: str) -> Iterator[Item]:
    try:
        with _Directory(text) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
        raise IntakeError(f"{text}: is not a ZIP archive that can be read ({_reason(exc)})") from exc
    if entries and min(entry.header_offset for entry in entries) > 0:
        raise IntakeError(
            f"{text}: holds something before what its directory names, as an archive does that was cut off; pack the files anew"
        )
    if sum(entry.compress_size for entry in entries) > Path(text).stat().st_size:
        raise IntakeError(f"{text}: its entries overlap, as in a ZIP bomb; pack the files anew")
    for index, entry in enumerate(entries):
        if entry.filename.lower().endswith(".pdf"):  # no folder: those end with a slash; a member may have no name at all
            yield Item(name=f"{text}:{entry.filename}", path=text, member=index, size=entry.file_size)


def _read_member(path: str, member: int) -> bytes:
    status = Path(path).stat()
    archive = _opened(path, status.st_mtime_ns, status.st_size)
    entry = archive.infolist()[member]
    if entry.flag_bits & _ENCRYPTED:
        raise IntakeError(f"{path}:{entry.filename}: cannot be read (it is encrypted)")
    if entry.file_size > RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        raise LimitError(f"unpacks from {entry.compress_size} to {entry.file_size} octets, more than {MAX_RATIO} times")
    parts: list[bytes] = []
    left = min(entry.file_size, MAX_DOCUMENT) + 1  # the announced size is the archive's own claim
    with archive.open(entry) as file:
        while left > 0 and (part := file.read(min(_CHUNK, left))):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


@lru_cache(maxsize=1)
def _opened(path: str, modified_ns: int, size: int) -> zipfile.ZipFile:  # noqa: ARG001 (they tell a changed archive from the same one)
    """The archive, kept open: reading its directory anew for each of thousands of members would cost more than the members."""
    return zipfile.ZipFile(path)


def _reason(exc: Exception) -> str:
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc).splitlines()[0][:120] if str(exc) else type(exc).__name__
