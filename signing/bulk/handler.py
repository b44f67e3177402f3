"""The parent's side of a worker: documents handed out several at a time, rows taken back, the time of each document kept.

Each document is judged within limits of its own. One that overruns or ends its process costs its own row alone: rows from before it have
been taken, and those after it are handed to a fresh process.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence

from signing.bulk.intake import Item
from signing.bulk.peer import NOT_STARTED, Peer, Serve, serve
from signing.bulk.stopwatch import TICK, OverrunError, Stopwatch
from signing.bulk.task import Task
from signing.bulk.wire import ForgedError, Handed, Lines, limit_row, read_line, read_row, read_seconds, request
from signing.reports.summary import Row

START_SECONDS = 60.0  # for a fresh process to import what it needs, before any document is at hand
STARTS = 3  # of processes, one after the other, that end before any document is at hand; then the system is at fault
DOCUMENTS_PER_WORKER = 5_000  # then a fresh process: caches and fragments do not pile up
_ENDED = "the process judging this document ended, most likely for want of the memory granted to it"
_FORGED = "the process judging this document answered what no process of ours answers"


class Worker:
    """One process at a time, replaced when it overruns, dies or has judged its share. One thread hands out and takes; any may close."""

    def __init__(self, task: Task, serve: Serve = serve) -> None:
        self._task, self._serve = task, serve
        self._waiting: deque[Handed] = deque()  # handed out, not yet answered; the first of them is in hand
        self._watch = Stopwatch(task.grant)
        self._lock = threading.Lock()  # held while the channel is used: no other thread closes it then
        self._peer: Peer | None = None
        self._handed = self._number = 0  # documents of this process handed to it, and answered by it
        self._started = 0.0
        self._failed = 0  # starts, in a row
        self._ready = self._begun = self._loaded = False
        self._lines = Lines()

    def __len__(self) -> int:
        """How many documents it has been handed whose rows were not taken."""
        return len(self._waiting)

    @property
    def room(self) -> int:
        """How many more it may be handed before a fresh process is due."""
        return DOCUMENTS_PER_WORKER - self._handed if self._waiting else DOCUMENTS_PER_WORKER

    @property
    def pid(self) -> int | None:
        """The process that judges now; None where there is none."""
        return self._peer.pid if self._peer else None

    def judge(self, item: Item, data: bytes | None = None) -> Row:
        """The row of one document (`data`, or what `item` names). Never raises for anything the document does."""
        self.hand([(item, data)])
        while not (rows := self.take()):
            await_any([self], TICK)
        return rows[0]

    def hand(self, items: Iterable[Handed]) -> None:
        """More documents to judge, after those it has. Raises :class:`OSError` if no process can be started."""
        given = list(items)
        with self._lock:
            if not self._waiting:
                if self._peer is not None and (self._handed >= DOCUMENTS_PER_WORKER or not self._peer.alive()):
                    self._end()
                self._next()
            self._waiting.extend(given)
            self._send(given)

    def take(self) -> list[Row]:
        """The rows that have come, at once: of the oldest documents it was handed, in order; none if none has come.

        Raises :class:`OSError` if a process does not start.
        """
        rows: list[Row] = []
        with self._lock:
            if not self._waiting:
                return rows
            try:
                self._exchange(rows)
            except OverrunError as exc:
                self._give_up(rows, str(exc))
            except ForgedError:
                self._give_up(rows, _FORGED)
            except (EOFError, OSError):
                self._give_up(rows, _ENDED)
        return rows

    def close(self) -> None:
        """Ends the process, at once; a document in hand is given up. The next one gets a fresh process."""
        if (peer := self._peer) is not None:
            peer.kill()  # before the lock is asked for, so that nobody holds it for long
        with self._lock:
            self._end()

    def _exchange(self, rows: list[Row]) -> None:
        peer = self._peer
        if peer is None:
            raise EOFError
        peer.flush()
        for line in self._lines.feed(peer.received()):
            self._heed(line, rows)
        if self._waiting and self._ready:
            self._watch.check(peer.pid)
        elif self._waiting and time.monotonic() > self._started + START_SECONDS:
            raise EOFError

    def _heed(self, line: bytes, rows: list[Row]) -> None:
        answer = read_line(line)
        if not self._ready:
            if answer != {"ready": True}:
                raise ForgedError("something else than that it is ready")
            self._ready = True
            self._failed = 0
            self._next()
            return
        if not self._waiting:
            raise ForgedError("an answer on a document that it was not handed")
        item, _ = self._waiting[0]
        row = read_row(answer, self._number, item)
        if row is not None:
            self._waiting.popleft()
            self._number += 1
            self._next()
            rows.append(row)
        elif self._begun and not self._loaded and answer.get("loading") is True:
            self._loaded = True
            self._next()
        elif self._begun:
            raise ForgedError("a second beginning of one document")
        else:
            self._begun = True
            self._watch.start(read_seconds(answer, self._task.grant.most_seconds))

    def _next(self) -> None:
        """Another document is in hand. Until it is begun nothing is granted to it yet, and the most that there is bounds its reading."""
        self._begun = False
        self._watch.start(self._task.grant.most_seconds)

    def _give_up(self, rows: list[Row], text: str) -> None:
        """The document in hand is answered for, and those behind it go to a fresh process."""
        started = self._peer is None or self._ready
        self._end()
        if not started:
            self._failed += 1
            if self._failed == STARTS:
                self._failed = 0
                raise OSError(NOT_STARTED)
        elif self._waiting:  # else it spoke unasked, and all that it was asked is answered
            rows.append(limit_row(self._waiting.popleft()[0], text))
        if self._waiting:
            self._send(list(self._waiting))

    def _send(self, given: Sequence[Handed]) -> None:
        if self._peer is None:
            self._peer = Peer(self._serve, self._task)
            self._started = time.monotonic()
            self._lines = Lines()
            self._ready = self._loaded = False
            self._handed = self._number = 0
        self._handed += len(given)
        self._peer.send(request(given))

    def _end(self) -> None:
        if self._peer is not None:
            self._peer.end()
            self._peer = None


def await_any(workers: Iterable[Worker], seconds: float) -> None:
    """Returns when one of `workers` that have documents in hand has said something, or after so many seconds."""
    waiting = select.poll()
    for worker in workers:
        if worker._waiting and (peer := worker._peer) is not None:
            waiting.register(*peer.awaited())
    waiting.poll(seconds * 1000)
