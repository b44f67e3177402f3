"""Which OCSP answers count, and why the others do not (attack class 34)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from cryptography import x509

from pki.revocation.judgement import Evidence, RevocationResult, RevocationState, revocation_status
from pki.structures.tsp import Extension
from tests.support.chain_cases import (
    AT,
    DAY,
    DOCUMENT_SIGNING,
    HOUR,
    Node,
    answer,
    crl,
    responder,
    revoking,
    root,
)

TOP = root()
ISSUING = TOP.ca()
LEAF = ISSUING.issue()
RESPONDER = responder(ISSUING)


def status(*ocsps: bytes, crls: tuple[bytes, ...] = (), certificates: tuple[bytes, ...] = (), at: datetime = AT) -> RevocationResult:
    return revocation_status(
        LEAF.parsed, ISSUING.parsed, evidence=Evidence(certificates, crls, ocsps), at=at, now=AT + DAY, anchors=[TOP.anchor]
    )


def refused(result: RevocationResult, code: str, text: str = "") -> None:
    assert result.state is RevocationState.UNKNOWN
    assert result.messages[0].code == code
    assert text in result.messages[0].text


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("signer", [None, RESPONDER])
def test_answer_of_the_issuer_or_of_its_responder_is_good(signer: Node | None, by_name: bool) -> None:
    result = status(answer(LEAF, ISSUING, signer=signer, by_name=by_name))
    assert (result.state, result.source) == (RevocationState.GOOD, "OCSP")


def test_basic_response_without_its_wrapping_is_read() -> None:
    assert status(answer(LEAF, ISSUING, signer=RESPONDER, basic=True)).state is RevocationState.GOOD


def test_responder_may_stand_among_the_evidence_instead_of_inside_the_answer() -> None:
    bare = answer(LEAF, ISSUING, signer=RESPONDER, certificates=[])
    refused(status(bare), "OCSP_SIGNER_NOT_FOUND", "neither the issuer nor certified among the evidence")
    assert status(bare, certificates=(RESPONDER.der,)).state is RevocationState.GOOD


def test_revoked_answer_carries_its_time_and_reason() -> None:
    result = status(answer(LEAF, ISSUING, state="revoked", revoked_at=AT - DAY, reason=1))
    assert (result.state, result.revoked_at, result.reason) == (RevocationState.REVOKED, AT - DAY, "keyCompromise")


def test_revocation_after_the_control_time_leaves_the_certificate_good() -> None:
    result = status(answer(LEAF, ISSUING, state="revoked", revoked_at=AT + HOUR, this_update=AT + 2 * HOUR))
    assert (result.state, result.revoked_at) == (RevocationState.GOOD, AT + HOUR)


def test_answer_about_another_certificate_says_nothing() -> None:
    refused(status(answer(ISSUING.issue("Other"), ISSUING)), "NO_EVIDENCE", "none of 1 OCSP responses")


def test_answer_about_the_same_serial_of_another_issuer_says_nothing() -> None:
    other = TOP.ca("Other CA")
    twin = other.issue(serial=LEAF.certificate.serial_number)
    refused(status(answer(twin, other)), "NO_EVIDENCE")


def test_unknown_is_not_good() -> None:
    refused(status(answer(LEAF, ISSUING, state="unknown")), "OCSP_UNKNOWN", "says that the certificate is unknown")


@pytest.mark.parametrize(
    ("number", "text"), [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired"), (6, "unauthorized"), (9, "09")]
)
def test_error_status_is_no_answer(number: int, text: str) -> None:
    refused(status(answer(LEAF, ISSUING, status=number)), "EVIDENCE_UNREADABLE", f"status {text}, expected successful")


def test_answer_of_a_rogue_authority_is_refused() -> None:
    rogue = root("Rogue").ca()
    refused(status(answer(LEAF, ISSUING, signing_key=rogue.key)), "OCSP_SIGNATURE_INVALID", "signature does not verify")


def test_answer_of_a_rogues_responder_is_refused() -> None:
    rogue = responder(root("Rogue").ca())
    refused(status(answer(LEAF, ISSUING, signer=rogue)), "OCSP_RESPONDER_NOT_AUTHORISED", "not signed by the issuer it names")


def test_answer_of_another_authoritys_responder_is_refused() -> None:
    other = responder(TOP.ca("Other CA"))
    refused(status(answer(LEAF, ISSUING, signer=other)), "OCSP_SIGNER_NOT_FOUND")


def test_responder_certified_by_the_root_instead_of_the_issuer_is_refused() -> None:
    refused(status(answer(LEAF, ISSUING, signer=responder(TOP))), "OCSP_SIGNER_NOT_FOUND")


def test_answer_signed_by_a_sibling_is_refused() -> None:
    sibling = ISSUING.issue("Sibling", extended=[DOCUMENT_SIGNING])
    refused(status(answer(LEAF, ISSUING, signer=sibling)), "OCSP_RESPONDER_NOT_AUTHORISED", "not for OCSP signing: its extKeyUsage")


def test_answer_signed_by_the_certificate_itself_is_refused() -> None:
    refused(status(answer(LEAF, ISSUING, signer=LEAF)), "OCSP_RESPONDER_NOT_AUTHORISED", "it has no extKeyUsage")


def test_responder_with_any_extended_key_usage_is_refused() -> None:
    loose = responder(ISSUING, extended=(x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))
    refused(status(answer(LEAF, ISSUING, signer=loose)), "OCSP_RESPONDER_NOT_AUTHORISED")


def test_responder_expired_when_it_answered_is_refused() -> None:
    expired = responder(ISSUING, end=AT - DAY)
    refused(status(answer(LEAF, ISSUING, signer=expired)), "OCSP_RESPONDER_NOT_AUTHORISED", "the certificate expired")


def test_responder_expired_since_it_answered_is_accepted_and_its_end_is_told() -> None:
    brief = responder(ISSUING, end=AT + HOUR)
    result = status(answer(LEAF, ISSUING, signer=brief))
    assert (result.state, result.signer_not_after) == (RevocationState.GOOD, AT + HOUR)


def test_responder_without_nocheck_needs_proof_that_it_was_not_revoked() -> None:
    asked = responder(ISSUING, nocheck=False)
    evidence = answer(LEAF, ISSUING, signer=asked)
    refused(status(evidence), "OCSP_RESPONDER_NOT_AUTHORISED", "whether the responder itself was revoked is not shown")
    unrelated = crl(ISSUING, this_update=AT - HOUR)
    result = status(evidence, crls=(unrelated,))
    assert (result.state, result.source) == (RevocationState.GOOD, "OCSP")


def test_responder_that_was_revoked_is_refused() -> None:
    asked = responder(ISSUING, nocheck=False)
    listed = crl(ISSUING, [revoking(asked, AT - DAY)], this_update=AT - HOUR)
    result = status(answer(LEAF, ISSUING, signer=asked), crls=(listed,))
    assert result.state is RevocationState.NOT_FRESH  # the CRL alone speaks, and is too old
    assert result.messages[0].code == "OCSP_RESPONDER_NOT_AUTHORISED"


def test_responder_may_not_vouch_for_itself() -> None:
    asked = responder(ISSUING, nocheck=False)
    evidence = (answer(LEAF, ISSUING, signer=asked), answer(asked, ISSUING, signer=asked))
    refused(status(*evidence), "OCSP_RESPONDER_NOT_AUTHORISED")


def test_responder_whose_key_was_compromised_later_is_refused() -> None:
    asked = responder(ISSUING, nocheck=False)
    listed = crl(ISSUING, [revoking(asked, AT + HOUR, x509.ReasonFlags.key_compromise)], this_update=AT + 2 * HOUR)
    result = status(answer(LEAF, ISSUING, signer=asked), crls=(listed,))
    assert result.source == "CRL"
    assert result.messages[0].code == "OCSP_RESPONDER_NOT_AUTHORISED"


def test_answer_that_names_another_responder_than_its_signer_is_refused() -> None:
    named, other = RESPONDER, responder(ISSUING, common_name="Another")
    refused(status(answer(LEAF, ISSUING, signer=named, signing_key=other.key)), "OCSP_SIGNATURE_INVALID")
    refused(status(answer(LEAF, ISSUING, signer=named, certificates=[other])), "OCSP_SIGNER_NOT_FOUND")


def test_altered_answer_is_refused() -> None:
    data = bytearray(answer(LEAF, ISSUING))
    data[-5] ^= 1
    refused(status(bytes(data)), "OCSP_SIGNATURE_INVALID")


def test_stale_answer_is_not_fresh() -> None:
    result = status(answer(LEAF, ISSUING, this_update=AT - 3 * DAY))
    assert result.state is RevocationState.NOT_FRESH


def test_answer_from_the_future_is_ignored() -> None:
    refused(status(answer(LEAF, ISSUING, this_update=AT + 2 * DAY)), "EVIDENCE_FROM_FUTURE", "after 2026-09-06")


def test_answer_produced_in_the_future_about_the_past_is_ignored() -> None:
    refused(status(answer(LEAF, ISSUING, this_update=AT, produced_at=AT + 2 * DAY)), "EVIDENCE_FROM_FUTURE")


@pytest.mark.parametrize("times", [{"produced_at": AT - HOUR}, {"next_update": AT - HOUR}])
def test_answer_whose_times_contradict_one_another_is_ignored(times: dict[str, Any]) -> None:
    refused(status(answer(LEAF, ISSUING, **times)), "EVIDENCE_INCONSISTENT")


UNKNOWN_EXTENSION = Extension(extn_id=x509.ObjectIdentifier("1.3.6.1.4.1.32473.99"), critical=True, extn_value=b"\x05\x00")


@pytest.mark.parametrize("where", ["extensions", "single_extensions"])
def test_unknown_critical_extension_makes_an_answer_unreadable(where: str) -> None:
    evidence = answer(LEAF, ISSUING, **{where: [UNKNOWN_EXTENSION]})  # type: ignore[arg-type]
    refused(status(evidence), "EVIDENCE_UNREADABLE", "critical extension 1.3.6.1.4.1.32473.99 is not understood")


def test_archive_cutoff_lets_an_answer_speak_of_the_expired() -> None:
    expired = ISSUING.issue(end=AT - DAY)
    cutoff = Extension(extn_id=x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6"), critical=False, extn_value=b"\x18\x0f20200101000000Z")
    for extensions, state in (([], RevocationState.UNKNOWN), ([cutoff], RevocationState.GOOD)):
        result = revocation_status(
            expired.parsed,
            ISSUING.parsed,
            evidence=Evidence(ocsps=(answer(expired, ISSUING, single_extensions=extensions),)),
            at=AT - 2 * DAY,
            now=AT + DAY,
            anchors=[TOP.anchor],
        )
        assert result.state is state


def test_one_good_answer_among_bad_ones_is_found() -> None:
    rogue = responder(root("Rogue").ca())
    bad = [answer(LEAF, ISSUING, signer=rogue), b"\x30\x00", answer(LEAF, ISSUING, status=3)]
    result = status(*bad, answer(LEAF, ISSUING, signer=RESPONDER))
    assert result.state is RevocationState.GOOD
    assert len(result.messages) == 3


def test_answer_beyond_256_kib_is_not_read() -> None:
    refused(status(b"0" * (256 * 1024 + 1)), "EVIDENCE_UNREADABLE", "262145 octets, more than the 262144")


@pytest.mark.parametrize("by_name", [True, False])
def test_certificate_with_a_broken_key_among_the_evidence_changes_nothing(by_name: bool) -> None:
    broken = RESPONDER.der.replace(b"\x03\x42\x00\x04", b"\x04\x42\x00\x04")  # an OCTET STRING where the BIT STRING should be
    assert broken != RESPONDER.der
    result = status(answer(LEAF, ISSUING, signer=RESPONDER, by_name=by_name, certificates=[]), certificates=(broken, RESPONDER.der))
    assert result.state is RevocationState.GOOD
