"""A record in each of its states, for every test of this room."""

from __future__ import annotations

import pytest

from certs.loader import load
from records.lifecycle import open_record
from records.state import RecordState
from signing.workflow import Workflow
from tests.support.record_cases import NOW, TEACHER, make_record, signed_to


@pytest.fixture(scope="session")
def workflow() -> Workflow:
    return Workflow.from_mapping(load("policies", "workflow-school-record"))


@pytest.fixture
def opened(workflow: Workflow) -> RecordState:
    return open_record(make_record(), workflow, by=TEACHER, at=NOW)[0]


@pytest.fixture
def locked(opened: RecordState) -> RecordState:
    return signed_to(opened, "homeroom")


@pytest.fixture
def complete(opened: RecordState) -> RecordState:
    return signed_to(opened, "seal")
