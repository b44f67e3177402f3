"""Validates one given path, from the trust anchor down to the leaf (RFC 5280 section 6.1).

1. signatures and algorithms (6.1.3 a 1)     4. name constraints (6.1.3 b, c; 6.1.4 g)
2. unknown critical extensions (6.1.4 o)     5. policies (6.1.3 d-f; 6.1.4 a, b, h-j; 6.1.5)
3. authorities: basicConstraints,            6. purpose: keyUsage and extKeyUsage
   keyUsage, path length (6.1.4 k-n)         7. validity at the time (6.1.3 a 2), last: an error of time means that all else is right

Revocation (6.1.3 a 3) is :mod:`pki.revocation.judgement`'s. Names have been chained by :mod:`pki.paths.building`, which hands the path in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pki.errors import SignatureError, UnsupportedAlgorithmError
from pki.paths.chain_errors import AlgorithmError, CertificateRole, ConstraintError, ExpiredError, NotYetValidError, PathSignatureError
from pki.paths.constraints import NameSpace
from pki.paths.inherited_key import working_key
from pki.paths.key_purpose import KeyPurpose, check_purpose
from pki.paths.policies import PolicyState
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy, verify_signature
from pki.structures.certificate import KEY_CERT_SIGN, Certificate
from pki.structures.extensions import UNDERSTOOD


@dataclass(frozen=True)
class PathPolicy:
    """The inputs of RFC 5280 section 6.1.1, and the algorithms accepted. `acceptable_policies` None is any-policy; OIDs are dotted."""

    algorithms: AlgorithmPolicy = MODERN
    acceptable_policies: frozenset[str] | None = None
    require_explicit_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False


DOCUMENTS = PathPolicy()

CheckSignature = Callable[[Certificate, object], None]
"""Checks that a certificate is signed under a key; raises SignatureError or UnsupportedAlgorithmError. May remember its answers."""


def signature_check(policy: AlgorithmPolicy, at: datetime) -> CheckSignature:
    def check(certificate: Certificate, key: object) -> None:
        verify_signature(key, certificate.signature_algorithm_der, certificate.signature, certificate.tbs_der, policy=policy, at=at)

    return check


def validate(
    path: tuple[Certificate, ...],
    anchor: Certificate,
    *,
    at: datetime,
    purpose: KeyPurpose,
    policy: PathPolicy,
    check_signature: CheckSignature,
) -> frozenset[str]:
    """The leaf's valid policies, `path` being leaf first without the anchor.

    Raises leaves of :class:`pki.paths.chain_errors.ChainError`.
    """
    _check_signatures(path, anchor, policy.algorithms, check_signature)
    for place, certificate in enumerate(path):
        _check_critical(certificate, _label(place))
    _check_authorities(path, anchor)
    _check_names(path, anchor)
    policies = _check_policies(path, policy)
    check_purpose(path[0] if path else anchor, path[1:], purpose)
    check_validity(path, anchor, at)
    return policies


def _label(place: int) -> str:
    return "the certificate" if place == 0 else f"CA certificate {place} above the certificate"


def _check_signatures(path: tuple[Certificate, ...], anchor: Certificate, policy: AlgorithmPolicy, check: CheckSignature) -> None:
    try:
        key = working_key(anchor, None)
    except UnsupportedAlgorithmError as exc:
        raise AlgorithmError(f"the trust anchor: {exc}") from exc
    for place in range(len(path) - 1, -1, -1):
        certificate = path[place]
        try:
            check(certificate, key)
            key = working_key(certificate, key)
            policy.check_key(key)
        except SignatureError as exc:
            raise PathSignatureError(f"{_label(place)} is not signed by the issuer it names ({exc})") from exc
        except UnsupportedAlgorithmError as exc:
            raise AlgorithmError(f"{_label(place)}: {exc}") from exc


def _check_critical(certificate: Certificate, label: str) -> None:
    unknown = certificate.extensions.critical - UNDERSTOOD
    if unknown:
        raise ConstraintError(f"{label} bears the critical extension {min(unknown)}, which is not understood")


def _check_authorities(path: tuple[Certificate, ...], anchor: Certificate) -> None:
    """The anchor's own pathLenConstraint counts where it has one (RFC 5937 section 3.2)."""
    constraint = anchor.extensions.basic_constraints
    left = len(path) if constraint is None or constraint.path_length is None else constraint.path_length
    if path and constraint is not None and not constraint.ca:
        raise ConstraintError("the trust anchor is no CA (basicConstraints), and may vouch for itself alone")
    if path and not anchor.may(KEY_CERT_SIGN):
        raise ConstraintError("the trust anchor may not sign certificates (keyUsage lacks keyCertSign)")
    for place in range(len(path) - 1, 0, -1):
        certificate = path[place]
        if not certificate.is_ca:
            raise ConstraintError(f"{_label(place)} is no CA (basicConstraints)")
        if not certificate.may(KEY_CERT_SIGN):
            raise ConstraintError(f"{_label(place)} may not sign certificates (keyUsage lacks keyCertSign)")
        if not certificate.self_issued:
            if left <= 0:
                raise ConstraintError(f"{_label(place)} exceeds the path length that an authority above it allows (pathLenConstraint)")
            left -= 1
        basic = certificate.extensions.basic_constraints
        if basic is not None and basic.path_length is not None:
            left = min(left, basic.path_length)


def _check_names(path: tuple[Certificate, ...], anchor: Certificate) -> None:
    space = NameSpace()
    space.narrow(anchor.extensions.name_constraints)
    for place in range(len(path) - 1, -1, -1):
        certificate = path[place]
        if place == 0 or not certificate.self_issued:
            space.check(certificate, _label(place))
        space.narrow(certificate.extensions.name_constraints)


def _check_policies(path: tuple[Certificate, ...], policy: PathPolicy) -> frozenset[str]:
    if not path:
        return frozenset()
    state = PolicyState(
        length=len(path),
        require_explicit=policy.require_explicit_policy,
        inhibit_mapping=policy.inhibit_policy_mapping,
        inhibit_any=policy.inhibit_any_policy,
    )
    for place in range(len(path) - 1, -1, -1):
        certificate = path[place]
        state.process(certificate.extensions, self_issued=certificate.self_issued, last=place == 0, label=_label(place))
    return state.conclude(policy.acceptable_policies, _label(0))


def check_validity(path: tuple[Certificate, ...], anchor: Certificate, at: datetime) -> None:
    """Raises ExpiredError or NotYetValidError for the first certificate, from the anchor down, that is not valid at `at`.

    RFC 5280 leaves an anchor's own dates aside; here they count, since a signature is judged at a time when its anchor was valid too.
    """
    for place in range(len(path), -1, -1):
        certificate = path[place] if place < len(path) else anchor
        start, end = certificate.not_before, certificate.not_after
        if start <= at <= end:
            continue
        if place == len(path):
            role, label = CertificateRole.ANCHOR, "the trust anchor"
        else:
            role, label = CertificateRole.CA if place else CertificateRole.LEAF, _label(place)
        if at > end:
            raise ExpiredError(f"{label} expired at {end.isoformat()}, before {at.isoformat()}", role=role, not_before=start, not_after=end)
        message = f"{label} is valid from {start.isoformat()}, after {at.isoformat()}"
        raise NotYetValidError(message, role=role, not_before=start, not_after=end)
