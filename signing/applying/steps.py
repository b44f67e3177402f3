"""Whether a step of a record's workflow may be signed now."""

from __future__ import annotations

from signing.applying.form import SignatureField, signature_fields
from signing.errors import WorkflowError
from signing.pdf.document import Document
from signing.workflow import Manifest, Step


def check_step(document: Document, manifest: Manifest, step_id: str) -> Step:
    """The step, where every step before it is signed, and neither it nor any step after it is; else :class:`WorkflowError`.
    Steps parallel to it do not matter.

    Not checked: who signed the earlier steps and whether those signatures verify.
    """
    workflow = manifest.workflow
    wanted = workflow.step(step_id)
    if wanted is None:
        raise WorkflowError(f"workflow {workflow.id} has no step {step_id!r}; it has {', '.join(step.id for step in workflow.steps)}")
    signed = {step.id for step, field in zip(workflow.steps, step_fields(document, manifest), strict=True) if field.signed}
    if step_id in signed:
        raise WorkflowError(f"step {step_id} is signed already")
    for step in workflow.steps:
        if step.id in workflow.before(step_id) and step.id not in signed:
            raise WorkflowError(f"step {step_id} is out of order: step {step.id} is not signed yet")
        if step.id in signed and step_id in workflow.before(step.id):
            raise WorkflowError(f"step {step_id} is out of order: step {step.id} is signed already")
    return wanted


def step_fields(document: Document, manifest: Manifest) -> tuple[SignatureField, ...]:
    """The field of each step, in order; raises :class:`WorkflowError` where one is missing or doubled."""
    found: dict[str, list[SignatureField]] = {}
    for field in signature_fields(document):
        found.setdefault(field.name, []).append(field)
    for step in manifest.workflow.steps:
        if len(found.get(step.field, ())) != 1:
            raise WorkflowError(f"step {step.id}: field {step.field!r} exists {len(found.get(step.field, ()))} times, expected once")
    return tuple(found[step.field][0] for step in manifest.workflow.steps)
