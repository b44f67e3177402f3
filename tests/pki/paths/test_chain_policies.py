"""Certificate policies along a path (RFC 5280 section 6.1, RFC 9618). PKITS sections 4.8 to 4.12 have the cross-products."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat import asn1

from pki.paths.chain_errors import ConstraintError
from pki.paths.validation import PathPolicy
from pki.structures.der import SEQUENCE, element
from tests.support.chain_cases import Node, path_of, root

ANY = "2.5.29.32.0"
ARC = "1.3.6.1.4.1.32473.1.1."
TEACHER, PRINCIPAL, OTHER = ARC + "1", ARC + "2", ARC + "9"

Extension = tuple[x509.ExtensionType, bool]


def policies(*oids: str) -> Extension:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]), False


def mappings(*pairs: tuple[str, str]) -> Extension:
    content = b"".join(element(SEQUENCE, b"".join(asn1.encode_der(x509.ObjectIdentifier(oid)) for oid in pair)) for pair in pairs)
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), element(SEQUENCE, content)), True


def _path(*levels: list[Extension], policy: PathPolicy | None = None) -> frozenset[str]:
    """Valid policies of the leaf: `levels` are the extensions of each certificate below the anchor, the leaf's last."""
    nodes: list[Node] = [root()]
    for depth, extensions in enumerate(levels[:-1]):
        nodes.append(nodes[-1].ca(f"CA {depth}", extensions=extensions))
    leaf = nodes[-1].issue(extensions=levels[-1])
    return path_of(leaf, *reversed(nodes[1:]), nodes[0], policy=policy or PathPolicy()).policies


EXPLICIT = PathPolicy(require_explicit_policy=True)


def test_policy_named_all_the_way_down_is_valid() -> None:
    assert _path([policies(TEACHER, PRINCIPAL)], [policies(TEACHER)]) == {TEACHER}


def test_any_policy_of_an_authority_covers_the_leafs() -> None:
    assert _path([policies(ANY)], [policies(TEACHER)]) == {TEACHER}


def test_policy_that_the_authority_may_not_give_is_not_valid() -> None:
    assert _path([policies(TEACHER)], [policies(PRINCIPAL)]) == frozenset()


def test_authority_without_policies_leaves_none_to_the_leaf() -> None:
    assert _path([], [policies(TEACHER)]) == frozenset()


def test_no_valid_policy_is_refused_where_one_is_required() -> None:
    with pytest.raises(ConstraintError, match="has no valid policy, and an explicit policy is required"):
        _path([policies(TEACHER)], [policies(PRINCIPAL)], policy=EXPLICIT)


def test_policy_outside_the_acceptable_ones_is_refused_where_one_is_required() -> None:
    wanted = PathPolicy(acceptable_policies=frozenset({PRINCIPAL}), require_explicit_policy=True)
    with pytest.raises(ConstraintError, match="the certificate has no valid policy"):
        _path([policies(TEACHER)], [policies(TEACHER)], policy=wanted)


def test_any_policy_throughout_stands_for_each_acceptable_one() -> None:
    wanted = PathPolicy(acceptable_policies=frozenset({TEACHER, PRINCIPAL}))
    assert _path([policies(ANY)], [policies(ANY)], policy=wanted) == {TEACHER, PRINCIPAL}


def test_authority_may_require_an_explicit_policy() -> None:
    required: Extension = (x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None), True)
    with pytest.raises(ConstraintError, match="an explicit policy is required"):
        _path([policies(TEACHER), required], [])


def test_inhibited_any_policy_no_longer_covers_the_leafs() -> None:
    inhibited: Extension = (x509.InhibitAnyPolicy(0), True)
    assert _path([policies(TEACHER), inhibited], [policies(ANY)]) == frozenset()
    assert _path([policies(TEACHER)], [policies(ANY)]) == {TEACHER}


def test_mapped_policy_is_valid_under_its_new_name() -> None:
    assert _path([policies(OTHER), mappings((OTHER, TEACHER))], [policies(TEACHER)]) == {TEACHER}


def test_mapped_policy_counts_for_the_acceptable_one_that_it_came_from() -> None:
    wanted = PathPolicy(acceptable_policies=frozenset({OTHER}), require_explicit_policy=True)
    assert _path([policies(OTHER), mappings((OTHER, TEACHER))], [policies(TEACHER)], policy=wanted) == {TEACHER}


def test_inhibited_mapping_removes_the_mapped_policy() -> None:
    with pytest.raises(ConstraintError, match="no valid policy"):
        _path(
            [policies(OTHER), mappings((OTHER, TEACHER))],
            [policies(TEACHER)],
            policy=PathPolicy(require_explicit_policy=True, inhibit_policy_mapping=True),
        )


@pytest.mark.parametrize("pair", [(ANY, TEACHER), (TEACHER, ANY)])
def test_mapping_to_or_from_any_policy_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(ConstraintError, match="maps a policy to or from anyPolicy"):
        _path([policies(TEACHER), mappings(pair)], [policies(TEACHER)])


def test_mappings_that_would_double_a_tree_at_each_level_take_bounded_time() -> None:
    oids = [f"{ARC}{number}" for number in range(100, 130)]
    every = mappings(*[(one, other) for one in oids[:8] for other in oids])
    started = time.perf_counter()
    assert _path(*[[policies(*oids), every] for _ in range(12)], [policies(*oids)]) == set(oids)
    assert time.perf_counter() - started < 3
