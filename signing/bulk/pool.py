"""Many documents, each judged in a process that can be killed: hostile input costs its own verdict and nothing else.

    with Pool(task, workers=4) as pool:
        for row in pool.run(find_items(["transcripts/"])):
            ...

Rows come in the order of the items, whatever the order in which they are finished. Memory stays flat: no more than a window of items is in
flight. A worker answers in JSON, never in pickles: what it says may have been shaped by a document.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import TracebackType
from typing import Any

from signing.bulk.intake import Item
from signing.bulk.worker import Task, serve
from signing.reports.report import Row
from signing.verdict import Entitlement, Indication, Message, Verdict

START_SECONDS = 60.0  # for a fresh process to import what it needs, before any document is at hand
DOCUMENTS_PER_WORKER = 5_000  # then a fresh process: caches and fragments do not pile up
WINDOW_PER_WORKER = 8  # items in flight or waiting to be handed out in order
_TICK = 0.05  # seconds between looks at a busy worker's clock


@cache
def _context() -> ForkServerContext:
    """Processes come from a server that has imported the verifier once: a replaced one is there in some ten milliseconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["signing.bulk.worker", "signing.verifying.ades"])
    return context


class Worker:
    """One process at a time, replaced when it overruns, dies or has judged its share. One thread judges; any thread may close."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: Any = None
        self._channel: Connection | None = None
        self._judged = 0
        self._closing = threading.Lock()

    def judge(self, item: Item, data: bytes | None = None) -> Row:
        """The row of one document (`data`, or what `item` names). Never raises for anything the document does."""
        channel = self._started()
        self._judged += 1
        pid = self._process.pid
        try:
            channel.send((item, data))
            began = self._receive(channel, pid, seconds=self._task.grant.most_seconds)
            if "row" not in began:
                answer = self._receive(channel, pid, seconds=float(began["seconds"]))
                return _row(answer)
            return _row(began)
        except _OverrunError as exc:
            self.close()
            return limit_row(item, str(exc))
        except (EOFError, OSError, ValueError, KeyError):
            self.close()
            return limit_row(item, "the process judging this document ended, most likely for want of the memory granted to it")

    def close(self) -> None:
        """Ends the process, at once. The next document gets a fresh one."""
        with self._closing:
            process, channel = self._process, self._channel
            self._process = self._channel = None
        if process is not None:
            process.kill()
            process.join()
            process.close()
        if channel is not None:
            channel.close()

    def _started(self) -> Connection:
        if self._judged >= DOCUMENTS_PER_WORKER or (self._process is not None and not self._process.is_alive()):
            self.close()
        if self._channel is None:
            self._judged = 0
            ours, theirs = _context().Pipe()
            self._process = _context().Process(target=serve, args=(theirs, self._task), daemon=True)
            self._process.start()
            theirs.close()
            self._channel = ours
            self._await(ours, time.monotonic() + START_SECONDS)
        return self._channel

    def _await(self, channel: Connection, deadline: float) -> None:
        if not channel.poll(max(0.0, deadline - time.monotonic())):
            raise OSError("a verification process did not start; is the machine out of memory or processes?")
        channel.recv_bytes()

    def _receive(self, channel: Connection, pid: int, *, seconds: float) -> dict[str, Any]:
        started = time.monotonic()
        used: float | None = None  # asked for once it takes longer than a tick, as few documents do
        before = 0.0
        while not channel.poll(_TICK):
            elapsed = time.monotonic() - started
            now = _processor_seconds(pid)
            if used is None:
                used, before = now, elapsed
            spent = elapsed if used is None or now is None else before + now - used
            if spent > seconds or elapsed > self._task.grant.wall_seconds(seconds):
                raise _OverrunError(f"judging this document takes longer than the {seconds:.1f} s granted to it")
        answer = json.loads(channel.recv_bytes())
        if not isinstance(answer, dict):
            raise ValueError("a verification process answered something else than an object")
        return answer


class Pool:
    """`workers` processes behind a queue; safe to use from several threads. Close it, or use it as a context manager."""

    def __init__(self, task: Task, *, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers, expected at least one")
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._all = [Worker(task) for _ in range(workers)]
        self._closed = False
        for worker in self._all:
            self._idle.put(worker)

    def judge(self, item: Item, data: bytes | None = None) -> Row:
        """One document; waits for an idle worker. Raises :class:`RuntimeError` once the pool is closed."""
        worker = self._idle.get()
        try:
            if self._closed:
                raise RuntimeError("the pool of verification processes is closed")
            return worker.judge(item, data)
        finally:
            self._idle.put(worker)

    def run(self, items: Iterable[Item]) -> Iterator[Row]:
        """One row for each item, in order."""
        window = WINDOW_PER_WORKER * len(self._all)
        waiting: deque[Future[Row]] = deque()
        with ThreadPoolExecutor(len(self._all), thread_name_prefix="verify") as threads:
            try:
                for item in items:
                    waiting.append(threads.submit(self.judge, item))
                    if len(waiting) >= window:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def close(self) -> None:
        """Ends every process; what is being judged is given up."""
        self._closed = True
        for worker in self._all:
            with contextlib.suppress(OSError, ValueError):
                worker.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _OverrunError(Exception):
    """A document used up its time."""


def limit_row(item: Item, text: str) -> Row:
    """The row of a document that could not be judged within its limits: never a pass, never a claim that it is bad."""
    message = Message("LIMIT_EXCEEDED", f"{text}; look at this document by hand")
    verdict = Verdict(
        sha256="", indication=Indication.INDETERMINATE, sub_indication=None, entitlement=Entitlement.UNKNOWN, messages=(message,)
    )
    return verdict.as_dict(item.name)


def _row(answer: dict[str, Any]) -> Row:
    row = answer["row"]
    if not isinstance(row, dict):
        raise ValueError("a verification process answered without a row")
    return row


def _processor_seconds(pid: int) -> float | None:
    """User and system time of a process; None where the system does not say (then the clock alone counts)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
