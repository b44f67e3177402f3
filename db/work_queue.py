"""Durable work: workflows that survive the process that runs them. The only module that knows DBOS Transact.

    with WorkQueue(database, url, workflows={"bulk": issue_batch}, clock=utc_now) as queue:
        with database.writing() as connection:                  # the caller's own changes and the workflow: both or neither
            queue.enqueue(connection, "bulk", workflow_id, batch_id)
        queue.wait(workflow_id)

A workflow is given an id and runs in steps; what a step returned is remembered, so a workflow that was interrupted goes on behind its last
step. A step may run twice: its effects must be safe to repeat, also while a process that was thought dead still works on it.

What its tables hold is JSON: ids and counts, never a code, a PIN or a row of the roster. On PostgreSQL many processes work together, and
what a dead one had begun another takes over. SQLite has one such process at a time, which a lock on a file beside it sees to.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from db.engine import Database
from db.errors import DatabaseError
from db.work_executors import Executors
from pki.ports import Clock

APPLICATION = "eduseal"
VERSION = "1"
"""Pinned: DBOS's own default, a hash of the source, would strand queued work at each upgrade. Raise it when a workflow's steps change
order, after the queue has run dry."""
QUEUE = "eduseal-work"
AT_ONCE = 1  # workflows in one process; without a limit DBOS starts a thread for each that waits
POLL_SECONDS = 0.25
BEAT_SECONDS = 5.0
MAX_RECOVERIES = 1000  # of one workflow; what fails of itself raises, and is not recovered
TRIES = 3  # of one step, before its workflow fails
PAUSE_SECONDS = 1.0

T = TypeVar("T")


class WorkError(DatabaseError):
    """Durable work cannot be run here."""


class WorkState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WorkStatus:
    state: WorkState
    error: str | None = None


class Steps:
    """What a workflow runs its steps with."""

    def __init__(self, queue: WorkQueue, workflow_id: str) -> None:
        self._queue = queue
        self._workflow_id = workflow_id

    def run(self, name: str, work: Callable[..., T], *arguments: Any) -> T:
        """The result of `work(*arguments)`, which JSON can hold; the remembered one where the step was done before."""
        return DBOS.run_step({"name": name}, self._queue.attempt, self._workflow_id, work, *arguments)


Workflow = Callable[[Steps, str], None]
"""Is given its steps and the id that it was enqueued with."""


class _Stopped(BaseException):
    """Ends a workflow's thread without an outcome: not an Exception, so that DBOS writes nothing down and another process goes on."""


class WorkQueue:
    """This process's part in durable work; one at a time in a process. Use as a context."""

    def __init__(
        self, database: Database, url: str, *, workflows: Mapping[str, Workflow], clock: Clock, pause: float = PAUSE_SECONDS
    ) -> None:
        """`url` is the database's own: the queue's tables lie beside ours, so that both change in one transaction.

        `pause` is how many seconds a step that failed waits before it is tried again.
        """
        self._url = url
        self._workflows = dict(workflows)
        self._database = database
        self._executors = Executors(database, url, clock=clock)
        self._pause = pause
        self._stop = threading.Event()
        self._beating: threading.Thread | None = None
        self._client: DBOSClient | None = None

    def __enter__(self) -> WorkQueue:
        self._executors.enlist()
        try:
            self._launch()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of what is running here: the step at hand ends, and the workflow waits for whoever takes it over."""
        self._stop.set()
        if self._beating is not None:
            self._beating.join()
        DBOS.destroy(destroy_registry=True)
        self._executors.leave()

    def enqueue(self, connection: sa.Connection, workflow: str, workflow_id: str, subject_id: str) -> None:
        """In the caller's transaction. A workflow id that is known already changes nothing."""
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": QUEUE,
            "workflow_id": workflow_id,
            "app_version": VERSION,
            "application_name": APPLICATION,
        }
        self._here().enqueue_in_transaction(connection, options, subject_id)

    def status(self, workflow_id: str) -> WorkStatus:
        found = DBOS.get_workflow_status(workflow_id)
        if found is None:
            return WorkStatus(WorkState.UNKNOWN)
        state = {"ENQUEUED": WorkState.WAITING, "DELAYED": WorkState.WAITING, "PENDING": WorkState.RUNNING, "SUCCESS": WorkState.DONE}
        return WorkStatus(state.get(found.status, WorkState.FAILED), str(found.error) if found.error else None)

    def wait(self, workflow_id: str, *, watch: Callable[[], None] = lambda: None) -> None:
        """Returns when it is done, wherever it runs; calls `watch` some times a second. Raises :class:`WorkError` where it failed."""
        while True:
            status = self.status(workflow_id)
            watch()
            if status.state is WorkState.DONE:
                return
            if status.state in (WorkState.FAILED, WorkState.UNKNOWN):
                raise WorkError(f"workflow {workflow_id} is {status.state}: {status.error or 'nobody knows of it'}")
            time.sleep(POLL_SECONDS)

    def attempt(self, workflow_id: str, work: Callable[..., T], *arguments: Any) -> T:
        """One step, some times over where it fails. Ends the thread where the workflow is another process's by now."""
        for left in reversed(range(TRIES)):
            if self._stop.is_set():
                raise _Stopped
            try:
                return work(*arguments)
            except Exception:
                # an error of one who has been replaced must not become the workflow's
                if self._stop.is_set() or self._executor_of(workflow_id) != self._executors.id:
                    raise _Stopped from None
                if not left:
                    raise
                self._stop.wait(self._pause)
        raise AssertionError("unreachable")

    def take_over(self) -> tuple[str, ...]:
        """Puts back into the queue what dead processes were working on; returns their ids."""
        pending = {status.executor_id for status in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)}
        dead = tuple(sorted(executor for executor in pending - self._executors.live() if executor))
        if dead:
            DBOS._recover_pending_workflows(list(dead))  # private, and safe to repeat; the public ways are DBOS Conductor's
        self._executors.strike_off()
        return dead

    def _launch(self) -> None:
        told = logging.getLogger("dbos")
        # with a handler of ours it makes none of its own, which would write to the terminal that a command draws on
        told.handlers, told.propagate = [logging.NullHandler()], False
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url,
            "executor_id": self._executors.id,
            "application_version": VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "CRITICAL",
            "sys_db_pool_size": 5,
            "notification_listener_polling_interval_sec": POLL_SECONDS,  # how long leaving waits for it
        }
        DBOS.destroy(destroy_registry=True)  # what another queue in this process left, in tests
        DBOS(config=config)
        for name, workflow in self._workflows.items():
            DBOS.workflow(name=name, max_recovery_attempts=MAX_RECOVERIES)(self._bound(workflow))
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLL_SECONDS, on_conflict="always_update")
        self._client = DBOSClient(
            system_database_engine=self._database.engine, serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION
        )
        self.take_over()
        self._beating = threading.Thread(target=self._beat, name="work-queue-heartbeat", daemon=True)
        self._beating.start()

    def _bound(self, workflow: Workflow) -> Callable[[str], None]:
        def run(subject_id: str) -> None:
            workflow_id = DBOS.workflow_id
            assert workflow_id is not None  # noqa: S101 - inside a workflow there is one
            workflow(Steps(self, workflow_id), subject_id)

        return run

    def _beat(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + BEAT_SECONDS
            try:
                self._executors.beat()
                self.take_over()
            except Exception:  # noqa: S112 - the database is away: the next beat tries again, and until then we may be thought dead
                continue

    def _executor_of(self, workflow_id: str) -> str | None:
        found = self._here().retrieve_workflow(workflow_id).get_status()
        return found.executor_id

    def _here(self) -> DBOSClient:
        if self._client is None:
            raise WorkError("the work queue is not open; use it as a context")
        return self._client
