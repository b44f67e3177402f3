"""A certificate that is put together from a pattern is the one that `cryptography` builds, octet for octet."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.identity.subject import Subject, SubjectError
from pki.issuing.structural import MAX_SERIAL
from pki.issuing.tbs import Plan, build, throwaway_key
from pki.issuing.tbs_pattern import Pattern, kind_of
from pki.keys.softkey import SoftwareKey
from tests.support.authority import Credential, TestAuthority, make_authority


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return make_authority()


def plan_of(authority: TestAuthority, profile: str, credential: Credential) -> Plan:
    return Plan(
        profile=authority.profiles[profile],
        issuer=authority.established.issuing.issuer,
        subject=credential.subject,
        public_key=credential.key.public_key(),
        serial=x509.load_der_x509_certificate(credential.certificate_der).serial_number,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
        urls=authority.urls,
        crl_shards=4,
    )


def tbs(plan: Plan) -> bytes:
    return build(plan, throwaway_key(plan.issuer.public_key)).tbs_certificate_bytes


@pytest.fixture(scope="module", params=["teacher", "student", "school-seal"])
def plan(request: pytest.FixtureRequest, authority: TestAuthority) -> Plan:
    issue = {"teacher": authority.issue_teacher, "student": authority.issue_student, "school-seal": authority.issue_seal}[request.param]
    return plan_of(authority, request.param, issue())


CHANGES: list[Callable[[Plan], Plan]] = [
    lambda plan: replace(plan, public_key=SoftwareKey.generate().public_key()),
    lambda plan: replace(plan, serial=4 * 127 + plan.serial % 4),
    lambda plan: replace(plan, serial=MAX_SERIAL - 3 + (plan.serial - MAX_SERIAL + 3) % 4),
    lambda plan: replace(plan, serial=128 + plan.serial % 4),
    lambda plan: replace(plan, not_after=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    lambda plan: replace(plan, not_after=datetime(2050, 1, 1, tzinfo=UTC)),
    lambda plan: replace(plan, subject=replace(plan.subject, common_name="Ư" * 64)),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore:Attribute's length must be")
def test_pattern_of_one_certificate_gives_every_other_of_its_kind(plan: Plan, change: Callable[[Plan], Plan]) -> None:
    other = change(plan)
    assert kind_of(other) == kind_of(plan)
    assert Pattern.of(tbs(plan)).fill(other) == tbs(other)


def test_another_shard_profile_or_form_of_identifier_is_another_kind(authority: TestAuthority) -> None:
    teacher, student = (
        plan_of(authority, name, make()) for name, make in (("teacher", authority.issue_teacher), ("student", authority.issue_student))
    )
    local = replace(teacher, subject=replace(teacher.subject, serial_number=student.subject.serial_number))
    assert len({kind_of(each) for each in (teacher, student, local, replace(teacher, serial=teacher.serial + 1))}) == 4


@settings(max_examples=60, derandomize=True, deadline=None)
@given(names=st.tuples(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64)))
def test_any_name_that_a_certificate_may_bear_is_encoded_as_cryptography_does(
    authority: TestAuthority, names: tuple[str, str, str]
) -> None:
    plan = plan_of(authority, "teacher", _TEACHERS.setdefault(id(authority), authority.issue_teacher()))
    try:
        subject = Subject(country="VN", common_name=names[0], given_name=names[1], surname=names[2])
    except SubjectError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert Pattern.of(tbs(plan)).fill(replace(plan, subject=subject)) == tbs(replace(plan, subject=subject))


_TEACHERS: dict[int, Credential] = {}
