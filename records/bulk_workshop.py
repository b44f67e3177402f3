"""Workshops: processes that make keys and to-be-signed certificates for several chunks at once, or one that does it on the spot."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import connection, get_context, parent_process
from types import TracebackType
from typing import Final

from pki.issuing.lint import PKILINT
from records.bulk_making import Job, Made, Maker, NotMade, Terms

_maker: Final[list[Maker]] = []  # of this process, where it belongs to a pool


class ProcessWorkshop:
    """`workers` processes, started when the first chunk comes; use as a context. They end with their parent, however that ends."""

    def __init__(self, terms: Terms, *, workers: int) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__, *PKILINT])  # once for all workers, and their memory is shared
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(terms,))

    def begin(self, jobs: Sequence[Job], *, at: datetime) -> Future[list[Made | NotMade]]:
        return self._pool.submit(_make, list(jobs), at)

    def __enter__(self) -> ProcessWorkshop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)


class OwnWorkshop:
    """Makes everything in the caller's process."""

    def __init__(self, terms: Terms) -> None:
        self._own = Maker(terms)

    def begin(self, jobs: Sequence[Job], *, at: datetime) -> Future[list[Made | NotMade]]:
        done: Future[list[Made | NotMade]] = Future()
        done.set_result(self._own.make(jobs, at))
        return done


def _begin(terms: Terms) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)  # octets; X.520 counts characters
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _maker.append(Maker(terms))
    gc.freeze()


def _end_with_parent() -> None:
    """A pool's process waits on a pipe that it holds open itself, and would outlive a parent that was killed, with codes in its memory."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _make(jobs: list[Job], at: datetime) -> list[Made | NotMade]:
    return _maker[0].make(jobs, at)
