"""NIST PKITS: the public conformance suite for RFC 5280 path validation, every case with the outcome that it must have."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest

from pki.paths.chain import KeyPurpose, TrustAnchor, validate_path
from pki.paths.chain_errors import ChainError
from pki.paths.validation import PathPolicy
from pki.paths.validation_cache import ValidationCache
from pki.revocation.judgement import UNTIL_NEXT_UPDATE, Evidence, RevocationState, revocation_status
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
CASES = tomllib.loads((Path(__file__).parent / "pkits.toml").read_text(encoding="utf-8"))["case"]
AT = datetime(2025, 1, 1, tzinfo=UTC)
# three tests are signed with DSA and SHA-1, which no policy for documents accepts
PKITS_ALGORITHMS = AlgorithmPolicy("PKITS", (*MODERN.signatures, ("dsa-with-SHA1", None)), unsafe_dsa=True)


def _certificate(file: str) -> bytes:
    return (DATA / "certs" / file).read_bytes()


def _crl(file: str) -> bytes:
    return (DATA / "crls" / file).read_bytes()


ROOT = TrustAnchor(_certificate("TrustAnchorRootCertificate.crt"))


def _outcome(case: dict[str, Any], cache: ValidationCache | None = None) -> str:
    policy = PathPolicy(
        algorithms=PKITS_ALGORITHMS,
        acceptable_policies=frozenset(case["policies"]) if "policies" in case else None,
        require_explicit_policy=case.get("require_explicit_policy", False),
        inhibit_policy_mapping=case.get("inhibit_policy_mapping", False),
        inhibit_any_policy=case.get("inhibit_any_policy", False),
    )
    offered = tuple(_certificate(file) for file in case["certificates"])
    try:
        path = validate_path(
            _certificate(case["leaf"]), intermediates=offered, anchors=[ROOT], at=AT, purpose=KeyPurpose.ANY, policy=policy, cache=cache
        )
    except ChainError:
        return "path"
    if not case.get("revocation", True):
        return "valid"
    evidence = Evidence(offered, tuple(_crl(file) for file in ("TrustAnchorRootCRL.crl", *case["crls"])))
    plain = PathPolicy(algorithms=PKITS_ALGORITHMS)
    states = {
        revocation_status(
            one, above, evidence=evidence, at=AT, now=AT, anchors=[ROOT], freshness=UNTIL_NEXT_UPDATE, policy=plain, cache=cache
        ).state
        for one, above in path.pairs
    }
    if states & {RevocationState.REVOKED, RevocationState.ON_HOLD}:  # a hold is a revocation as long as it lasts (RFC 5280 section 5.3.1)
        return "revoked"
    return "valid" if states <= {RevocationState.GOOD} else "undetermined"


def test_every_case_is_here() -> None:
    assert len(CASES) == 246
    assert sum(case["expect"] != "valid" for case in CASES) == 136


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_pkits(case: dict[str, Any]) -> None:
    assert _outcome(case) == case["expect"], case["name"]


def test_pkits_comes_out_the_same_with_one_memory_for_all_cases() -> None:
    cache = ValidationCache()
    for case in CASES:
        assert _outcome(case, cache) == case["expect"], case["name"]


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] in ("4.1.4", "4.1.5", "4.1.6")], ids=lambda case: case["id"])
def test_dsa_with_sha1_is_refused_by_the_policy_for_documents(case: dict[str, Any]) -> None:
    offered = [_certificate(file) for file in case["certificates"]]
    with pytest.raises(ChainError, match=r"dsa-with-SHA1 is not accepted|DSAPublicKey is not accepted|not a whole number of octets"):
        validate_path(_certificate(case["leaf"]), intermediates=offered, anchors=[ROOT], at=AT, purpose=KeyPurpose.ANY)
