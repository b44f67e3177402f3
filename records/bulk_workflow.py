"""A bulk batch as durable work: a few steps, each of which may be repeated. What is remembered of it are ids and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from pki.ports import Clock
from records.bulk_issuance import BulkIssuance
from records.bulk_ports import BulkStore

NAME = "bulk-issuance"

T = TypeVar("T")


class Steps(Protocol):
    def run(self, name: str, work: Callable[..., T], *arguments: Any) -> T:
        """The result of `work(*arguments)`, remembered: the same one where the step was done before."""
        ...


class BulkWorkflow:
    """What a process does when a batch's turn comes. `issuance` makes the worker for a batch."""

    def __init__(self, store: BulkStore, issuance: Callable[[str], BulkIssuance], clock: Clock) -> None:
        self._store = store
        self._issuance = issuance
        self._clock = clock

    def __call__(self, steps: Steps, batch_id: str) -> None:
        worker = list[BulkIssuance]()

        def issue(number: int) -> int:
            if not worker:  # not before there is something to do: a workflow that is taken over may have done it all
                worker.append(self._issuance(batch_id))
            return worker[0].issue_chunk(number)

        for number in steps.run("chunks", self._chunks, batch_id):
            steps.run("issue", issue, number)
        steps.run("finish", self._finish, batch_id)

    def _chunks(self, batch_id: str) -> list[int]:
        return list(self._store.open_chunks(batch_id))

    def _finish(self, batch_id: str) -> None:
        self._store.finish(batch_id, at=self._clock())
