"""Paths as a whole: what is found, what each kind of error says, and at what time."""

from __future__ import annotations

import pytest

from pki.paths.chain import KeyPurpose, TrustAnchor, validate_path
from pki.paths.chain_errors import (
    CertificateRole,
    ChainError,
    ChainFailure,
    ExpiredError,
    MalformedCertificateError,
    NoPathError,
    NotYetValidError,
    PathSignatureError,
)
from pki.paths.validation import PathPolicy
from pki.paths.validation_cache import ValidationCache
from tests.support.authority import make_authority
from tests.support.chain_cases import AT, DAY, YEAR, certificate, name, path_of, root


def test_path_of_two_levels_is_found_and_runs_from_leaf_to_anchor() -> None:
    top = root()
    issuing = top.ca()
    leaf = issuing.issue()
    path = path_of(leaf, issuing, top)
    assert [item.der for item in path.certificates] == [leaf.der, issuing.der]
    assert path.anchor == top.anchor
    assert [(one.der, above.der) for one, above in path.pairs] == [(leaf.der, issuing.der), (issuing.der, top.der)]


def test_anchor_fingerprint_is_the_sha256_of_its_octets() -> None:
    top = root()
    assert top.anchor.fingerprint == top.parsed.fingerprint
    assert len(top.anchor.fingerprint) == 64


def test_intermediates_may_come_in_any_order_with_strangers_and_garbage_among_them() -> None:
    top = root()
    one = top.ca("CA one")
    two = one.ca("CA two")
    leaf = two.issue()
    offered = [b"", b"\x30\x03garbage", root("Stranger").der, leaf.der, two.der, one.der, one.der]
    path = validate_path(leaf.der, intermediates=offered, anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)
    assert len(path.certificates) == 3


def test_leaf_that_is_itself_the_anchor_is_a_path_of_one_with_nothing_to_revoke() -> None:
    own = certificate("Self-signed", issuer=None)
    path = path_of(own, own)
    assert path.certificates == (own.parsed,)
    assert path.pairs == ()


def test_every_certificate_of_our_own_authority_is_valid_for_its_purpose() -> None:
    house = make_authority()
    at = house.clock.moment + DAY / 2
    for der, purpose in (
        (house.issue_teacher().certificate_der, KeyPurpose.DOCUMENT_SIGNING),
        (house.issue_student().certificate_der, KeyPurpose.DOCUMENT_SIGNING),
        (house.issue_seal().certificate_der, KeyPurpose.DOCUMENT_SIGNING),
        (house.tsa_der, KeyPurpose.TIME_STAMPING),
        (house.ocsp_der, KeyPurpose.OCSP_SIGNING),
    ):
        path = validate_path(der, intermediates=[house.issuing_der], anchors=[TrustAnchor(house.root_der)], at=at, purpose=purpose)
        assert len(path.certificates) == 2


def test_policies_of_a_teacher_are_the_role_that_the_whole_path_upholds() -> None:
    house = make_authority()
    path = validate_path(
        house.issue_teacher().certificate_der,
        intermediates=[house.issuing_der],
        anchors=[TrustAnchor(house.root_der)],
        at=house.clock.moment,
        purpose=KeyPurpose.DOCUMENT_SIGNING,
    )
    assert "1.3.6.1.4.1.32473.1.1.1" in path.policies
    assert "1.3.6.1.4.1.32473.1.1.2" not in path.policies


def test_malformed_leaf_is_named_as_such() -> None:
    with pytest.raises(MalformedCertificateError, match="not DER SEQUENCE"):
        validate_path(b"not a certificate", intermediates=(), anchors=(), at=AT, purpose=KeyPurpose.ANY)


def test_octet_after_the_certificate_makes_it_malformed() -> None:
    leaf = root()
    with pytest.raises(MalformedCertificateError):
        validate_path(leaf.der + b"\x00", intermediates=(), anchors=[leaf.anchor], at=AT, purpose=KeyPurpose.ANY)


def test_certificate_beyond_32_kib_is_not_read() -> None:
    with pytest.raises(MalformedCertificateError, match="70000 octets, more than the 32768"):
        validate_path(b"0" * 70_000, intermediates=(), anchors=(), at=AT, purpose=KeyPurpose.ANY)


def test_malformed_trust_anchor_is_named_as_the_anchor() -> None:
    with pytest.raises(MalformedCertificateError, match="trust anchor: "):
        validate_path(root().der, intermediates=(), anchors=[TrustAnchor(b"0")], at=AT, purpose=KeyPurpose.ANY)


def test_no_anchor_means_no_path() -> None:
    with pytest.raises(NoPathError, match=r"to a trust anchor \(SHA-256 none\)"):
        validate_path(root().der, intermediates=(), anchors=(), at=AT, purpose=KeyPurpose.ANY)


def test_root_offered_as_an_intermediate_is_not_trusted() -> None:
    top, mine = root(), root("My root")
    leaf = top.ca().issue()
    with pytest.raises(NoPathError, match="no chain of issuers leads from certificate"):
        validate_path(leaf.der, intermediates=[top.der], anchors=[mine.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)


def test_unreadable_issuer_is_counted_in_the_message() -> None:
    top = root()
    issuing = top.ca()
    with pytest.raises(NoPathError, match="1 of the certificates offered cannot be read"):
        validate_path(
            issuing.issue().der, intermediates=[issuing.der[:-1]], anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING
        )


def test_certificate_signed_by_another_key_than_its_issuers_is_refused() -> None:
    top = root()
    issuing, other = top.ca(), top.ca("Other CA")
    forged = issuing.issue(signing_key=other.key)
    with pytest.raises(PathSignatureError, match="is not signed by the issuer it names") as caught:
        path_of(forged, issuing, top)
    assert caught.value.reason is ChainFailure.SIGNATURE


def test_altered_leaf_is_refused() -> None:
    top = root()
    leaf = bytearray(top.issue().der)
    leaf[-3] ^= 1
    with pytest.raises(PathSignatureError):
        validate_path(bytes(leaf), intermediates=(), anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)


def test_expired_leaf_carries_its_role_and_dates() -> None:
    top = root()
    leaf = top.issue(end=AT - DAY)
    with pytest.raises(ExpiredError, match="the certificate expired at") as caught:
        path_of(leaf, top)
    assert caught.value.role is CertificateRole.LEAF
    assert caught.value.not_after == AT - DAY
    assert caught.value.reason is ChainFailure.EXPIRED


def test_expired_leaf_is_valid_at_a_time_before() -> None:
    top = root()
    leaf = top.issue(end=AT - DAY)
    assert path_of(leaf, top, at=AT - 2 * DAY).leaf.der == leaf.der


def test_validity_includes_both_its_ends() -> None:
    top = root()
    leaf = top.issue(start=AT - DAY, end=AT + DAY)
    assert path_of(leaf, top, at=AT - DAY)
    assert path_of(leaf, top, at=AT + DAY)


def test_leaf_not_yet_valid_is_told_apart_from_an_expired_one() -> None:
    top = root()
    leaf = top.issue(start=AT + DAY)
    with pytest.raises(NotYetValidError, match="the certificate is valid from") as caught:
        path_of(leaf, top)
    assert caught.value.not_before == AT + DAY


def test_expired_authority_is_told_apart_from_an_expired_leaf() -> None:
    top = root()
    issuing = top.ca(end=AT - DAY)
    with pytest.raises(ExpiredError, match="CA certificate 1 above the certificate expired") as caught:
        path_of(issuing.issue(), issuing, top)
    assert caught.value.role is CertificateRole.CA


def test_expired_trust_anchor_is_not_relied_upon() -> None:
    top = root(end=AT - DAY)
    with pytest.raises(ExpiredError, match="the trust anchor expired") as caught:
        path_of(top.issue(), top)
    assert caught.value.role is CertificateRole.ANCHOR


def test_error_of_time_means_that_nothing_else_is_wrong() -> None:
    top = root()
    leaf = top.issue(end=AT - DAY, usage=("key_encipherment",))
    with pytest.raises(ChainError) as caught:
        path_of(leaf, top)
    assert caught.value.reason is ChainFailure.PURPOSE


def test_names_that_differ_in_case_and_spaces_chain() -> None:
    top = root("Sở  Giáo dục ROOT")
    leaf = top.issue(issuer_name=name("sở giáo dục root"))
    assert path_of(leaf, top)


def test_names_that_differ_in_order_do_not_chain() -> None:
    top = root()
    attributes = list(top.certificate.subject)
    leaf = top.issue(issuer_name=type(top.certificate.subject)(reversed(attributes)))
    with pytest.raises(NoPathError):
        path_of(leaf, top)


def test_no_message_holds_a_subject() -> None:
    top = root()
    leaf = top.issue("PNOVN-001185000001", usage=("key_encipherment",))
    with pytest.raises(ChainError) as caught:
        path_of(leaf, top)
    assert "001185000001" not in str(caught.value)


def test_remembered_path_is_rechecked_for_the_time() -> None:
    top, cache = root(), ValidationCache()
    leaf = top.issue(end=AT + DAY)
    assert path_of(leaf, top, cache=cache) is path_of(leaf, top, cache=cache)
    with pytest.raises(ExpiredError):
        path_of(leaf, top, at=AT + 2 * DAY, cache=cache)


def test_remembered_path_does_not_serve_another_trust_set() -> None:
    top, other, cache = root(), root("Other"), ValidationCache()
    leaf = top.issue()
    path_of(leaf, top, cache=cache)
    with pytest.raises(NoPathError):
        path_of(leaf, other, cache=cache)


def test_remembered_path_does_not_serve_a_caller_without_its_intermediates() -> None:
    top, cache = root(), ValidationCache()
    issuing = top.ca()
    leaf = issuing.issue()
    path_of(leaf, issuing, top, cache=cache)
    with pytest.raises(NoPathError):
        path_of(leaf, top, cache=cache)


def test_remembered_path_does_not_serve_another_purpose_or_policy() -> None:
    top, cache = root(), ValidationCache()
    leaf = top.issue()
    path_of(leaf, top, cache=cache)
    with pytest.raises(ChainError):
        path_of(leaf, top, cache=cache, purpose=KeyPurpose.TIME_STAMPING)
    with pytest.raises(ChainError):
        path_of(leaf, top, cache=cache, policy=PathPolicy(require_explicit_policy=True))


def test_fifty_years_on_a_path_stands_at_its_own_time() -> None:
    top = root(end=AT + 50 * YEAR)
    leaf = top.issue(end=AT + YEAR)
    assert path_of(leaf, top, at=AT)
    with pytest.raises(ExpiredError):
        path_of(leaf, top, at=AT + 49 * YEAR)
