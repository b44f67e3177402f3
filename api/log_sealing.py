"""While the service runs, the log is sealed every few seconds, and once more when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from anyio import to_thread
from fastapi import FastAPI

from db.log_seal import LogSealer

INTERVAL = 2.0  # seconds; what was logged since the last checkpoint is the least protected

log = structlog.get_logger("eduseal.log")


def sealing(sealer: LogSealer, *, interval: float = INTERVAL) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan for the application. Where sealing fails it is noted and tried again; serving goes on."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_forever(sealer, interval))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await to_thread.run_sync(_seal, sealer)

    return lifespan


async def _forever(sealer: LogSealer, interval: float) -> None:
    while True:
        await to_thread.run_sync(_seal, sealer)
        await asyncio.sleep(interval)


def _seal(sealer: LogSealer) -> None:
    try:
        sealer.seal()
    except Exception as exc:
        log.error("log.not_sealed", error=type(exc).__name__, text=str(exc))
