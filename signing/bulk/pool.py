"""Many documents, each judged in a process that can be killed: hostile input costs its own verdict and nothing else.

    with Pool(task, workers=4) as pool:
        for row in pool.run(find_items(["transcripts/"])):
            ...

Rows come in the order of the items, whatever the order in which they are finished. Memory stays flat: no more than a window of items is in
flight. A worker answers in JSON, never in pickles: what it says may have been shaped by a document.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import TracebackType

from signing.bulk.handler import DOCUMENTS_PER_WORKER, START_SECONDS, Worker, await_any
from signing.bulk.intake import Item
from signing.bulk.peer import Serve, serve
from signing.bulk.stopwatch import TICK
from signing.bulk.task import Task
from signing.bulk.wire import limit_row
from signing.reports.summary import Row

__all__ = ["DOCUMENTS_PER_WORKER", "START_SECONDS", "WINDOW_PER_WORKER", "Pool", "Worker", "limit_row"]

AHEAD = 64  # documents handed to a worker at most: it has work for some hundred milliseconds, of quick ones for more than _NAP
WINDOW_PER_WORKER = 2 * AHEAD  # items in flight or waiting to be handed out in order
_ENOUGH = AHEAD // 4  # documents in hand with which a worker is left alone for a moment
_NAP = 0.01  # seconds for which answers gather while nobody needs the parent: to wake for each costs more than to read it
_CLOSED = "the pool of verification processes is closed"


class Pool:
    """`workers` processes at a time for a run, and as many for single documents; safe to use from several threads.

    Close it, or use it as a context manager. Processes start when they are needed and are kept for the next document or run.
    """

    def __init__(self, task: Task, *, workers: int, serve: Serve = serve) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers, expected at least one")
        self._task, self._serve, self._workers = task, serve, workers
        self._turns = threading.BoundedSemaphore(workers)  # single documents judged at once
        self._lock = threading.Lock()
        self._all: list[Worker] = []
        self._idle: list[Worker] = []
        self._closed = False

    def judge(self, item: Item, data: bytes | None = None) -> Row:
        """One document; waits for its turn among as many as there are workers. Raises :class:`RuntimeError` once the pool is closed."""
        with self._turns, self._taken(1) as (worker,):
            return worker.judge(item, data)

    def run(self, items: Iterable[Item], *, pause: Callable[[], None] = lambda: None) -> Iterator[Row]:
        """One row for each item, in order. Calls `pause` whenever the next row is not there yet: the time to show those that were.

        Raises :class:`RuntimeError` once the pool is closed, and :class:`OSError` if no process can be started.
        """
        with self._taken(self._workers) as workers:
            run = _Run(items, workers)
            try:
                while run.hand_out():
                    yield from run.rows()
                    if not run.in_hand:
                        continue
                    pause()
                    run.wait()
                    if self._closed:
                        raise RuntimeError(_CLOSED)
                    run.collect()
            except OSError as exc:
                if self._closed:
                    raise RuntimeError(_CLOSED) from exc
                raise

    def close(self) -> None:
        """Ends every process; what is being judged is given up."""
        with self._lock:
            self._closed = True
            ended, self._idle = self._all, []
        for worker in ended:
            worker.close()

    @contextmanager
    def _taken(self, count: int) -> Iterator[list[Worker]]:
        """Workers for the caller alone; those who stopped in the middle of something are ended afterwards."""
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            taken = [self._idle.pop() if self._idle else Worker(self._task, self._serve) for _ in range(count)]
            self._all = [worker for worker in self._all if worker not in taken] + taken
        try:
            yield taken
        finally:
            for worker in taken:
                self._return(worker)

    def _return(self, worker: Worker) -> None:
        with self._lock:
            kept = len(worker) == 0 and not self._closed and len(self._idle) < self._workers
            if kept:
                self._idle.append(worker)
            else:
                self._all.remove(worker)
        if not kept:
            worker.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Run:
    """The items of one run: which are to be handed out, which worker has which, and which rows wait for one before them."""

    def __init__(self, items: Iterable[Item], workers: list[Worker]) -> None:
        self._source = enumerate(items)
        self._workers = workers
        self._todo: deque[tuple[int, Item]] = deque()
        self._held: list[deque[int]] = [deque() for _ in workers]  # numbers of what each worker was handed
        self._done: dict[int, Row] = {}
        self._next = 0  # the number of the row that is due

    @property
    def in_hand(self) -> int:
        """How many documents the workers have."""
        return sum(map(len, self._held))

    def hand_out(self) -> bool:
        """Gives each worker what it lacks; whether any row is still to come."""
        in_flight = self.in_hand
        window = WINDOW_PER_WORKER * len(self._workers)
        self._todo.extend(islice(self._source, max(0, window - in_flight - len(self._done) - len(self._todo))))
        # the fewer are left, the fewer at a time, so that all workers end together
        share = min(AHEAD, -(-(len(self._todo) + in_flight) // (2 * len(self._workers))))
        for held, worker in sorted(zip(self._held, self._workers, strict=True), key=lambda pair: len(pair[0])):
            if 2 * len(held) <= share and (given := self._drawn(min(share - len(held), worker.room))):
                held.extend(number for number, _ in given)
                worker.hand([(item, None) for _, item in given])
        return bool(self._done or self._todo or self.in_hand)

    def _drawn(self, count: int) -> list[tuple[int, Item]]:
        return [self._todo.popleft() for _ in range(min(count, len(self._todo)))]

    def rows(self) -> Iterator[Row]:
        """Those that are due and there."""
        while self._next in self._done:
            yield self._done.pop(self._next)
            self._next += 1

    def wait(self) -> None:
        """Until a worker has something to say, or its clock is to be looked at. No longer than that where one soon has nothing to do."""
        if all(len(held) >= _ENOUGH for held in self._held):
            time.sleep(_NAP)
        await_any(self._workers, TICK)

    def collect(self) -> None:
        for held, worker in zip(self._held, self._workers, strict=True):
            for row in worker.take():
                self._done[held.popleft()] = row
