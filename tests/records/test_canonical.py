"""Canonical JSON, record.json and the state as stores keep it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.canonical import canonical_json, record_as_dict, record_from_dict, record_json, record_sha256
from records.errors import RecordContentError
from records.ledger import Change, Event, LogEntry, entry_from_dict
from records.lifecycle import request_unlock
from records.record import PreviousVersion
from records.state_json import state_from_json, state_json
from signing.workflow import SCHEMA, parse_manifest
from tests.support.record_cases import NOW, TEACHER, make_record


def test_members_are_sorted_by_utf16_code_units():
    # RFC 8785 section 3.2.3, its own example
    names = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    assert list(json.loads(canonical_json(names))) == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]


def test_strings_are_escaped_as_little_as_allowed():
    assert canonical_json('€$\x0f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize("value", [1.5, 2**53, b"x", {1: 2}, {"a": {"b": {3}}}, float("nan")], ids=repr)
def test_what_readers_may_read_differently_is_refused(value):
    with pytest.raises(RecordContentError, match="canonical JSON holds texts, integers, lists and objects; got"):
        canonical_json(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(JSON)
def test_canonical_octets_are_a_fixed_point(value):
    octets = canonical_json(value)
    assert json.loads(octets) == value
    assert canonical_json(json.loads(octets)) == octets


def test_a_lone_surrogate_is_refused():
    with pytest.raises(RecordContentError, match="a text holds half a character"):
        canonical_json("\ud800")


def test_record_json_names_what_a_verifier_needs(workflow):
    manifest = parse_manifest(record_json(make_record(), workflow))
    assert (manifest.record_id, manifest.version, manifest.workflow) == ("HB-2026-SM-9A-01", 1, workflow)


def test_record_json_holds_the_record(workflow):
    document = json.loads(record_json(make_record(), workflow))
    assert document["schema"] == SCHEMA
    assert document["record"]["previous"] is None
    assert document["student"]["name"] == "Nguyễn Trần Bảo Ngọc"
    assert document["years"][1]["marks"][0] == {"subject": "Toán", "hk1": "8.5", "hk2": "9.0", "year": "8.8"}


def test_a_record_reads_back_as_it_was(workflow):
    record = replace(make_record(), version=2, previous=PreviousVersion(1, "cd" * 32))
    assert record_from_dict(json.loads(record_json(record, workflow))) == (record, workflow)


def test_every_field_counts_in_the_digest(workflow):
    assert record_sha256(make_record(), workflow) != record_sha256(make_record("HB-2026-other"), workflow)


@pytest.mark.parametrize("lost", ["record", "student", "years", "workflow"])
def test_a_stored_record_that_lacks_a_member_is_refused(workflow, lost):
    document = record_as_dict(make_record(), workflow)
    del document[lost]
    with pytest.raises(RecordContentError, match=r"stored record is not of the shape this version writes \(KeyError\)"):
        record_from_dict(document)


def test_a_state_reads_back_with_the_stores_revision(locked):
    state, _ = request_unlock(locked, by=TEACHER, reason="Nhập nhầm", at=NOW)
    assert state_from_json(state_json(state), revision=7) == replace(state, revision=7)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":1}', b"\xff"], ids=repr)
def test_a_stored_state_of_another_shape_is_refused(data):
    with pytest.raises(RecordContentError, match="stored record is not of the shape this version writes"):
        state_from_json(data, revision=1)


def test_a_stored_state_of_another_format_is_refused():
    with pytest.raises(RecordContentError, match="stored record has format 2, expected 1"):
        state_from_json(b'{"format":2}', revision=1)


def test_a_log_entry_reads_back_as_it_was():
    entry = LogEntry(Event.REVISED, "r", 2, "t", NOW, (("previous", "1"),), (Change("years[2025-2026].remark", "a", None),))
    assert entry_from_dict(json.loads(canonical_json(entry.as_dict()))) == entry
