"""Where worker processes come from: a server that has imported the verifier once, so that a fresh one is there in some ten milliseconds."""

from __future__ import annotations

import signal
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

_VERIFIER = "signing.bulk.worker"
_SECOND = "signing.verifying.ades"  # twice as long as the verifier itself


@cache
def fork_server() -> ForkServerContext:
    """The context whose processes are forked from the server; it starts with the first of them, or with :func:`warm`."""
    context = get_context("forkserver")
    context.set_forkserver_preload([_VERIFIER, _SECOND])
    return context


def warm() -> None:
    """Starts the server and returns at once: it imports while its parent has other things to prepare. A server that runs is left as it is.

    It leaves the second verifier to the processes that come to need it: a run over records of our own make does not.
    """
    fork_server().set_forkserver_preload([_VERIFIER])
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # which unblocks interrupts; the server would else start it below
    # an interrupt is its parent's to answer, also while the server still imports and has no handler: it inherits what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
