"""Which records a run is about, and how each stands to the step that is to be signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from cli.main import UsageError
from records.errors import NotFoundError, RecordsError, StepOrderError
from records.lifecycle import record_signature
from records.ports import RecordStore
from records.state import Actor, RecordState
from signing.workflow import Step

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The records' ids.", show_default=False)]
ClassName = Annotated[str | None, typer.Option("--class", metavar="NAME", help="All records of this class, instead of ids.")]
Everything = Annotated[bool, typer.Option("--all", help="All of the school's records that wait for the step, instead of ids.")]

_NOT_SIGNED_YET = "0" * 64


@dataclass(frozen=True)
class Standing:
    """One record: `done` where the step is signed, `refusal` where it cannot be signed now; else it waits for `step`."""

    record_id: str
    version: int = 0
    step: Step | None = None
    done: bool = False
    refusal: RecordsError | None = None

    @property
    def waits(self) -> bool:
        return not self.done and self.refusal is None


@dataclass(frozen=True)
class Choice:
    """Exactly one of `ids`, `class_name` and `everything` is given; else :class:`cli.main.UsageError`."""

    ids: tuple[str, ...]
    class_name: str | None
    everything: bool

    def __post_init__(self) -> None:
        if sum((bool(self.ids), self.class_name is not None, self.everything)) != 1:
            raise UsageError("name the records: either by their ids, or --class NAME, or --all")

    def standings(self, records: RecordStore, *, step: str | None, by: Actor, at: datetime, opening: bool = False) -> Iterator[Standing]:
        """Of the actor's school, unless they are named. With --all only what waits or is done.

        `step` None is the record's closing seal or, with `opening`, its certification.
        """
        for state in self._named(records) if self.ids else self._chosen(records, by):
            if isinstance(state, Standing):
                yield state
                continue
            found = _standing(state, step, by, at, opening=opening)
            if not self.everything or found.refusal is None:
                yield found

    def _named(self, records: RecordStore) -> Iterator[RecordState | Standing]:
        """The states of those that are in the books, and how the others stand."""
        for record_id in dict.fromkeys(self.ids):
            try:
                yield records.load(record_id)
            except NotFoundError as exc:
                yield Standing(record_id, refusal=exc)

    def _chosen(self, records: RecordStore, by: Actor) -> Iterator[RecordState]:
        for state in records.all(school=by.school):
            if self.class_name in (None, state.working.record.content.years[-1].class_name):
                yield state


def _standing(state: RecordState, step_id: str | None, by: Actor, at: datetime, *, opening: bool) -> Standing:
    number = state.working.number
    chosen = (
        step for step in state.workflow.steps if step.id == step_id or (step_id is None and (step.certifies if opening else step.seal))
    )
    step = next(chosen, None)
    if step is None and opening:
        return Standing(state.record_id, number, refusal=StepOrderError(f"workflow {state.workflow.id} has no certification"))
    if step is not None and any(signed.step == step.id for signed in state.working.signed):
        return Standing(state.record_id, number, step, done=True)
    try:
        # the move itself says whether it is legal; its result is thrown away
        record_signature(state, step.id if step else step_id or "", by=by, at=at, document_sha256=_NOT_SIGNED_YET)
    except RecordsError as exc:
        return Standing(state.record_id, number, step, refusal=exc)
    return Standing(state.record_id, number, step)
