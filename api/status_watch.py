"""Keeps the answers that a process holds ready no older than the books: looks several times a second whether a status changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

from api.ocsp_cache import OcspCache

INTERVAL = 0.3  # seconds; docs/cps.md 4.9.7

log = structlog.get_logger("eduseal.authority")


class Changes(Protocol):
    """:class:`db.status_changes.StatusChanges`."""

    def since(self, position: int | None) -> tuple[int, bool]: ...


class StatusWatch:
    """Where the books cannot be read, nothing is confirmed, and the cache falls silent by itself."""

    def __init__(self, cache: OcspCache, changes: Changes) -> None:
        self._cache = cache
        self._changes = changes
        self._position: int | None = None
        self._failing = False
        self._limiter = CapacityLimiter(1)  # of its own: it must not stand in line behind slow requests

    async def look(self) -> None:
        """Raises nothing."""
        began = time.monotonic()
        try:
            position, changed = await to_thread.run_sync(self._changes.since, self._position, limiter=self._limiter)
        except Exception as exc:
            if not self._failing:
                log.error("ocsp.cache_silent", error=type(exc).__name__)
            self._failing, self._position = True, None
            return
        if changed:
            self._cache.clear()
        self._position, self._failing = position, False
        self._cache.confirm(as_of=began)


def watching(watch: StatusWatch, *, interval: float = INTERVAL) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan for the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_forever(watch, interval))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return lifespan


async def _forever(watch: StatusWatch, interval: float) -> None:
    while True:
        await watch.look()
        await asyncio.sleep(interval)
