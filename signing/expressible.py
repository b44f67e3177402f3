"""What a workflow may not ask of a PDF (ISO 32000-2 clauses 12.7.4.2, 12.8.2.2 and 12.8.2.4; domain.md, "Several signers")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from signing.errors import PolicyError
from signing.step import Step

MAX_STEPS = 20  # design.md: up to 20 signatures on a document
RESERVED_PREFIX = "Archive-"  # fields of document time stamps: a signature there would look like one


def check_names(workflow: str, steps: Sequence[Step]) -> None:
    """As many steps as a document carries, each with a name and a field of its own. Raises :class:`PolicyError`."""
    if not 1 <= len(steps) <= MAX_STEPS:
        raise PolicyError(f"workflow {workflow}: {len(steps)} steps, expected 1 to {MAX_STEPS}")
    if len({step.id for step in steps}) != len(steps) or len({step.field for step in steps}) != len(steps):
        raise PolicyError(f"workflow {workflow}: step ids and fields must each be unique")
    for step in steps:
        if "." in step.field:  # 12.7.4.2: a full stop separates the names of a field and its parents
            raise PolicyError(f"workflow {workflow}: field {step.field!r} of step {step.id} has a full stop in its name")
        if step.field.startswith(RESERVED_PREFIX):
            raise PolicyError(f"workflow {workflow}: field {step.field!r} of step {step.id} is named as archive time stamps are")


def check_expressible(workflow: str, steps: Sequence[Step], before: Mapping[str, frozenset[str]]) -> None:
    """Certification first and alone, the seal last and alone, no lock on what is signed later. Raises :class:`PolicyError`.

    `before` is what :func:`signing.step.predecessors` says.
    """
    if [step.seal for step in steps] != [False] * (len(steps) - 1) + [True]:
        raise PolicyError(f"workflow {workflow}: exactly the last step must be the closing seal")
    _check_seal(workflow, steps, before)
    _check_certification(workflow, steps, before)
    _check_locks(workflow, steps, before)


def _check_seal(workflow: str, steps: Sequence[Step], before: Mapping[str, frozenset[str]]) -> None:
    *others, seal = steps
    for step in others:
        if step.id not in before[seal.id]:
            raise PolicyError(
                f"workflow {workflow}: the closing seal {seal.id} does not wait for step {step.id}, which could not be signed after it"
            )
    if seal.locks is not None:
        raise PolicyError(f"workflow {workflow}: the closing seal {seal.id} locks every field; it cannot list some")


def _check_certification(workflow: str, steps: Sequence[Step], before: Mapping[str, frozenset[str]]) -> None:
    certifying = [step for step in steps if step.certifies]
    if not certifying:
        return
    if len(certifying) > 1:
        names = ", ".join(step.id for step in certifying)
        raise PolicyError(f"workflow {workflow}: steps {names} certify, but a document has at most one certification")
    first = certifying[0]
    if first.seal:
        raise PolicyError(f"workflow {workflow}: step {first.id} cannot both certify and close the record")
    if first.locks is not None:
        raise PolicyError(f"workflow {workflow}: step {first.id} certifies the whole document; it cannot lock single fields")
    for step in steps:
        if step is not first and first.id not in before[step.id]:
            raise PolicyError(
                f"workflow {workflow}: step {first.id} certifies, which only the first signature may; step {step.id} does not wait for it"
            )


def _check_locks(workflow: str, steps: Sequence[Step], before: Mapping[str, frozenset[str]]) -> None:
    by_field = {step.field: step for step in steps}
    for step in steps:
        if step.seal or step.certifies:
            continue
        for name in step.locked_fields:
            other = by_field.get(name)
            if other is None:
                raise PolicyError(f"workflow {workflow}: step {step.id} locks field {name!r}, which belongs to no step")
            if other is not step and other.id not in before[step.id]:
                raise PolicyError(f"workflow {workflow}: step {step.id} locks field {name!r}, which step {other.id} may fill later")
