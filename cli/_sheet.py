"""The sheet of activation codes: the only place where they ever stand. One line a person, to be cut apart and handed over."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType

from cli._table import csv_line
from cli.main import IO, UsageError
from pki.durable import OWNER_ONLY
from records.enrolment import Enrolled
from records.person import Person, School, Student

COLUMNS = ("holder", "name", "school", "class", "certificate", "activation_code")
_BOM = b"\xef\xbb\xbf"  # spreadsheets take a CSV for UTF-8 by it


class Sheet:
    """Codes are nowhere else, so each line is on the disk before the next certificate is made. A sheet without people is removed."""

    def __init__(self, path: str, handle: int) -> None:
        """`handle` is open for writing; use :meth:`create`."""
        self.people = 0
        self._path, self._handle, self._size = path, handle, 0

    @classmethod
    def create(cls, path: str) -> Sheet:
        """A new file of mode 0600; raises :class:`cli.main.UsageError` where one stands already, or it cannot be written."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
        except FileExistsError:
            raise UsageError(f"{path} stands already and may hold the only copy of codes; name another file") from None
        except OSError as exc:
            raise UsageError(f"{path} cannot be made: {exc.strerror or type(exc).__name__}", status=IO) from exc
        sheet = cls(path, handle)
        try:
            sheet._append(_BOM + csv_line(COLUMNS).encode())
        except OSError as exc:
            sheet.close()
            raise UsageError(f"{path} cannot be written: {exc.strerror or type(exc).__name__}; nobody was enrolled", status=IO) from exc
        return sheet

    def add(self, enrolled: Enrolled, who: Person, school: School) -> None:
        """Raises :class:`cli.main.UsageError` where the line cannot be written: then that code is lost, and the message says what to do."""
        place = who.class_name if isinstance(who, Student) else who.homeroom or ""
        cells = (who.id, who.name, school.short_name, place, f"{enrolled.certificate.serial:x}", enrolled.activation_code.text)
        try:
            self._append(csv_line(cells).encode())
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self._size)  # no half line
            why = exc.strerror or type(exc).__name__
            lost = f"the code of {who.id} is lost: make room, then `eduseal enrol --again {who.id} --sheet ANOTHER`"
            raise UsageError(f"{self._path} cannot be written after {self.people} people: {why}; {lost}", status=IO) from exc
        self.people += 1

    def close(self) -> None:
        os.close(self._handle)
        if not self.people:
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 (the path is the caller's text)

    def __enter__(self) -> Sheet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._handle, view) :]
        os.fsync(self._handle)
        self._size += len(line)
