"""Entitlement: the right people, for the right school, in the right order, all of them (attack classes 41 and 42)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certs import loader
from signing.policy import VerificationPolicy
from signing.trust.subject import Subject
from signing.verdict import Entitlement
from signing.verifying.entitlement import StepSignature, judge
from signing.workflow import Manifest, Step, Workflow

POLICY = VerificationPolicy.from_mapping(loader.load("policies", "record"), workflows=lambda name: loader.load("policies", name))
ADES = VerificationPolicy.from_mapping(loader.load("policies", "ades"))
WORKFLOW = POLICY.workflows[0]
SCHOOL = "NTRVN-0100109106"
MANIFEST = Manifest(record_id="R-1", version=1, school_identifier=SCHOOL, workflow=WORKFLOW)


def signed(step: Step, role: str | None = None, *, school: str | None = SCHOOL, chained: bool = True, ours: bool = True) -> StepSignature:
    policies = frozenset({str(POLICY.oid_of(role or step.role))})
    subject = Subject(
        name="X", organization="School", organization_identifier=school, serial_number=None, policies=policies, certificate_serial=1
    )
    return StepSignature(field=step.field, chained=chained, ours=ours, subject=subject)


HOMEROOM, PRINCIPAL, SEAL = WORKFLOW.steps
ALL = [signed(HOMEROOM), signed(PRINCIPAL), signed(SEAL)]


def test_every_step_signed_by_its_role_for_the_school_is_complete() -> None:
    assert judge(MANIFEST, ALL, POLICY).entitlement is Entitlement.COMPLETE


@pytest.mark.parametrize("present", [1, 2])
def test_record_cut_back_to_its_first_signatures_is_incomplete(present: int) -> None:
    finding = judge(MANIFEST, ALL[:present], POLICY)
    assert finding.entitlement is Entitlement.INCOMPLETE
    assert finding.messages[0].code == "STEPS_MISSING"
    assert f"{3 - present} of 3 signatures are missing" in finding.messages[0].text


@pytest.mark.parametrize(
    ("signatures", "code", "text"),
    [
        ([signed(HOMEROOM, "student")], "ROLE_MISMATCH", "step homeroom was signed by a student, expected a teacher"),
        ([*ALL[:2], signed(SEAL, "teacher")], "ROLE_MISMATCH", "step seal was signed by a teacher, expected a school-seal"),
        ([signed(HOMEROOM, school="NTRVN-0999"), *ALL[1:]], "SCHOOL_MISMATCH", "signed for NTRVN-0999, expected NTRVN-0100109106"),
        ([*ALL[:2], signed(SEAL, school=None)], "SCHOOL_MISMATCH", "signed for no organization"),
        ([*ALL, replace(signed(SEAL), field="Extra")], "STEP_UNKNOWN", "field Extra belongs to no step"),
        ([ALL[1], ALL[0], ALL[2]], "STEP_ORDER", "do not follow the order"),
        ([*ALL[:2], signed(SEAL, ours=False)], "ROLE_MISMATCH", "a certificate without a role of ours"),
    ],
)
def test_signer_who_does_not_fit_the_step_is_not_entitled(signatures: list[StepSignature], code: str, text: str) -> None:
    finding = judge(MANIFEST, signatures, POLICY)
    assert finding.entitlement is Entitlement.NOT_ENTITLED
    assert finding.messages[0].code == code
    assert text in finding.messages[0].text


def test_our_certificate_on_a_file_without_manifest_is_not_entitled() -> None:
    finding = judge(None, ALL, POLICY)
    assert (finding.entitlement, finding.messages[0].code) == (Entitlement.NOT_ENTITLED, "NO_RECORD_MANIFEST")


def test_workflow_of_the_signers_own_making_is_not_entitled() -> None:
    own = Workflow(id="pupil/1", steps=(Step("me", "student", "Signature-Me", seal=True),))
    finding = judge(replace(MANIFEST, workflow=own), [signed(own.steps[0])], POLICY)
    assert (finding.entitlement, finding.messages[0].code) == (Entitlement.NOT_ENTITLED, "WORKFLOW_UNKNOWN")


def test_known_workflow_told_with_fewer_steps_is_not_entitled() -> None:
    short = Workflow(id=WORKFLOW.id, steps=(SEAL,))
    finding = judge(replace(MANIFEST, workflow=short), [signed(SEAL)], POLICY)
    assert (finding.entitlement, finding.messages[0].code) == (Entitlement.NOT_ENTITLED, "WORKFLOW_ALTERED")


def test_foreign_anchors_leave_entitlement_unknown() -> None:
    assert judge(MANIFEST, [replace(one, ours=False) for one in ALL], POLICY).entitlement is Entitlement.UNKNOWN


def test_policy_without_entitlement_leaves_it_unknown() -> None:
    assert judge(MANIFEST, ALL, ADES).entitlement is Entitlement.UNKNOWN


def test_signer_who_is_not_known_leaves_completeness_unknown() -> None:
    assert judge(MANIFEST, [*ALL[:2], replace(ALL[2], chained=False)], POLICY).entitlement is Entitlement.UNKNOWN


def test_misfit_is_named_even_where_another_signer_is_not_known() -> None:
    signatures = [signed(HOMEROOM, "student"), replace(ALL[1], chained=False)]
    assert judge(MANIFEST, signatures, POLICY).entitlement is Entitlement.NOT_ENTITLED
