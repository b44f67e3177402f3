"""A run of many documents as people watch it: a bar on the terminal, and a line for each result."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True)
class Bar:
    """Results go to standard output, whether a bar is drawn or not."""

    _drawn: tuple[Progress, TaskID] | None = None

    def advance(self, line: str | None = None, *, by: int = 1) -> None:
        """One more is done, or so many; `line` tells how it went."""
        if line is not None:
            self._tell(line)
        if self._drawn is not None:
            progress, job = self._drawn
            progress.advance(job, by)

    def _tell(self, line: str) -> None:
        if self._drawn is not None and sys.stdout.isatty():
            self._drawn[0].console.print(line, markup=False, highlight=False, soft_wrap=True)  # above the bar, not through it
        else:
            print(line, flush=True)


@contextmanager
def bar(label: str, total: int) -> Iterator[Bar]:
    """Drawn on standard error, where that is a terminal."""
    if total < 2 or not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        yield Bar((progress, progress.add_task(label, total=total)))
