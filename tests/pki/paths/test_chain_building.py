"""Finding a path among many certificates, in bounded work (attack classes 28, 31, 40)."""

from __future__ import annotations

import time

import pytest

from pki.paths.chain import KeyPurpose, validate_path
from pki.paths.chain_errors import ConstraintError, ExpiredError, NoPathError, PathLimitError, PathSignatureError
from pki.paths.validation_cache import ValidationCache
from tests.support.chain_cases import AT, DAY, Node, path_of, root


def test_rogue_authority_with_the_same_name_is_passed_over() -> None:
    top = root()
    issuing = top.ca("Issuing CA")
    rogue = root("Rogue").ca("Issuing CA")
    leaf = issuing.issue()
    for offered in ([rogue.der, issuing.der], [issuing.der, rogue.der]):
        path = validate_path(leaf.der, intermediates=offered, anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)
        assert path.certificates[1].der == issuing.der


def test_leaf_of_a_rogue_authority_with_the_same_name_is_refused() -> None:
    top = root()
    issuing = top.ca("Issuing CA")
    rogue = root("Root CA").ca("Issuing CA")
    with pytest.raises((NoPathError, PathSignatureError)):
        path_of(rogue.issue(), issuing, rogue, top)


def test_rogue_root_with_the_name_of_the_anchor_is_refused() -> None:
    top, rogue = root("Root CA"), root("Root CA")
    with pytest.raises(PathSignatureError, match="is not signed by the issuer it names"):
        path_of(rogue.issue(), rogue, top)


def test_wrong_key_identifier_only_puts_a_candidate_last() -> None:
    top = root()
    issuing = top.ca(identifiers=True)
    decoy = top.ca(subject_key=root("x").key)
    leaf = issuing.issue(identifiers=False)
    assert path_of(leaf, decoy, issuing, top).certificates[1].der == issuing.der


def test_expired_twin_of_an_authority_is_passed_over_for_the_renewed_one() -> None:
    top = root()
    old = top.ca(end=AT - DAY)
    renewed = top.ca(subject_key=old.key)
    leaf = old.issue()
    assert path_of(leaf, old, renewed, top).certificates[1].der == renewed.der


def test_where_every_candidate_fails_the_nearest_failure_is_told() -> None:
    top = root()
    old = top.ca(end=AT - DAY)
    no_ca = top.issue("Issuing CA", subject_key=old.key, usage=("key_cert_sign",))
    with pytest.raises(ExpiredError):
        path_of(old.issue(), no_ca, old, top)


def test_cross_certificate_leads_to_the_anchor_that_the_caller_named() -> None:
    ours, theirs = root("Our root"), root("Their root")
    cross = ours.ca("Their root", subject_key=theirs.key)
    issuing = theirs.ca()
    path = path_of(issuing.issue(), issuing, cross, ours)
    assert path.anchor == ours.anchor
    assert len(path.certificates) == 3


def test_new_key_of_a_root_is_reached_through_its_self_issued_certificate() -> None:
    old = root()
    new = root()
    rollover = old.ca("Root CA", subject_key=new.key)
    assert path_of(new.issue(), rollover, old).certificates[1].der == rollover.der


def test_two_authorities_certifying_each_other_do_not_loop() -> None:
    one, two = root("One"), root("Two")
    cross = [two.ca("One", subject_key=one.key), one.ca("Two", subject_key=two.key)]
    with pytest.raises(NoPathError):
        path_of(one.issue(), *cross, root("Anchor"))


def test_path_of_sixteen_is_found_and_a_longer_one_is_not_sought() -> None:
    above = [root()]
    for depth in range(15):
        above.append(above[-1].ca(f"CA {depth}"))
    assert len(path_of(above[-1].issue(), *above[:0:-1], above[0]).certificates) == 16
    above.append(above[-1].ca("CA too deep"))
    with pytest.raises(NoPathError):
        path_of(above[-1].issue(), *above[:0:-1], above[0])


def _bomb(layers: int, width: int, *, anchored: bool) -> tuple[Node, list[bytes], Node]:
    """Each layer: `width` certificates of one name and key, each valid below each of the layer above: width ** layers paths."""
    top = root()
    parents = [top] if anchored else [root("Elsewhere")]
    offered: list[bytes] = []
    for layer in range(layers):
        first = parents[0].ca(f"Layer {layer}")
        twins = [first] + [parents[0].ca(f"Layer {layer}", subject_key=first.key) for _ in range(width - 1)]
        offered += [twin.der for twin in twins]
        parents = twins
    return parents[0].issue(), offered, top


@pytest.mark.parametrize("anchored", [True, False])
def test_path_bomb_is_given_up_in_bounded_time(anchored: bool) -> None:
    leaf, offered, top = _bomb(layers=12, width=12, anchored=anchored)
    anchor = root("Other") if anchored else top
    started = time.perf_counter()
    with pytest.raises((PathLimitError, NoPathError)):
        validate_path(leaf.der, intermediates=offered, anchors=[anchor.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)
    assert time.perf_counter() - started < 2


def test_path_bomb_of_paths_that_all_fail_is_given_up_in_bounded_time() -> None:
    top = root(path_length=0)
    first = top.ca("Layer 0")
    offered, parents = [first.der], [first]
    for layer in range(1, 8):
        maker = parents[0].ca(f"Layer {layer}")
        parents = [maker] + [parents[0].ca(f"Layer {layer}", subject_key=maker.key) for _ in range(7)]
        offered += [parent.der for parent in parents]
    started = time.perf_counter()
    with pytest.raises(PathLimitError, match="more than 50 paths lead to a trust anchor, and none tried is valid"):
        validate_path(parents[0].issue().der, intermediates=offered, anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)
    assert time.perf_counter() - started < 2


def test_hundreds_of_authorities_with_one_name_are_not_all_checked() -> None:
    top = root()
    offered = [root("Issuing CA").der for _ in range(150)]
    leaf = top.ca("Issuing CA").issue(identifiers=False)
    with pytest.raises(PathLimitError, match="passed 100 signature checks"):
        validate_path(leaf.der, intermediates=offered, anchors=[top.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)


def test_more_certificates_than_are_searched_are_refused_at_once() -> None:
    top = root()
    with pytest.raises(PathLimitError, match="1001 certificates are offered, more than the 1000"):
        validate_path(top.issue().der, intermediates=[b"0"] * 1001, anchors=[top.anchor], at=AT, purpose=KeyPurpose.ANY)


def test_end_entity_that_issues_is_refused() -> None:
    top = root()
    teacher = top.issue(usage=("digital_signature", "key_cert_sign"))
    with pytest.raises(ConstraintError, match="is no CA"):
        path_of(teacher.issue("Pupil"), teacher, top)


def test_path_is_that_of_the_order_offered_whatever_was_asked_before() -> None:
    top, cache = root(), ValidationCache()
    one = top.ca("Issuing CA")
    other = top.ca("Issuing CA", subject_key=one.key)
    leaf = one.issue()
    for first, second in ((one, other), (other, one), (one, other)):
        assert path_of(leaf, first, second, top, cache=cache).certificates[1].der == first.der


def test_path_found_while_the_first_was_not_valid_is_no_answer_for_when_it_is() -> None:
    top, cache = root(), ValidationCache()
    late = top.ca("Issuing CA", start=AT - DAY)
    early = top.ca("Issuing CA", subject_key=late.key)
    leaf = late.issue()
    for at, expected in ((AT - 2 * DAY, early), (AT, late), (AT - 2 * DAY, early)):
        assert path_of(leaf, late, early, top, at=at, cache=cache).certificates[1].der == expected.der


def test_remembered_path_counts_every_certificate_that_its_key_holds() -> None:
    top, cache = root(), ValidationCache(max_octets=10_000)
    issuing = top.ca("Issuing CA")
    leaf, more = issuing.issue(), [top.ca("Issuing CA", subject_key=issuing.key) for _ in range(20)]
    for place in range(len(more)):
        path_of(leaf, *more[place:], *more[:place], top, cache=cache)
    assert len(cache) < 10
