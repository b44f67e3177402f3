"""A bulk batch as its operator watches it: a bar with rate and time left, and what came of it in the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.main import INTERRUPTED
from config.bulk import bulk_store, bulk_work
from config.house import House
from records.bulk import BulkError, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

REFUSED = 1
SHOWN = 20
LOOK_SECONDS = 0.5  # between two counts at least
SHARE = 20  # a count reads the whole batch's rows: of a million, one is followed by so many times its own length without


def run_to_the_end(house: House, batch_id: str, *, workers: int, sheets: Path | None) -> int:
    """Starts the batch (`sheets` given) or carries it on, and stays until it is done. Returns the exit status."""
    store = bulk_store(house.stores.database)
    before = store.progress(batch_id)
    began = time.monotonic()
    with bulk_work(house, workers=workers) as (work, queue):
        batch = work.resume(batch_id) if sheets is None else work.start(batch_id, sheets=sheets)
        if batch.workflow_id is None:
            raise BulkError(f"batch {batch_id} has no workflow; `eduseal bulk run` starts it")
        with _bar(before) as bar:

            def watch() -> None:
                bar.show(store.progress(batch_id))

            try:
                queue.wait(batch.workflow_id, watch=_seldom(watch))
            except KeyboardInterrupt:
                # The workflow's thread would hold the process until the batch ends. Nothing is lost: a batch may be killed at any moment.
                print(f"\neduseal: interrupted; `eduseal bulk resume {batch_id}` goes on", file=sys.stderr, flush=True)
                os._exit(INTERRUPTED)
            except Exception:
                print(f"eduseal: the batch did not come to its end; `eduseal bulk resume {batch_id}` goes on", file=sys.stderr)
                raise
    after, seconds = store.progress(batch_id), time.monotonic() - began
    issued = after.issued - before.issued
    print(f"{issued} issued in {seconds:.0f} s, {before.issued} before, {after.refused} refused.")
    for refusal in store.refusals(batch_id)[:SHOWN]:
        print(f"{refusal.person_id} was refused: {refusal.reason}", file=sys.stderr)
    if after.refused > SHOWN:
        print(f"… and {after.refused - SHOWN} more: eduseal bulk status {batch_id} --format csv", file=sys.stderr)
    if after.issued:
        print(f"Activation codes: {store.get(batch_id).sheets}. It is the only copy: hand each line to its person, then destroy it.")
    return REFUSED if after.refused else 0


class _Shown:
    """Draws on a bar, or on nothing."""

    def __init__(self, bar: Bar | None = None, job: TaskID | None = None) -> None:
        self._bar = bar
        self._job = job

    def show(self, progress: Progress) -> None:
        if self._bar is not None and self._job is not None:
            self._bar.update(self._job, completed=progress.people - progress.waiting)


@contextmanager
def _bar(before: Progress) -> Iterator[_Shown]:
    """Drawn on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield _Shown()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Drawn

    columns = (TextColumn("Issuing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.speed:.0f}/s"), TimeRemainingColumn())
    with Drawn(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Shown(bar, bar.add_task("Issuing", total=before.people, completed=before.people - before.waiting))


class _seldom:  # noqa: N801 (used as a function)
    """Calls `what` as seldom as :data:`LOOK_SECONDS` and :data:`SHARE` say."""

    def __init__(self, what: Callable[[], None]) -> None:
        self._what = what
        self._due = 0.0

    def __call__(self) -> None:
        began = time.monotonic()
        if began >= self._due:
            self._what()
            took = time.monotonic() - began
            self._due = began + max(LOOK_SECONDS, SHARE * took)
