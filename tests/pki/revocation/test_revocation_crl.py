"""Which CRLs count, and why the others do not (attack class 35). PKITS sections 4.4, 4.14 and 4.15 have the cross-products."""

from __future__ import annotations

from datetime import datetime

import pytest
from cryptography import x509

from pki.errors import EncodingError
from pki.revocation.crl_evidence import load_crl
from pki.revocation.judgement import Evidence, RevocationResult, RevocationState, revocation_status
from tests.support.chain_cases import AT, DAY, HOUR, Node, Revoked, crl, name, revoking, root, scope, unknown

TOP = root()
ISSUING = TOP.ca()
URL, OTHER_URL = "http://pki.example.org/crl/1", "http://pki.example.org/crl/2"


def point(*urls: str, reasons: frozenset[x509.ReasonFlags] | None = None, issuer: x509.Name | None = None) -> x509.DistributionPoint:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.DistributionPoint(names or None, None, reasons, [x509.DirectoryName(issuer)] if issuer else None)


def leaf_with(*points: x509.DistributionPoint) -> Node:
    return ISSUING.issue(extensions=[(x509.CRLDistributionPoints(list(points)), False)])


LEAF = leaf_with(point(URL))


def status(
    *crls: bytes, about: Node = LEAF, issuer: Node = ISSUING, certificates: tuple[Node, ...] = (), at: datetime = AT
) -> RevocationResult:
    evidence = Evidence(tuple(node.der for node in certificates), crls)
    return revocation_status(about.parsed, issuer.parsed, evidence=evidence, at=at, now=AT + DAY, anchors=[TOP.anchor])


def refused(result: RevocationResult, code: str, text: str = "") -> None:
    assert result.state is RevocationState.UNKNOWN
    assert result.messages[0].code == code, result.messages
    assert text in result.messages[0].text


def test_complete_crl_of_the_issuer_is_good() -> None:
    assert status(crl(ISSUING)).state is RevocationState.GOOD


def test_crl_of_another_issuer_says_nothing() -> None:
    refused(status(crl(TOP.ca("Other CA"))), "NO_EVIDENCE", "and 1 CRLs is about the certificate")


def test_crl_of_a_rogue_with_the_issuers_name_is_refused() -> None:
    rogue = root("Rogue").ca()
    refused(status(crl(rogue)), "CRL_SIGNATURE_INVALID", "signature does not verify")
    refused(status(crl(rogue), certificates=(rogue, rogue.issuer)), "CRL_SIGNER_NOT_AUTHORISED", "no chain of issuers")  # type: ignore[arg-type]


def test_crl_from_the_future_is_ignored() -> None:
    refused(status(crl(ISSUING, this_update=AT + 2 * DAY)), "EVIDENCE_FROM_FUTURE", "CRL issued at 2026-09-07")


def test_stale_crl_is_not_fresh() -> None:
    assert status(crl(ISSUING, this_update=AT - 30 * DAY)).state is RevocationState.NOT_FRESH


def test_crl_signed_by_an_issuer_without_crl_sign_is_refused() -> None:
    issuing = TOP.ca(usage=("key_cert_sign",))
    refused(status(crl(issuing), about=issuing.issue(), issuer=issuing), "CRL_SIGNER_NOT_AUTHORISED", "its keyUsage lacks cRLSign")


def test_crl_issued_when_its_issuer_was_not_valid_is_refused() -> None:
    issuing = TOP.ca(end=AT - HOUR)
    result = status(crl(issuing), about=issuing.issue(), issuer=issuing)
    refused(result, "CRL_SIGNER_NOT_AUTHORISED", "it was not valid then")


def test_unknown_critical_extension_of_the_list_makes_it_unusable() -> None:
    refused(status(crl(ISSUING, extensions=[(unknown(), True)])), "CRL_CRITICAL_EXTENSION", "1.3.6.1.4.1.32473.99")


def test_unknown_extension_that_is_not_critical_is_passed_over() -> None:
    assert status(crl(ISSUING, extensions=[(unknown(), False)])).state is RevocationState.GOOD


def test_unknown_critical_extension_of_any_entry_makes_the_list_unusable() -> None:
    other = Revoked(77, AT - DAY, extensions=((unknown(), True),))
    refused(status(crl(ISSUING, [other])), "EVIDENCE_UNREADABLE", "CRL entry: critical extension 1.3.6.1.4.1.32473.99 is not understood")


def test_altered_list_is_refused() -> None:
    data = bytearray(crl(ISSUING))
    data[-5] ^= 1
    refused(status(bytes(data)), "CRL_SIGNATURE_INVALID")


def test_octets_of_the_serial_number_inside_another_entry_do_not_revoke() -> None:
    serial = LEAF.certificate.serial_number
    longer = Revoked((serial << 24) | 0x020200, AT - DAY)
    assert status(crl(ISSUING, [longer, Revoked((0x0202 << 16) | serial, AT - DAY)])).state is RevocationState.GOOD


# --- scope -------------------------------------------------------------------------------------------------------------------------


def test_list_of_the_certificates_distribution_point_counts() -> None:
    listed = crl(ISSUING, extensions=[scope(full_name=[x509.UniformResourceIdentifier(URL)])])
    assert status(listed).state is RevocationState.GOOD


def test_list_of_another_distribution_point_does_not_count() -> None:
    listed = crl(ISSUING, extensions=[scope(full_name=[x509.UniformResourceIdentifier(OTHER_URL)])])
    refused(status(listed), "CRL_OUT_OF_SCOPE", "for another distribution point than the certificate's")


def test_list_of_a_distribution_point_does_not_count_for_a_certificate_without_one() -> None:
    listed = crl(ISSUING, extensions=[scope(full_name=[x509.UniformResourceIdentifier(URL)])])
    refused(status(listed, about=ISSUING.issue()), "CRL_OUT_OF_SCOPE")


@pytest.mark.parametrize("field", ["only_contains_ca_certs", "only_contains_attribute_certs"])
def test_list_of_other_kinds_does_not_count_for_an_end_entity(field: str) -> None:
    refused(status(crl(ISSUING, extensions=[scope(**{field: True})])), "CRL_OUT_OF_SCOPE", "another kind of certificate")


def test_list_of_end_entities_counts_for_one_and_not_for_an_authority() -> None:
    users = scope(only_contains_user_certs=True)
    assert status(crl(ISSUING, extensions=[users])).state is RevocationState.GOOD
    refused(status(crl(TOP, extensions=[users]), about=ISSUING, issuer=TOP), "CRL_OUT_OF_SCOPE", "another kind of certificate")


def test_list_of_some_reasons_is_not_enough_by_itself() -> None:
    some = frozenset({x509.ReasonFlags.key_compromise})
    result = status(crl(ISSUING, extensions=[scope(only_some_reasons=some)]))
    refused(result, "CRL_REASONS_MISSING", "do not cover every reason")


def test_lists_that_cover_all_reasons_together_are_good() -> None:
    every = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}
    some = frozenset({x509.ReasonFlags.key_compromise})
    one = crl(ISSUING, extensions=[scope(only_some_reasons=some)])
    rest = crl(ISSUING, extensions=[scope(only_some_reasons=every - some)])
    assert status(one, rest).state is RevocationState.GOOD


def test_partial_list_that_names_the_certificate_revokes_it() -> None:
    some = frozenset({x509.ReasonFlags.key_compromise})
    listed = crl(ISSUING, [revoking(LEAF, AT - DAY, x509.ReasonFlags.key_compromise)], extensions=[scope(only_some_reasons=some)])
    assert status(listed).state is RevocationState.REVOKED


# --- deltas ------------------------------------------------------------------------------------------------------------------------


def _delta(base: int, number: int, revoked: list[Revoked]) -> bytes:
    return crl(ISSUING, revoked, number=number, extensions=[(x509.DeltaCRLIndicator(base), True)], this_update=AT + HOUR)


def test_delta_alone_is_no_evidence() -> None:
    refused(status(_delta(1, 2, [])), "CRL_DELTA_ONLY", "without the complete CRL")


def test_delta_adds_a_revocation_to_its_base() -> None:
    assert status(crl(ISSUING, number=1), _delta(1, 2, [revoking(LEAF, AT - HOUR)])).state is RevocationState.REVOKED


def test_delta_of_a_later_base_does_not_complete_an_earlier_one() -> None:
    assert status(crl(ISSUING, number=1), _delta(5, 6, [revoking(LEAF, AT - HOUR)])).this_update == AT


def test_delta_lifts_a_hold_of_its_base() -> None:
    held = crl(ISSUING, [revoking(LEAF, AT - 3 * DAY, x509.ReasonFlags.certificate_hold)], this_update=AT - DAY, number=1)
    lifted = _delta(1, 2, [revoking(LEAF, AT, x509.ReasonFlags.remove_from_crl)])
    assert status(held).state is RevocationState.ON_HOLD
    assert status(held, lifted).state is RevocationState.GOOD
    assert status(held, lifted, at=AT - 2 * DAY).state is RevocationState.REVOKED


# --- other signers -----------------------------------------------------------------------------------------------------------------

CRL_KEY = TOP.issue("Issuing CA", usage=("crl_sign",))


def test_crl_under_the_issuers_second_key_counts_once_that_key_is_shown_unrevoked() -> None:
    listed = crl(CRL_KEY)
    refused(status(listed, certificates=(CRL_KEY,)), "CRL_SIGNER_NOT_AUTHORISED", "whether the signer itself was revoked is not shown")
    assert status(listed, crl(TOP), certificates=(CRL_KEY,)).state is RevocationState.GOOD


def test_crl_under_a_second_key_that_was_revoked_is_refused() -> None:
    result = status(crl(CRL_KEY), crl(TOP, [revoking(CRL_KEY, AT - DAY)]), certificates=(CRL_KEY,))
    refused(result, "CRL_SIGNER_NOT_AUTHORISED")


def test_crl_under_a_namesake_below_another_trusted_root_is_refused() -> None:
    other = root("Other root")
    namesake = other.issue("Issuing CA", usage=("crl_sign",))
    evidence = Evidence((namesake.der,), (crl(namesake), crl(other)))
    result = revocation_status(LEAF.parsed, ISSUING.parsed, evidence=evidence, at=AT, now=AT + DAY, anchors=[TOP.anchor, other.anchor])
    refused(result, "CRL_SIGNER_NOT_AUTHORISED", "below another trust anchor")


def test_crl_under_an_end_entity_that_took_the_issuers_name_without_crl_sign_is_refused() -> None:
    namesake = TOP.issue("Issuing CA", usage=("digital_signature",))
    refused(status(crl(namesake), crl(TOP), certificates=(namesake,)), "CRL_SIGNER_NOT_AUTHORISED", "not for CRL signing")


def test_indirect_list_counts_where_the_certificate_names_its_issuer() -> None:
    lister = TOP.issue("Lister", usage=("crl_sign",))
    leaf = leaf_with(point(URL, issuer=name("Lister")))
    indirect = scope(indirect_crl=True, full_name=[x509.UniformResourceIdentifier(URL)])
    by_issuer = ((x509.CertificateIssuer([x509.DirectoryName(ISSUING.certificate.subject)]), True),)
    clear = crl(lister, extensions=[indirect])
    listed = crl(lister, [revoking(leaf, AT - DAY, extensions=by_issuer)], extensions=[indirect])
    assert status(clear, crl(TOP), about=leaf, certificates=(lister,)).state is RevocationState.GOOD
    assert status(listed, crl(TOP), about=leaf, certificates=(lister,)).state is RevocationState.REVOKED


def test_entry_of_an_indirect_list_for_another_issuer_does_not_revoke() -> None:
    lister = TOP.issue("Lister", usage=("crl_sign",))
    leaf = leaf_with(point(URL, issuer=name("Lister")))
    indirect = scope(indirect_crl=True, full_name=[x509.UniformResourceIdentifier(URL)])
    elsewhere = ((x509.CertificateIssuer([x509.DirectoryName(name("Elsewhere"))]), True),)
    listed = crl(lister, [revoking(leaf, AT - DAY, extensions=elsewhere)], extensions=[indirect])
    assert status(listed, crl(TOP), about=leaf, certificates=(lister,)).state is RevocationState.GOOD


def test_list_of_another_issuer_that_is_not_indirect_does_not_count() -> None:
    lister = TOP.issue("Lister", usage=("crl_sign",))
    leaf = leaf_with(point(URL, issuer=name("Lister")))
    refused(status(crl(lister), crl(TOP), about=leaf, certificates=(lister,)), "CRL_OUT_OF_SCOPE")


def test_certificate_issuer_entry_in_a_direct_list_makes_it_unusable() -> None:
    by_issuer = ((x509.CertificateIssuer([x509.DirectoryName(ISSUING.certificate.subject)]), True),)
    refused(status(crl(ISSUING, [Revoked(7, AT, extensions=by_issuer)])), "EVIDENCE_UNREADABLE", "in a list that is not indirect")


# --- reading -----------------------------------------------------------------------------------------------------------------------


def test_list_beyond_16_mib_is_not_read() -> None:
    with pytest.raises(EncodingError, match="16777217 octets, more than the 16777216"):
        load_crl(b"0" * (16 * 1024 * 1024 + 1))


def test_list_confined_to_two_kinds_is_unreadable() -> None:
    both = bytes.fromhex("30068101ff8201ff")
    contradictory = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.28"), both)
    refused(status(crl(ISSUING, extensions=[(contradictory, True)])), "EVIDENCE_UNREADABLE", "more than one kind")


def test_entries_are_read_only_where_they_matter() -> None:
    listed = load_crl(crl(ISSUING, [Revoked(0x1234567890, AT - DAY)]))
    assert listed.entry(0x999, listed.issuer) is None
    assert "_entries" not in vars(listed)
    assert listed.entry(0x1234567890, listed.issuer) is not None
