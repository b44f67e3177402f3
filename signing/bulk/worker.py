"""The process in which documents are judged: one after the other, within the limits of time and memory that `design.md` grants.

The parent (:mod:`signing.bulk.pool`) keeps the time, since a process that is stuck cannot; memory is bounded by the kernel.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from signing.bulk.intake import IntakeError, Item, read_item
from signing.bulk.memory import grant_memory, lift_limit, unaccounted
from signing.bulk.task import Task as Task  # those who hand it over ask here for it
from signing.bulk.wire import began_line, limit_row, loading_line, read_requests, ready_line, row_line, unjudged
from signing.errors import LimitError
from signing.reports.summary import Row
from signing.verdict import Verdict
from signing.verifying.engines import judge, second_opinion
from signing.verifying.opinion import SecondOpinion
from signing.verifying.verify import Caches

_ALLOCATIONS = 50_000  # of containers, net, after which garbage is looked for: some 10 MiB at most
_SECOND = "signing.verifying.ades"  # the module that the second opinion takes a third of a second to load
_COLLECT_FROM = 16 * 1024 * 1024  # octets of a document after which what it left behind is collected at once


def serve(channel: Connection, task: Task) -> None:
    """Judges what is handed out on `channel` until it closes, and answers as :mod:`signing.bulk.wire` says: each row once it is ready."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    _end_with_parent()
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)  # octets; X.520 counts characters
    warnings.simplefilter("ignore")  # such as `cryptography` on long names: findings go into verdicts, not onto a terminal
    judging = _Judging(task, partial(_write, channel.fileno()))
    spare_garbage_collection()
    judging.say(ready_line())
    with open(channel.fileno(), "rb", closefd=False) as stream:
        for item, data in read_requests(stream):
            try:
                judging.answer(item, data)
            except MemoryError:
                # the heap may be in pieces: let the parent put a fresh process in this one's place
                os._exit(1)


def _end_with_parent() -> None:
    """Has the kernel kill this process when its parent ends: no one else would, were it stuck in a document, or stopped."""
    parent = multiprocessing.parent_process()
    if parent is None or not hasattr(fcntl, "F_SETSIG"):  # elsewhere than on Linux it ends once it has a row to tell
        return
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if not parent.is_alive():  # before the kernel was asked
        os._exit(1)


def _write(descriptor: int, line: bytes) -> None:
    left = memoryview(line)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except BrokenPipeError:
        os._exit(1)  # the parent has ended, or let go of this process: nobody is there to be told, on a terminal neither


def spare_garbage_collection() -> None:
    """What is imported by now is not looked through again for garbage, and the rest less often: judging a document leaves next to none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


class _Judging:
    """One document after the other; chains and evidence, and what the network said, are remembered from one to the next."""

    def __init__(self, task: Task, say: Callable[[bytes], None]) -> None:
        self._task, self.say = task, say
        self._verify = _verifier(task, self._other)
        self._number = 0  # of the document in hand
        self._seconds = 0.0  # granted to it
        self._grown = False  # by what was loaded for it

    def answer(self, item: Item, data: bytes | None) -> None:
        self.say(row_line(self._number, item, self._row(item, data)))
        self._number += 1
        if self._grown:  # and not before: what the document left behind would have been kept for ever
            spare_garbage_collection()
            self._grown = False

    def _row(self, item: Item, data: bytes | None) -> Row:
        try:
            document = read_item(item) if data is None else data
        except LimitError as exc:
            return limit_row(item, str(exc))
        except IntakeError as exc:
            return unjudged("NOT_READABLE", f"{exc}; check the file and try again").as_dict(item.name)
        self._seconds = self._task.grant.seconds_for(document)
        self.say(began_line(self._number, self._seconds))
        grant_memory(self._task.grant.memory_for(document))
        try:
            verdict = self._verify(document)
        except MemoryError:
            raise
        except Exception as exc:
            # a fault of ours, not of the document's: never a pass, and never a traceback in front of a user
            text = f"the verifier itself failed ({type(exc).__name__}); please report this document"
            verdict = unjudged("INTERNAL_ERROR", text, sha256=hashlib.sha256(document).hexdigest())
            if os.environ.get("EDUSEAL_DEBUG"):
                sys.excepthook(type(exc), exc, exc.__traceback__)
        finally:
            lift_limit()
            if len(document) > _COLLECT_FROM:
                gc.collect()
        return verdict.as_dict(item.name)

    def _other(self) -> SecondOpinion:
        """Loaded for the first document that needs it, unless the fork server has; its time and memory are not that document's."""
        if _SECOND not in sys.modules:
            self.say(loading_line(self._number))
            with unaccounted():
                second_opinion()
            self._grown = True
            self.say(began_line(self._number, self._seconds))
        return second_opinion()


def _verifier(task: Task, other: Callable[[], SecondOpinion]) -> Callable[[bytes], Verdict]:
    common: dict[str, Any] = {
        "policy": task.policy,
        "trust": task.trust,
        "supplied": task.supplied,
        "engine": task.engine,
        "caches": Caches(),
        "other": other,
    }
    if task.network is None:
        return partial(judge, at=task.at, **common)
    from pki.remote.online import Online
    from signing.verifying.online import judge_online

    return partial(judge_online, online=Online(task.network), clock=lambda: datetime.now(UTC), **common)
