"""Policies: what must be said, and what is refused."""

from __future__ import annotations

import pytest

from certs import loader
from signing.errors import PolicyError
from signing.policy import VerificationPolicy
from signing.verdict import Changes


def shipped(policy: str, **changes: object) -> dict[str, object]:
    return {**loader.load("policies", policy), **changes}


def read(data: dict[str, object]) -> VerificationPolicy:
    return VerificationPolicy.from_mapping(data, workflows=lambda name: loader.load("policies", name))


def test_record_policy_as_shipped_demands_entitlement_and_permits_lta_updates_only() -> None:
    policy = read(shipped("record"))
    assert (policy.name, policy.permitted_changes, policy.entitlement) == ("record", Changes.LTA, True)
    assert policy.lenient_outermost_tsa
    assert policy.failed_timestamps_count
    assert [workflow.id for workflow in policy.workflows] == ["school-record/1", "school-record-subjects/1"]


def test_ades_policy_as_shipped_is_strict_on_freshness_and_asks_no_entitlement() -> None:
    policy = read(shipped("ades"))
    assert (policy.permitted_changes, policy.entitlement, policy.lenient_outermost_tsa) == (Changes.FORM_FILLING, False, False)


@pytest.mark.parametrize("member", sorted(loader.load("policies", "record").keys() - {"name"}))
def test_policy_that_leaves_a_member_out_is_refused(member: str) -> None:
    data = shipped("record")
    del data[member]
    with pytest.raises(PolicyError, match=f"policy record: member '{member}' is missing"):
        read(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "unknown member 'surprise'"),
        ({"permitted_changes": "undefined"}, "permitted_changes is 'undefined', expected one of"),
        ({"permitted_changes": 3}, "'permitted_changes' is a int, expected a str"),
        ({"outermost_tsa_revocation": "soft"}, "outermost_tsa_revocation is 'soft'"),
        ({"failed_timestamps": "shrug"}, "failed_timestamps is 'shrug'"),
        ({"subfilters": []}, "subfilters must be one or more of"),
        ({"subfilters": ["adbe.pkcs7.sha1"]}, "subfilters must be one or more of"),
        ({"subfilters": [1]}, "'subfilters' must hold texts"),
        ({"workflows": []}, "entitlement needs at least one workflow"),
        ({"workflows": ["workflow-nowhere"]}, "workflow 'workflow-nowhere' is not there"),
        ({"workflows": ["workflow-school-record", "workflow-school-record"]}, "two workflows share one id"),
        ({"roles": {"teacher": "1.2.3"}}, "role teacher has OID 1.2.3, which lies outside the arc"),
        ({"roles": {"teacher": 5}}, "roles must map a role to a dotted OID"),
        ({"roles": {"teacher": "1.3.6.1.4.1.32473.1.1.1"}}, "asks for role principal, which has no OID"),
        ({"name": ""}, "member 'name' is missing"),
    ],
)
def test_policy_with_a_wrong_member_is_refused_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        read(shipped("record", **changes))


def test_two_roles_with_one_oid_are_refused() -> None:
    roles = {**loader.load("policies", "record")["roles"], "student": "1.3.6.1.4.1.32473.1.1.1"}
    with pytest.raises(PolicyError, match="two roles share one OID"):
        read(shipped("record", roles=roles))


def test_arc_is_a_prefix_of_whole_components() -> None:
    policy = read(shipped("record"))
    assert policy.is_ours("1.3.6.1.4.1.32473.1.9")
    assert not policy.is_ours("1.3.6.1.4.1.32473.10")


def test_certificate_with_the_oids_of_two_roles_has_none() -> None:
    policy = read(shipped("record"))
    teacher, principal = policy.oid_of("teacher"), policy.oid_of("principal")
    assert policy.role_of(frozenset({str(teacher)})) == "teacher"
    assert policy.role_of(frozenset({str(teacher), str(principal)})) is None
