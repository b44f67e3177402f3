"""Sheets of activation codes: CSV files that are written once, whole, and are the only place where the codes ever stand.

    .part-ATTEMPT/00007-SM.csv      flushed to the disk before anything of the attempt is issued
    00007-SM.csv                    once the attempt has issued; the name is then never given again

The codes on a part open keys that are in the books from the moment that its attempt is the one that issued. A part of any other attempt
opens nothing, and is removed.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pki.durable import OWNER_ONLY
from records.bulk import BulkError

COLUMNS = ("holder", "name", "school", "class", "certificate", "activation_code")
ENDING = ".csv"
_BOM = b"\xef\xbb\xbf"  # spreadsheets take a CSV for UTF-8 by it
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Line:
    """A person's line. `certificate` is the serial number in lower-case hexadecimal."""

    holder: str
    name: str
    school: str
    place: str
    certificate: str
    activation_code: str = field(repr=False)


class SheetFolder:
    """The folder of one batch. Raises :class:`records.bulk.BulkError` where the disk does not take what it is given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> SheetFolder:
        """A folder of mode 0700, new or empty: sheets of another batch may be the only copy of codes."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise BulkError(f"{path} is not empty and may hold the only copy of codes; name another folder")
        except OSError as exc:
            raise _failed(path, exc) from exc
        return cls(path)

    def write(self, attempt: str, sheets: Mapping[str, Sequence[Line]]) -> None:
        """The sheets of an attempt, by name; on the disk when this returns, under the attempt's own name."""
        part = self._part(attempt)
        try:
            part.mkdir(mode=0o700, exist_ok=False)
            with contextlib.ExitStack() as opened:
                # all are written before the first is flushed: a disk that is asked once for many waits once
                files = [opened.enter_context(_written(part / f"{name}{ENDING}", lines)) for name, lines in sheets.items()]
                for file in files:
                    os.fsync(file.fileno())
            _flush(part)
            _flush(self.path)
        except OSError as exc:
            raise _failed(part, exc) from exc

    def discard(self, attempt: str) -> None:
        """Removes the part of an attempt that can issue nothing any more."""
        shutil.rmtree(self._part(attempt), ignore_errors=True)

    def publish(self, attempt: str, names: Sequence[str]) -> None:
        """Gives the sheets of an attempt that has issued their names. Repeating it is safe.

        Raises :class:`records.bulk.BulkError` where a sheet is neither under the one name nor under the other.
        """
        part = self._part(attempt)
        try:
            for name in names:
                _name(part / f"{name}{ENDING}", self.path / f"{name}{ENDING}")
            _flush(self.path)
            with contextlib.suppress(FileNotFoundError):
                part.rmdir()
        except OSError as exc:
            raise _failed(part, exc) from exc

    def _part(self, attempt: str) -> Path:
        return self.path / f".part-{attempt}"


def _written(path: Path, lines: Sequence[Line]) -> BinaryIO:
    """A new file with the lines, not flushed to the disk yet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for line in lines:
        cells = (line.holder, line.name, line.school, line.place, line.certificate, line.activation_code)
        # a cell that a spreadsheet would run as a formula gets an apostrophe before it (OWASP)
        writer.writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    file = os.fdopen(handle, "wb")
    try:
        file.write(_BOM + text.getvalue().encode())
        file.flush()
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        raise
    return file


def _name(part: Path, sheet: Path) -> None:
    """By a link, which unlike a renaming fails where the name is taken."""
    if not part.exists():
        if not sheet.exists():
            raise BulkError(
                f"{sheet} is missing, and so is {part}: certificates were issued whose codes it holds; look for it on the machine that"
                f" worked on the batch, or give its people new ones with `eduseal enrol --again`"
            )
        return
    try:
        os.link(part, sheet)
    except FileExistsError:
        if not sheet.samefile(part):
            raise BulkError(f"{sheet} stands already and is not the sheet of this batch; move it away, then resume") from None
    except OSError as exc:
        if exc.errno not in _NO_LINKS or sheet.exists():  # a memory stick knows no links
            raise
        part.rename(sheet)
        return
    part.unlink()


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(path: Path, exc: OSError) -> BulkError:
    return BulkError(f"{path} cannot be written: {exc.strerror or type(exc).__name__}; put that right, then resume the batch")
