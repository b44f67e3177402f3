"""Roster files as commands are given them, and what an import told of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePath

from cli._bar import bar
from cli._input import read_input
from cli.main import DATA, UsageError
from records.person import Student
from records.roster import RosterFile, RosterImport, Watch
from records.roster_csv import MAX_FILE
from records.roster_ports import Saved

SHOWN = 20  # rows and warnings told one by one; a file broken throughout is told so by the count
LONG = 5_000  # steps; less is over before a bar is seen
STRIDE = 500  # steps that the bar is told of at once
_KINDS = {b"teacher_id": "teachers", b"student_id": "students", b"identifier": "schools"}  # a column that no other file has


def roster_files(paths: list[str]) -> dict[str, RosterFile]:
    """The files by what their header line says they are; raises :class:`cli.main.UsageError`."""
    tables: dict[str, RosterFile] = {}
    for path in paths:
        data = read_input(path, limit=MAX_FILE)
        header = data[:4096].split(b"\n", 1)[0].lower()
        kind = next((kind for column, kind in _KINDS.items() if column in header), None)
        if kind is None:
            expected = ", ".join(column.decode() for column in _KINDS)
            raise UsageError(f"{path}: the first line is no header of a roster file; expected one with a column {expected}", status=DATA)
        if kind in tables:
            raise UsageError(f"{path}: {tables[kind].name} holds {kind} already; give one file of each kind")
        tables[kind] = RosterFile(PurePath(path).name, data)
    return tables


def told(result: RosterImport, *, kept: bool = True) -> Iterator[str]:
    """What became of the rows, line by line, or would become of them where nothing is `kept`."""
    barred = Counter("pupil" if isinstance(entry.person, Student) else "staff" for entry in result.blocked)
    yield f"Schools   {len(result.schools):>6} accepted"
    yield f"Staff     {len(result.teachers):>6} accepted {barred['staff']:>6} blocked"
    yield f"Pupils    {len(result.students):>6} accepted {barred['pupil']:>6} blocked"
    yield f"Broken    {len(result.errors):>6} {'row' if len(result.errors) == 1 else 'rows'}"
    for reason, count in sorted(Counter(entry.reason for entry in result.blocked).items()):
        yield f"  blocked {count:>6} {reason}"
    if result.blocked and kept:
        yield "`eduseal roster blocked` lists them with what to put right."
    if result.warnings:
        yield f"{len(result.warnings)} accepted with a warning:"
        yield from _first([f"  {holder} {warning}" for holder, warning in result.warnings])


def told_saved(saved: Saved) -> str:
    """What the import changed, so that a file that was imported before says so."""
    return f"Roster    {saved.added:>6} new      {saved.changed:>6} changed {saved.unchanged:>6} as before"


@contextmanager
def waiting(tables: Mapping[str, RosterFile]) -> Iterator[Watch]:
    """A bar on standard error, where that is a terminal: a step for each row read and for each person saved."""
    steps = 2 * sum(table.data.count(b"\n") for table in tables.values())
    with bar("Roster", steps if steps >= LONG else 0) as drawn:
        done = 0

        def watch() -> None:
            nonlocal done
            done += 1
            if done % STRIDE == 0:
                drawn.advance(by=STRIDE)

        yield watch


def broken_rows(result: RosterImport, *, most: int | None = SHOWN) -> None:
    """Names the broken rows on standard error, the first of them or (None) all."""
    for line in _first([error.text for error in result.errors], most):
        print(line, file=sys.stderr)


def _first(lines: list[str], most: int | None = SHOWN) -> Iterator[str]:
    yield from islice(lines, most)
    if most is not None and len(lines) > most:
        yield f"… and {len(lines) - most} more"
