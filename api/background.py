"""Work that goes on beside the service: lists published when they are due, certificates that were never issued revoked,
the services' own certificates changed before they expire.

Each job runs in a thread of its own, again and again. Where it fails, that is logged when it begins and when it ends; the job waits a
little longer, and serving goes on with what stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

from config.house import House

# seconds; a revocation stands in its list this long after it was made, and as long as the list takes to make; docs/cps.md 2.2
PUBLISH_EVERY = 0.5
RECONCILE_EVERY = 60.0  # seconds; docs/cps.md 4.3
ROTATE_EVERY = 2.0  # seconds: so long a service may use a key after another took its place; two look-ups by an index
AFTER_FAILURE = 5.0  # seconds; a key store that fails is not asked twice a second

log = structlog.get_logger("eduseal.background")


@dataclass(frozen=True)
class Job:
    """`run` does what there is to do and returns what went wrong, one line each; it may raise too."""

    name: str
    run: Callable[[], tuple[str, ...]]
    every: float


def jobs_of(house: House) -> tuple[Job, ...]:
    """What a house's service does beside serving."""
    return (
        Job("publication", lambda: _publish(house), PUBLISH_EVERY),
        Job("reconciliation", lambda: _reconcile(house), RECONCILE_EVERY),
        Job("rotation", lambda: _rotate(house), ROTATE_EVERY),
    )


def in_background(*jobs: Job) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan for the application; when it ends, a run that has begun is waited for."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ending = asyncio.Event()
        tasks = [asyncio.create_task(_again_and_again(job, ending)) for job in jobs]
        try:
            yield
        finally:
            ending.set()
            await asyncio.gather(*tasks)

    return lifespan


async def _again_and_again(job: Job, ending: asyncio.Event) -> None:
    noting, limiter = _Noting(job), CapacityLimiter(1)  # of its own: it must not stand in line behind slow requests
    while not ending.is_set():
        well = await to_thread.run_sync(noting, limiter=limiter)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), job.every if well else max(job.every, AFTER_FAILURE))


class _Noting:
    """Runs a job; says whether all went well, and notes a failure when it begins, changes or ends."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._failures: tuple[str, ...] = ()

    def __call__(self) -> bool:
        try:
            failures = self._job.run()
        except Exception as exc:
            failures = (f"{type(exc).__name__}: {exc}",)
        if failures != self._failures:
            for text in failures:
                log.error(f"{self._job.name}.failed", text=text)
            if not failures:
                log.info(f"{self._job.name}.works_again")
        self._failures = failures
        return not failures


def _publish(house: House) -> tuple[str, ...]:
    failed = house.publisher.publish_due().failed
    return tuple(f"CRL of {issuer}, shard {shard}: {type(exc).__name__}: {exc}" for (issuer, shard), exc in sorted(failed.items()))


def _reconcile(house: House) -> tuple[str, ...]:
    for issuer, serial in house.reconciliation.run():
        log.warning("certificate.never_issued", issuer=issuer, serial=f"{serial:x}")
    return ()


def _rotate(house: House) -> tuple[str, ...]:
    for service in house.rotation.run():
        log.info("service.certificate_changed", service=service)
    return ()
