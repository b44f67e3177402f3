"""The journal of a bulk run: every row as it is made, so that an interrupted run goes on where it stopped, and a report that appears whole.

The journal of `report.csv` is `report.csv.partial`: a first line that fixes what the run is judged by, then one row a line. When the run
is done the report is written beside it and renamed into place, and the journal goes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO

from signing.bulk.intake import Item, read_item
from signing.bulk.task import Task
from signing.errors import SigningError
from signing.reports.report import Row, jsonl_line, write


class JournalError(SigningError):
    """A journal cannot be continued: it is another run's, or no journal at all; or a report cannot be written."""


def settings_digest(task: Task) -> str:
    """What makes two runs comparable: policy, anchors, evidence, engine, network or none; SHA-256 in hexadecimal."""
    trust = sorted(task.trust.anchors, key=lambda anchor: anchor.fingerprint)
    supplied = sorted(hashlib.sha256(der).hexdigest() for der in (*task.supplied.certificates, *task.supplied.crls, *task.supplied.ocsps))
    settings = (
        task.policy,
        [(one.fingerprint, one.constraints) for one in trust],
        task.trust.registered,
        supplied,
        task.engine,
        task.network,
    )
    return hashlib.sha256(repr(_in_order(settings)).encode()).hexdigest()


def _in_order(value: object) -> object:
    """`value` as lists, the members of sets and mappings in an order of their own: that of a set differs from process to process."""
    if isinstance(value, Set):
        return sorted(map(_in_order, value), key=repr)
    if isinstance(value, Mapping):
        return sorted(([_in_order(key), _in_order(one)] for key, one in value.items()), key=repr)
    if isinstance(value, tuple | list):
        return [_in_order(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([one.name, _in_order(getattr(value, one.name))] for one in fields(value))]
    return value


class Journal:
    """Appends rows to `<report>.partial`. Where `resume`, what stands there already is kept; otherwise it is begun anew.

    One run at a time: who would write it meanwhile is refused by :class:`JournalError`.
    """

    def __init__(self, report: Path, *, settings: str, at: str | None, resume: bool) -> None:
        self._report = report
        self.path = report.with_name(report.name + ".partial")
        self._header = {"settings": settings, "at": at}
        # rows from before, by name and octets: two members of one archive may bear one name, and only one of them be genuine
        self._offsets: dict[bytes, int] = {}
        self._shown = array("q")  # where the rows of the report begin: eight octets each, however long the run
        self._rows = 0
        with self._writing():
            self._file: IO[bytes] = self.path.open("ab", buffering=0)
        try:
            self._begin(resume=resume)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, *, resume: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise JournalError(f"{self.path}: another run is writing it; wait for that one, or name another --report") from exc
        except OSError:
            pass  # a file system without locks
        end = self._index() if resume else 0
        self._file.truncate(end)  # what follows is the last line of a run that was cut off
        if not end:
            self._append(json.dumps(self._header).encode() + b"\n")

    def _index(self) -> int:
        """Finds the rows of a run before; returns where its last whole line ends."""
        end = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if end:
                    self._offsets[self._key(line)] = end
                    self._rows += 1
                elif self._read(line) != self._header:
                    raise JournalError(f"{self.path}: was begun with other trust, policy or --at; remove it, or run as before")
                end += len(line)
        return end

    def _key(self, line: bytes) -> bytes:
        row = self._read(line)
        file, sha256 = row.get("file"), row.get("sha256")
        if not isinstance(file, str) or not isinstance(sha256, str):
            raise JournalError(f"{self.path}: is not a journal; remove it, and run without --resume")
        return _digest(file, sha256)

    def _read(self, line: bytes) -> Row:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise JournalError(f"{self.path}: is not a journal; remove it, and run without --resume")
        return found

    def __len__(self) -> int:
        return self._rows

    def find(self, item: Item) -> int | None:
        """The row of an item that was judged before, with the very octets that it has now; None where there is none."""
        try:
            return self._offsets.get(_digest(item.name, hashlib.sha256(read_item(item)).hexdigest()))
        except SigningError:
            return None

    def show(self, row: int) -> Row:
        """The row that :meth:`find` named, which takes its place in the report."""
        self._shown.append(row)
        return self._row(row)

    def _row(self, offset: int) -> Row:
        with self.path.open("rb") as file:
            file.seek(offset)
            return self._read(file.readline())

    def append(self, row: Row) -> None:
        """A new row, which takes its place in the report."""
        offset = self._append(jsonl_line(row).encode())
        self._rows += 1
        self._shown.append(offset)

    def _append(self, line: bytes) -> int:
        """Adds the line whole or not at all, and returns where it begins."""
        offset = self._file.seek(0, os.SEEK_END)
        with self._writing():
            try:
                if self._file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                self._file.truncate(offset)
                if not self._rows:
                    self.path.unlink()
                raise
        return offset

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            kept = f"; {self.path.name} keeps the {len(self)} rows so far for --resume" if len(self) else ""
            raise JournalError(f"{self._report}: cannot be written ({exc.strerror or type(exc).__name__}){kept}") from exc

    def finish(self, form: str, complete: Callable[[Row], Row]) -> None:
        """Writes the report of the rows appended or shown, in that order, each completed by `complete`, and removes the journal."""
        self._file.close()
        draft = self._report.with_name(self._report.name + ".tmp")
        with self._writing():
            self._replace(draft, write((complete(self._row(offset)) for offset in self._shown), form))
        self.path.unlink()

    def _replace(self, draft: Path, pieces: Iterable[str]) -> None:
        """The report, written aside and renamed into place."""
        try:
            # a name of octets that are no UTF-8 is spelled out: a report is read by programs that want UTF-8 throughout
            with draft.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
                for piece in pieces:
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self._report)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def close(self) -> None:
        """A journal that holds no row is not left behind."""
        if not self._rows and not self._file.closed:
            self.path.unlink(missing_ok=True)
        self._file.close()


def place(item: Item) -> bytes:
    """What stands for an item in a long run: sixteen octets, where the item itself has hundreds."""
    return _digest(item.name, item.path, str(item.member))


def _digest(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16).digest()


def resumed(
    items: Iterable[Item], journal: Journal, judge: Callable[[Iterator[Item]], Iterator[Row]], held: Mapping[bytes, int]
) -> Iterator[Row]:
    """Rows of `items` in order: those in `held`, by :func:`place`, from the journal, the others by `judge`, appended as they come.

    `items` are gone through once: a folder that is gone through twice may have changed in between.
    """
    turns: deque[int | None] = deque()  # of items that `judge` has drawn or passed by: where the row is held, None for one that it owes

    def todo() -> Iterator[Item]:
        for item in items:
            turns.append(known := held.get(place(item)))
            if known is None:
                yield item

    for row in judge(todo()):
        while (known := turns.popleft()) is not None:
            yield journal.show(known)
        journal.append(row)
        yield row
    for known in turns:
        if known is not None:
            yield journal.show(known)
