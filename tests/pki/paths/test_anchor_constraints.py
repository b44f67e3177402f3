"""What another authority is trusted for, beyond what its own certificate says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pki.paths.anchor_constraints import AnchorConstraints
from pki.paths.building import MAX_PATHS
from pki.paths.chain import (
    ConstraintError,
    ExpiredError,
    KeyPurpose,
    NotYetValidError,
    PathLimitError,
    PurposeError,
    TrustAnchor,
    ValidatedPath,
    validate_path,
)
from pki.paths.validation_cache import ValidationCache
from pki.revocation.judgement import Evidence, RevocationState, revocation_status
from tests.support.chain_cases import AT, DAY, TIME_STAMPING, Node, crl, name, root

ROOT = root("Government CA")
ISSUING = ROOT.ca()
SEAL = ISSUING.issue(subject=name("Trường THCS Sao Mai", organization_identifier="NTRVN-0109999001"))

Check = Callable[..., ValidatedPath]


def check(
    leaf: Node = SEAL, *, at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING, cache: ValidationCache | None = None, **narrowed
) -> ValidatedPath:
    anchor = TrustAnchor(ROOT.der, AnchorConstraints(**narrowed))
    return validate_path(leaf.der, intermediates=[ISSUING.der], anchors=[anchor], at=at, purpose=purpose, cache=cache)


def test_within_its_bounds_an_authority_is_trusted() -> None:
    path = check(countries=frozenset({"VN"}), organizations=("ntrvn-01",), path_length=1, trusted_from=AT - DAY, trusted_until=AT + DAY)
    assert path.anchor.constraints is not None


@pytest.mark.parametrize(
    ("narrowed", "error", "text"),
    [
        ({"countries": frozenset({"CN", "LA"})}, ConstraintError, r"country is none of those that its authority is trusted for \(CN, LA\)"),
        ({"organizations": ("NTRCN-",)}, ConstraintError, "organizationIdentifier is none of those"),
        ({"policies": frozenset({"1.2.3"})}, ConstraintError, "upholds none of the policies"),
        ({"path_length": 0}, ConstraintError, "1 authorities below the trusted one, of which 0 are trusted"),
        ({"trusted_from": AT + DAY}, NotYetValidError, "its authority is trusted from 2026-09-06"),
        ({"trusted_until": AT - DAY}, ExpiredError, "its authority was trusted until 2026-09-04"),
        ({"purposes": frozenset()}, PurposeError, "not trusted for document signing"),
    ],
)
def test_beyond_its_bounds_it_is_refused(narrowed, error, text) -> None:
    with pytest.raises(error, match=text):
        check(**narrowed)


def test_time_stamps_count_only_where_that_was_said() -> None:
    tsa = ISSUING.issue("TSA", usage=("digital_signature",), extended=(TIME_STAMPING,), extended_critical=True)
    with pytest.raises(PurposeError, match="not trusted for time stamping"):
        check(tsa, purpose=KeyPurpose.TIME_STAMPING)
    assert check(tsa, purpose=KeyPurpose.TIME_STAMPING, purposes=frozenset({KeyPurpose.TIME_STAMPING}))


def test_two_identifiers_in_one_certificate_fit_no_bound() -> None:
    double = ISSUING.issue(subject=name("Two", organization_identifier="NTRVN-1", country_name="CN"))
    with pytest.raises(ConstraintError, match="country"):
        check(double, countries=frozenset({"VN"}))


def test_a_certificate_without_an_identifier_fits_no_bound() -> None:
    with pytest.raises(ConstraintError, match="organizationIdentifier"):
        check(ISSUING.issue("Nobody"), organizations=("NTRVN-",))


def test_what_is_remembered_of_a_path_does_not_outlive_its_bounds() -> None:
    cache = ValidationCache()
    assert check(cache=cache, trusted_until=AT + DAY)
    with pytest.raises(ExpiredError):
        check(cache=cache, trusted_until=AT + DAY, at=AT + 2 * DAY)
    with pytest.raises(ConstraintError):
        check(cache=cache, countries=frozenset({"CN"}))


def test_the_anchor_itself_keeps_to_its_bounds() -> None:
    with pytest.raises(ConstraintError, match="country"):
        validate_path(
            SEAL.der,
            intermediates=[],
            anchors=[TrustAnchor(SEAL.der, AnchorConstraints(countries=frozenset({"CN"})))],
            at=AT,
            purpose=KeyPurpose.DOCUMENT_SIGNING,
        )


# --- an intermediate that two authorities have certified

OURS = root("Our Root")
SHARED = OURS.ca("Shared CA")
CROSSED = ROOT.ca("Shared CA", subject_key=SHARED.key)  # the same key, certified by the government
TEACHER = SHARED.issue("Teacher")


def crossed(intermediates, *, at=AT, cache: ValidationCache | None = None, **narrowed) -> ValidatedPath:
    anchors = [TrustAnchor(OURS.der), TrustAnchor(ROOT.der, AnchorConstraints(**narrowed))]
    return validate_path(TEACHER.der, intermediates=intermediates, anchors=anchors, at=at, purpose=KeyPurpose.DOCUMENT_SIGNING, cache=cache)


def test_another_authority_cannot_make_a_certificate_of_ours_its_own() -> None:
    """It certifies our issuing authority's key, and somebody puts that certificate first into a document's validation data."""
    for intermediates in ([CROSSED.der, SHARED.der], [SHARED.der, CROSSED.der]):
        assert crossed(intermediates).anchor.constraints is None


def test_our_own_path_cannot_be_hidden_behind_the_limits_of_the_search() -> None:
    crowd = [ROOT.ca("Shared CA", subject_key=SHARED.key).der for _ in range(MAX_PATHS + 1)]
    with pytest.raises(PathLimitError):
        crossed([*crowd, SHARED.der])


def test_what_leads_to_another_authority_alone_still_leads_there() -> None:
    assert crossed([CROSSED.der]).anchor.constraints is not None


def test_what_is_remembered_for_one_moment_does_not_hide_our_own_path_at_another() -> None:
    brief = OURS.ca("Shared CA", subject_key=SHARED.key, end=AT - DAY)
    cache, intermediates = ValidationCache(), [CROSSED.der, brief.der]
    assert crossed(intermediates, cache=cache).anchor.constraints is not None  # ours has ended
    assert crossed(intermediates, cache=cache, at=AT - 2 * DAY).anchor.constraints is None


def test_a_bound_cannot_be_left_by_way_of_a_certificate_that_it_forbids() -> None:
    with pytest.raises(ConstraintError, match="country"):
        crossed([CROSSED.der], countries=frozenset({"CN"}))


def test_another_authority_cannot_speak_of_the_revocation_of_our_certificates() -> None:
    """It certifies our root's key, and a list signer with the name of our issuing authority: both lead to it, and only one to us."""
    cross, rogue = ROOT.ca("Our Root", subject_key=OURS.key), ROOT.ca("Shared CA")
    evidence = Evidence(certificates=(cross.der, rogue.der, SHARED.der), crls=(crl(rogue), crl(ROOT), crl(OURS)))
    result = revocation_status(
        TEACHER.parsed,
        SHARED.parsed,
        evidence=evidence,
        at=AT,
        now=AT,
        anchors=[TrustAnchor(OURS.der), TrustAnchor(ROOT.der, AnchorConstraints())],
    )
    assert result.state is RevocationState.UNKNOWN
    assert any("below another trust anchor" in message.text for message in result.messages)
