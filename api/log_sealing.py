"""While the service runs, the log is sealed every few seconds, and once more when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from anyio import to_thread
from fastapi import FastAPI

from db.log_seal import LogSealer

INTERVAL = 2.0  # seconds; what was logged since the last checkpoint is the least protected; docs/cps.md 2.4

log = structlog.get_logger("eduseal.log")


def sealing(sealer: LogSealer, *, interval: float = INTERVAL) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan for the application. Where sealing fails it is noted and tried again; serving goes on."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        seal = _Noting(sealer)
        task = asyncio.create_task(_forever(seal, interval))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await to_thread.run_sync(seal)

    return lifespan


async def _forever(seal: _Noting, interval: float) -> None:
    while True:
        await to_thread.run_sync(seal)
        await asyncio.sleep(interval)


class _Noting:
    """Seals; notes a failure when it begins and when it ends, not every two seconds."""

    def __init__(self, sealer: LogSealer) -> None:
        self._sealer = sealer
        self._failure: str | None = None

    def __call__(self) -> None:
        failure = None
        try:
            self._sealer.seal()
        except Exception as exc:
            failure = f"{type(exc).__name__}: {exc}"
        if failure is not None and failure != self._failure:
            log.error("log.not_sealed", text=failure)
        elif failure is None and self._failure is not None:
            log.info("log.sealed_again")
        self._failure = failure
