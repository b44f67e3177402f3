"""What a `record.json` may say: anybody can write one, and the books are asked about what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signing.errors import PolicyError
from signing.workflow import MAX_VERSION, SCHEMA, parse_manifest
from tests.support.signing_cases import WORKFLOW


def manifest(**record: Any) -> bytes:
    found = {"id": "R-1", "version": 1, "school": {"identifier": "NTRVN-0100109106"}, **record}
    return json.dumps({"schema": SCHEMA, "record": found, "workflow": WORKFLOW.as_dict()}).encode()


def test_manifest_names_record_version_and_school() -> None:
    found = parse_manifest(manifest(version=MAX_VERSION))
    assert (found.record_id, found.version, found.school_identifier) == ("R-1", MAX_VERSION, "NTRVN-0100109106")


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, MAX_VERSION + 1, 10**30])
def test_version_that_no_book_can_hold_is_refused(version: object) -> None:
    with pytest.raises(PolicyError, match=r"version is not an integer from 1 to 2147483647"):
        parse_manifest(manifest(version=version))


@pytest.mark.parametrize("text", ["", "R\0", "R\ud800", "R\n", "R\x1b[31m", "R\u202e", "R" * 201, 7, None], ids=ascii)
def test_name_that_cannot_be_shown_or_looked_up_is_refused(text: object) -> None:
    with pytest.raises(PolicyError, match="not a record manifest"):
        parse_manifest(manifest(id=text))
    with pytest.raises(PolicyError, match="not a record manifest"):
        parse_manifest(manifest(school={"identifier": text}))
