"""Whether a step of a record's workflow may be signed now."""

from __future__ import annotations

from signing.errors import WorkflowError
from signing.form import SignatureField, signature_fields
from signing.pdf.document import Document
from signing.workflow import Manifest, Step


def check_step(document: Document, manifest: Manifest, step_id: str) -> Step:
    """The step, where every step before it is signed, and neither it nor any step after it is; else :class:`WorkflowError`.

    Not checked: who signed the earlier steps and whether those signatures verify.
    """
    steps = manifest.workflow.steps
    position = next((index for index, step in enumerate(steps) if step.id == step_id), None)
    if position is None:
        raise WorkflowError(f"workflow {manifest.workflow.id} has no step {step_id!r}; it has {', '.join(step.id for step in steps)}")
    fields = step_fields(document, manifest)
    if fields[position].signed:
        raise WorkflowError(f"step {step_id} is signed already")
    for before, field in zip(steps[:position], fields[:position], strict=True):
        if not field.signed:
            raise WorkflowError(f"step {step_id} is out of order: step {before.id} is not signed yet")
    for after, field in zip(steps[position + 1 :], fields[position + 1 :], strict=True):
        if field.signed:
            raise WorkflowError(f"step {step_id} is out of order: step {after.id} is signed already")
    return steps[position]


def step_fields(document: Document, manifest: Manifest) -> tuple[SignatureField, ...]:
    """The field of each step, in order; raises :class:`WorkflowError` where one is missing or doubled."""
    found: dict[str, list[SignatureField]] = {}
    for field in signature_fields(document):
        found.setdefault(field.name, []).append(field)
    for step in manifest.workflow.steps:
        if len(found.get(step.field, ())) != 1:
            raise WorkflowError(f"step {step.id}: field {step.field!r} exists {len(found.get(step.field, ()))} times, expected once")
    return tuple(found[step.field][0] for step in manifest.workflow.steps)
