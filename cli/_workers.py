"""Several processes that serve one port: each opens the house for itself, and one that dies is replaced.

The key store's secret reaches them through the pipe that starts them: no environment and no command line ever holds it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any

import structlog

from config.bootstrap import open_house, utc_now
from config.house import House
from config.settings import Settings

if TYPE_CHECKING:
    import uvicorn

PAUSE_SECONDS = 2.0  # before a worker that could not start ends, and so is started again
FAILED = 1  # exit status of such a worker

log = structlog.get_logger("eduseal.service")


@dataclass(frozen=True)
class Application:
    """Makes the application where it is called: in a worker."""

    settings: Settings
    passphrase: str = field(repr=False)

    def __call__(self) -> Any:
        log_to_stderr()
        threading.Thread(target=_end_with_parent, daemon=True).start()
        try:
            return application(open_house(self.settings, clock=utc_now, passphrase=self.passphrase))
        except Exception as exc:
            log.error("service.worker_not_started", error=type(exc).__name__, text=str(exc) if _is_ours(exc) else "")
            time.sleep(PAUSE_SECONDS)  # a database that is down for a while is not asked in a tight loop
            raise SystemExit(FAILED) from None


def application(house: House) -> Any:
    """The ASGI application of a house. api stands beside cli, not below it: loaded here, and only for this command."""
    return import_module("api.app").create_app(house, import_module("api.judge").ProcessJudge(house))


def serve_with_workers(config: uvicorn.Config, sockets: list[Any]) -> int:
    """Until SIGINT or SIGTERM, which the workers are handed; they finish what they have begun. Returns an exit status."""
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    supervisor = Multiprocess(config, sockets=sockets)
    supervisor.run()
    return STARTUP_FAILURE if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes) else 0


def log_to_stderr() -> None:
    """One JSON object a line: what happened, with ids; never values (the events say which)."""
    steps = structlog.processors
    structlog.configure(
        processors=[steps.add_log_level, steps.TimeStamper(fmt="iso", utc=True), steps.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _end_with_parent(end: Callable[[int, int], None] = os.kill) -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()  # killed, since it ends its workers otherwise: without it nobody would replace or stop this one
        end(os.getpid(), signal.SIGTERM)


def _is_ours(exc: Exception) -> bool:
    return type(exc).__module__.split(".")[0] in {"pki", "signing", "records", "db", "config"}
