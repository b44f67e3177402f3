"""The bar of a bulk verification: how many are done, how fast, how long it still takes. Drawn on standard error if that is a terminal.

Rows come in groups. What is written and counted is shown when a group has ended, not for each row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID


_WIDE = 60  # columns of a terminal from which there is room for more than figures


class View:
    """What is printed goes to standard output; where a bar is drawn on the same terminal, above it and not through it."""

    def __init__(self, bar: tuple[Progress, TaskID] | None = None) -> None:
        self._bar = bar
        self._done = 0  # and not yet shown
        self._above: list[str] = []  # text for above the bar, not yet shown: the bar is drawn anew each time

    def advance(self) -> None:
        self._done += 1

    def write(self, text: str) -> None:
        if self._bar is not None and sys.stdout.isatty():
            self._above.append(text)
        else:
            sys.stdout.write(text)

    def show(self) -> None:
        """Everything written and counted so far."""
        if self._bar is not None:
            if self._above:
                from rich.text import Text

                self._bar[0].console.print(Text.from_ansi("".join(self._above).removesuffix("\n")), soft_wrap=True)
                self._above.clear()
            self._bar[0].advance(self._bar[1], self._done)
        self._done = 0
        sys.stdout.flush()


@contextmanager
def progress(total: int) -> Iterator[View]:
    """A view of a run over `total` documents."""
    if total < 2 or not sys.stderr.isatty():
        view = View()
        try:
            yield view
        finally:
            view.show()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    figures = (MofNCompleteColumn(), _rate(), TimeRemainingColumn())
    columns = (TextColumn("Verifying"), BarColumn(), *figures) if console.width >= _WIDE else figures
    # rich would otherwise take standard output along to standard error, and a redirected report with it
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as drawn:
        view = View((drawn, drawn.add_task("verify", total=total)))
        try:
            yield view
        finally:
            view.show()


def _rate() -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Documents a second."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    return Rate()
