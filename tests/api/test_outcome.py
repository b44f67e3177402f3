from __future__ import annotations

from typing import Any

import pytest

from api.pages.outcome import Check, Outcome, State, checks_of, outcome_of, status_unknown
from api.standing import stands_alone


def signature(indication: str = "TOTAL-PASSED", sub: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "indication": indication,
        "sub_indication": sub,
        "level": "PAdES-BASELINE-LTA",
        "coverage": "entire-revision",
        "changes": "lta",
        "messages": [],
        **changes,
    }


def row(
    indication: str, sub: str | None = None, entitlement: str = "unknown", status: str | None = None, *signatures: Any
) -> dict[str, Any]:
    record = {"id": "r1", "version": 1, "status": status}
    return {"indication": indication, "sub_indication": sub, "entitlement": entitlement, "record": record, "signatures": list(signatures)}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (row("TOTAL-PASSED", None, "complete", "current"), Outcome.CURRENT),
        (row("TOTAL-PASSED", None, "complete", "superseded"), Outcome.SUPERSEDED),
        (row("TOTAL-PASSED", None, "complete", "withdrawn"), Outcome.WITHDRAWN),
        (row("TOTAL-PASSED", None, "complete", None), Outcome.UNDETERMINED),
        (row("TOTAL-PASSED", None, "complete", "a new status"), Outcome.UNDETERMINED),
        (row("TOTAL-PASSED", None, "unknown", "current"), Outcome.NOT_OFFICIAL),
        (row("TOTAL-FAILED", "HASH_FAILURE"), Outcome.ALTERED),
        (row("TOTAL-FAILED", "FORMAT_FAILURE"), Outcome.ALTERED),
        (row("TOTAL-FAILED", "SIG_CRYPTO_FAILURE"), Outcome.ALTERED),
        (row("TOTAL-FAILED", None), Outcome.ALTERED),
        (row("TOTAL-FAILED", "REVOKED"), Outcome.NOT_OFFICIAL),
        (row("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "incomplete"), Outcome.NOT_OFFICIAL),
        (row("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "not-entitled"), Outcome.NOT_OFFICIAL),
        (row("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND"), Outcome.UNTRUSTED),
        (row("INDETERMINATE", "TRY_LATER"), Outcome.UNDETERMINED),
        (row("INDETERMINATE", None), Outcome.UNDETERMINED),
        (row("NO-SIGNATURE"), Outcome.NO_SIGNATURE),
        (row("SOMETHING-NEW", None, "complete", "current"), Outcome.UNDETERMINED),
    ],
)
def test_a_verdict_has_one_answer(found: dict[str, Any], expected: Outcome) -> None:
    assert outcome_of(found) is expected


def test_a_passed_file_without_a_record_is_no_official_record() -> None:
    assert outcome_of({**row("TOTAL-PASSED", None, "complete", "current"), "record": None}) is Outcome.NOT_OFFICIAL


def test_only_good_signatures_on_an_unknown_record_leave_the_status_open() -> None:
    assert status_unknown(row("TOTAL-PASSED", None, "complete", None))
    assert not status_unknown(row("INDETERMINATE", "TRY_LATER"))


def test_every_check_of_a_genuine_record_is_good() -> None:
    found = checks_of(row("TOTAL-PASSED", None, "complete", "current", signature(), signature(coverage="entire-file", changes="none")))
    assert {check.state for check in found} == {State.GOOD}


def test_one_altered_signature_is_bad_and_leaves_the_rest_open() -> None:
    failed = signature("TOTAL-FAILED", "HASH_FAILURE", changes="undefined")
    found = checks_of(row("TOTAL-FAILED", "HASH_FAILURE", "unknown", None, signature(), failed))
    assert Check("integrity", State.BAD) in found
    assert Check("coverage", State.BAD) in found
    assert Check("chain", State.UNKNOWN) in found
    assert Check("revocation", State.UNKNOWN) in found


def test_a_revoked_and_an_unknown_issuer_are_named() -> None:
    revoked = checks_of(row("TOTAL-FAILED", "REVOKED", "unknown", None, signature("TOTAL-FAILED", "REVOKED")))
    stranger = checks_of(row("INDETERMINATE", "X", "unknown", None, signature("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")))
    assert Check("revocation", State.BAD) in revoked
    assert Check("chain", State.BAD) in stranger


def test_a_signature_without_time_stamp_vouches_for_no_time() -> None:
    found = checks_of(row("TOTAL-PASSED", None, "complete", "current", signature(level="PAdES-BASELINE-B")))
    assert Check("timestamp", State.UNKNOWN) in found


def test_a_document_without_signatures_has_no_checks() -> None:
    assert checks_of(row("NO-SIGNATURE")) == ()


def lowered(entitlement: str, *codes: str) -> dict[str, Any]:
    messages = [{"code": code, "text": ""} for code in (f"ENTITLEMENT_{entitlement}", *codes)]
    return signature("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", messages=messages)


@pytest.mark.parametrize("entitlement", ["incomplete", "not-entitled"])
def test_signatures_lowered_for_the_records_sake_alone_are_good_by_themselves(entitlement: str) -> None:
    one = lowered(entitlement.replace("-", "_").upper(), "REVOKED_LATER")
    found = checks_of(row("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", entitlement, None, one))
    assert {check.state for check in found if check.name != "entitlement"} == {State.GOOD}
    assert Check("entitlement", State.BAD) in found


def test_a_doubt_about_the_signature_itself_is_not_glossed_over() -> None:
    doubtful = lowered("INCOMPLETE", "REVOCATION_UNKNOWN")
    found = checks_of(row("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "incomplete", None, doubtful))
    assert {check.state for check in found if check.name in ("chain", "revocation", "timestamp")} == {State.UNKNOWN}


def test_a_constraint_of_another_kind_is_no_lowering() -> None:
    refused = signature("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", messages=[{"code": "SUBFILTER_NOT_ACCEPTED", "text": ""}])
    assert not stands_alone(refused)
    assert not stands_alone({**refused, "messages": []})
