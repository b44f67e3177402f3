"""Workflows as data: what loads, what PDF cannot express, who may sign when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import loader
from signing.errors import PolicyError
from signing.workflow import MAX_STEPS, Step, Workflow

SEQUENTIAL = loader.load("policies", "workflow-school-record")
SUBJECTS = loader.load("policies", "workflow-school-record-subjects")


def step(name: str, **members: Any) -> dict[str, Any]:
    return {"id": name, "role": "teacher", "field": f"F-{name}", **members}


SEAL = step("seal", role="school-seal", seal=True)


def load(*steps: dict[str, Any]) -> Workflow:
    return Workflow.from_mapping({"id": "w/1", "steps": list(steps)})


def test_without_after_each_step_follows_the_one_above() -> None:
    workflow = Workflow.from_mapping(SEQUENTIAL)
    assert [step.id for step in workflow.open_steps(set())] == ["homeroom"]
    assert [step.id for step in workflow.open_steps({"homeroom"})] == ["principal"]
    assert workflow.before("seal") == {"homeroom", "principal"}


def test_a_sequential_workflow_is_written_as_it_always_was() -> None:
    plain = [{"seal": False, **entry} for entry in SEQUENTIAL["steps"]]
    assert Workflow.from_mapping(SEQUENTIAL).as_dict() == {"id": "school-record/1", "steps": plain}


@pytest.mark.parametrize("data", [SEQUENTIAL, SUBJECTS], ids=["sequential", "subjects"])
def test_a_workflow_survives_record_json(data: dict[str, Any]) -> None:
    workflow = Workflow.from_mapping(data)
    assert Workflow.from_mapping(json.loads(json.dumps(workflow.as_dict()))) == workflow


def test_twelve_subject_teachers_sign_side_by_side() -> None:
    workflow = Workflow.from_mapping(SUBJECTS)
    assert len(workflow.steps) == 16
    assert [step.id for step in workflow.open_steps(set())] == ["export"]
    assert len(workflow.open_steps({"export"})) == 12
    subjects = {step.id for step in workflow.open_steps({"export"})}
    assert not workflow.open_steps({"export", *list(subjects)[:11]})[1:]
    assert [step.id for step in workflow.open_steps({"export", *subjects})] == ["homeroom"]


INEXPRESSIBLE = {
    "certification not first": (
        [step("a", after=[]), step("c", certifies=True), SEAL],
        "step c certifies, which only the first signature may; step a does not wait for it",
    ),
    "certification not alone": (
        [step("c", certifies=True), step("a", after=[]), step("seal", after=["a", "c"], seal=True)],
        "step c certifies, which only the first signature may; step a does not wait for it",
    ),
    "two certifications": (
        [step("c", certifies=True), step("d", certifies=True), SEAL],
        "steps c, d certify, but a document has at most one",
    ),
    "certifying seal": ([step("a"), {**SEAL, "certifies": True}], "step seal cannot both certify and close the record"),
    "certification with a lock": (
        [step("c", certifies=True, locks=["F-c"]), SEAL],
        "certifies the whole document; it cannot lock single fields",
    ),
    "lock on a later field": ([step("a", locks=["F-a", "F-b"]), step("b"), SEAL], "step a locks field 'F-b', which step b may fill later"),
    "lock on a parallel field": (
        [step("a", after=[], locks=["F-b"]), step("b", after=[]), step("seal", after=["a", "b"], seal=True)],
        "step a locks field 'F-b', which step b may fill later",
    ),
    "lock on no step's field": ([step("a", locks=["Marks"]), SEAL], "step a locks field 'Marks', which belongs to no step"),
    "circle": ([step("a", after=["b"]), step("b", after=["a"]), SEAL], "steps a, b, seal can never be signed: they wait for each other"),
    "step that waits for itself": ([step("a", after=["a"]), SEAL], "steps a, seal can never be signed"),
    "step behind none": ([step("a", after=["x"]), SEAL], "step a can never be signed: it comes after 'x', which is no step"),
    "no seal": ([step("a"), step("b")], "exactly the last step must be the closing seal"),
    "two seals": ([step("a", seal=True), SEAL], "exactly the last step must be the closing seal"),
    "seal in the middle": ([step("a"), SEAL, step("b")], "exactly the last step must be the closing seal"),
    "seal beside a step": ([step("a", after=[]), step("b", after=[]), SEAL], "the closing seal seal does not wait for step a"),
    "seal with a list of locks": ([step("a"), {**SEAL, "locks": ["F-a"]}], "the closing seal seal locks every field; it cannot list some"),
    "field twice": ([step("a"), step("b", field="F-a"), SEAL], "step ids and fields must each be unique"),
    "id twice": ([step("a"), step("a", field="F-x"), SEAL], "step ids and fields must each be unique"),
    "field below another": ([step("a", field="F.a"), SEAL], "field 'F.a' of step a has a full stop in its name"),
    "field of an archive time stamp": ([step("a", field="Archive-1"), SEAL], "is named as archive time stamps are"),
    "too many": ([*(step(f"s{n}") for n in range(MAX_STEPS)), SEAL], "expected a list of 1 to 20 steps"),
    "none": ([], "0 steps, expected 1 to 20"),
    "unknown member": ([step("a", permits="all"), SEAL], "step has the unknown member 'permits'"),
    "after is no list": ([step("a", after="b"), SEAL], "expected a list of at most 50 texts"),
    "seal is no flag": ([step("a", seal="yes"), SEAL], "expected true or false"),
}


@pytest.mark.parametrize("case", INEXPRESSIBLE)
def test_a_workflow_that_pdf_cannot_express_is_refused(case: str) -> None:
    steps, message = INEXPRESSIBLE[case]
    with pytest.raises(PolicyError) as refusal:
        load(*steps)
    assert message in str(refusal.value)


def test_a_step_may_lock_what_was_signed_before_it() -> None:
    assert load(step("a"), step("b", locks=["F-a", "F-b"]), SEAL).steps[1].locked_fields == ("F-a", "F-b")


def test_twenty_steps_are_the_most() -> None:
    assert len(load(*(step(f"s{n}") for n in range(MAX_STEPS - 1)), SEAL).steps) == MAX_STEPS


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.sets(st.integers(0, 8)), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_a_workflow_that_loads_can_be_signed_to_its_end_in_any_permitted_order(after: list[set[int]], chance: Any) -> None:
    names = [f"s{n}" for n in range(len(after))]
    steps = [
        Step(name, "teacher", name, after=tuple(names[n] for n in waits if n < len(names)))
        for name, waits in zip(names, after, strict=True)
    ]
    try:
        workflow = Workflow("w/1", (*steps, Step("seal", "school-seal", "seal", seal=True, after=tuple(names))))
    except PolicyError:
        return
    signed: list[str] = []
    while open_steps := workflow.open_steps(signed):
        signed.append(chance.choice(open_steps).id)
        assert workflow.before(signed[-1]) <= set(signed)
    assert len(signed) == len(workflow.steps)
    assert signed[-1] == "seal"
