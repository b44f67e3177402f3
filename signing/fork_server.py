"""Where worker processes come from: a server that has imported the verifier once, so that a fresh one is there in some ten milliseconds."""

from __future__ import annotations

import signal
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

_PRELOADED = ["signing.worker", "signing.ades"]


@cache
def fork_server() -> ForkServerContext:
    """The context whose processes are forked from the server; it starts with the first of them, or with :func:`warm`."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def warm() -> None:
    """Starts the server and returns at once: it imports for half a second, while its parent has other things to prepare."""
    fork_server()
    from multiprocessing import forkserver

    # an interrupt is its parent's to answer, also while the server still imports and has no handler: it inherits what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
