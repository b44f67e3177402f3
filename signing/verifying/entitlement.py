"""Whether the signers are those that the record needs: a good signature is not yet an official record (docs/architecture.md).

The workflow is named by the signed `record.json` but counts only as the verifier's own policy holds it, step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signing.policy import VerificationPolicy
from signing.trust.store import Registered
from signing.trust.subject import Subject
from signing.verdict import Entitlement, Message
from signing.workflow import Manifest, Step, Workflow


@dataclass(frozen=True)
class StepSignature:
    """One signature as entitlement sees it, in the order of signing.

    `chained`: its signer is known, by a valid chain to an anchor. `ours`: that chain carries an OID of our policy arc.
    """

    field: str
    chained: bool
    ours: bool
    subject: Subject | None
    certifies: bool = False
    """Whether it is a certification signature (DocMDP)."""
    registered: Registered | None = None
    """What the books say of a certificate that another authority issued."""

    @property
    def known(self) -> bool:
        """Whether role and school of its signer are ours to tell."""
        return self.ours or self.registered is not None

    def role(self, policy: VerificationPolicy) -> str | None:
        if self.registered is not None:
            return self.registered.role
        return policy.role_of(self.subject.policies) if self.ours and self.subject is not None else None

    @property
    def school(self) -> str | None:
        """An organizationIdentifier."""
        return self.registered.school if self.registered else self.subject.organization_identifier if self.subject else None


@dataclass(frozen=True)
class EntitlementFinding:
    entitlement: Entitlement
    messages: tuple[Message, ...] = ()


_UNKNOWN = EntitlementFinding(Entitlement.UNKNOWN)


def judge(manifest: Manifest | None, signatures: Sequence[StepSignature], policy: VerificationPolicy) -> EntitlementFinding:
    """Compares the signers with the workflow's steps.

    `manifest` is None where the signed bytes hold no readable `record.json`. UNKNOWN where the policy does not ask, where no anchor of
    ours stands behind a signature, or where every step seems signed but not every signer is known. Whether certificates were revoked is
    not asked here: who signed can be told even where that cannot.
    """
    if not policy.entitlement or not any(signature.known and signature.chained for signature in signatures):
        return _UNKNOWN
    if manifest is None:
        return _not_entitled(
            "NO_RECORD_MANIFEST", "our certificates signed a file without a readable record.json: it is no official record"
        )
    workflow = policy.workflow(manifest.workflow.id)
    if workflow is None:
        return _not_entitled("WORKFLOW_UNKNOWN", f"record.json names workflow {manifest.workflow.id}, which this policy does not hold")
    if workflow != manifest.workflow:
        return _not_entitled("WORKFLOW_ALTERED", f"record.json tells the steps of {workflow.id} otherwise than this policy does")
    misfits = _misfits(manifest, workflow, [signature for signature in signatures if signature.chained], policy)
    if misfits:
        return EntitlementFinding(Entitlement.NOT_ENTITLED, tuple(misfits))
    signed = {signature.field for signature in signatures}
    missing = [step for step in workflow.steps if step.field not in signed]
    if missing:
        names = ", ".join(step.id for step in missing)
        return EntitlementFinding(
            Entitlement.INCOMPLETE, (Message("STEPS_MISSING", f"{len(missing)} of {len(workflow.steps)} signatures are missing: {names}"),)
        )
    if not all(signature.chained for signature in signatures):
        return _UNKNOWN
    return EntitlementFinding(Entitlement.COMPLETE)


def _misfits(manifest: Manifest, workflow: Workflow, signatures: Sequence[StepSignature], policy: VerificationPolicy) -> list[Message]:
    steps = {step.field: step for step in workflow.steps}
    found: list[Message] = []
    for signature in signatures:
        step = steps.get(signature.field)
        if step is None:
            found.append(Message("STEP_UNKNOWN", f"field {signature.field} belongs to no step of workflow {workflow.id}"))
        else:
            found.extend(_misfit(step, signature, manifest, policy))
    if not _in_order([steps[signature.field].id for signature in signatures if signature.field in steps], workflow):
        found.append(Message("STEP_ORDER", f"the signatures do not follow the order of workflow {workflow.id}"))
    return found


def _in_order(signed: Sequence[str], workflow: Workflow) -> bool:
    """No step twice, and none behind a step that must come after it. A step that is not signed at all is another matter."""
    return all(later != step and later not in workflow.before(step) for index, step in enumerate(signed) for later in signed[index + 1 :])


def _misfit(step: Step, signature: StepSignature, manifest: Manifest, policy: VerificationPolicy) -> list[Message]:
    role = signature.role(policy)
    if role != step.role:
        return [Message("ROLE_MISMATCH", f"step {step.id} was signed by {_who(role)}, expected a {step.role}")]
    if signature.school != manifest.school_identifier:
        got = signature.school or "no organization"
        return [Message("SCHOOL_MISMATCH", f"step {step.id} was signed for {got}, expected {manifest.school_identifier}")]
    if step.certifies != signature.certifies:
        got, expected = ("certifies", "an approval") if signature.certifies else ("is an approval", "a certification")
        return [Message("CERTIFICATION_MISMATCH", f"the signature of step {step.id} {got}, expected {expected}")]
    return []


def _who(role: str | None) -> str:
    return f"a {role}" if role else "a certificate without a role of ours"


def _not_entitled(code: str, text: str) -> EntitlementFinding:
    return EntitlementFinding(Entitlement.NOT_ENTITLED, (Message(code, text),))
