"""Certification paths: from a certificate to a trust anchor that the caller named, valid for a purpose at a time (RFC 5280 section 6).

>>> from pki.paths.chain import KeyPurpose, TrustAnchor, validate_path
>>> path = validate_path(
...     leaf, intermediates=[issuing], anchors=[TrustAnchor(root)], at=moment, purpose=KeyPurpose.DOCUMENT_SIGNING
... )  # doctest: +SKIP
>>> path.policies  # doctest: +SKIP
frozenset({'1.3.6.1.4.1.32473.1.1.1'})

Evidence out, or a leaf of :class:`pki.paths.chain_errors.ChainError`. Not checked here: revocation (:mod:`pki.revocation.judgement`). No
network is ever touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pki.errors import EncodingError
from pki.paths.anchor_constraints import AnchorConstraints
from pki.paths.building import Pool, Search
from pki.paths.chain_errors import (
    ChainError,
    ConstraintError,
    ExpiredError,
    MalformedCertificateError,
    NoPathError,
    NotYetValidError,
    PathLimitError,
    PathSignatureError,
    PurposeError,
    ValidityError,
)
from pki.paths.key_purpose import KeyPurpose
from pki.paths.validation import DOCUMENTS, PathPolicy, check_validity, signature_check, validate
from pki.paths.validation_cache import ValidationCache
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy
from pki.structures.certificate import Certificate, load_certificate

__all__ = [
    "DOCUMENTS",
    "MODERN",
    "AlgorithmPolicy",
    "AnchorConstraints",
    "Certificate",
    "ChainError",
    "ConstraintError",
    "ExpiredError",
    "KeyPurpose",
    "MalformedCertificateError",
    "NoPathError",
    "NotYetValidError",
    "PathLimitError",
    "PathPolicy",
    "PathSignatureError",
    "Pool",
    "PurposeError",
    "TrustAnchor",
    "ValidatedPath",
    "ValidityError",
    "anchors_above",
    "load_certificate",
    "pool_of",
    "validate_path",
]


_PATH_OCTETS = 512  # that a remembered path is taken to hold, its certificates aside, which are remembered by themselves
_DIGEST_OCTETS = 80  # and for each certificate that could have been on it


@dataclass(frozen=True)
class TrustAnchor:
    """A certificate that the caller trusts, as DER. Its own path length and name constraints count (RFC 5937), and so do its dates.

    `constraints` narrow what it is trusted for; None stands for an authority of one's own.
    """

    certificate_der: bytes
    constraints: AnchorConstraints | None = None

    @property
    def certificate(self) -> Certificate:
        """Raises :class:`pki.errors.EncodingError`."""
        return load_certificate(self.certificate_der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hexadecimal."""
        return self.certificate.fingerprint


@dataclass(frozen=True)
class ValidatedPath:
    """A valid path: `certificates` leaf first, without the anchor (the leaf alone where it is the anchor itself).

    `policies` are the leaf's policy OIDs that the whole path upholds; "2.5.29.32.0" among them stands for any.
    """

    certificates: tuple[Certificate, ...]
    anchor: TrustAnchor
    policies: frozenset[str]

    @property
    def leaf(self) -> Certificate:
        return self.certificates[0]

    @cached_property
    def pairs(self) -> tuple[tuple[Certificate, Certificate], ...]:
        """Each certificate below the anchor with its issuer, leaf first: what revocation is checked for."""
        if self.leaf.der == self.anchor.certificate_der:
            return ()
        return tuple(zip(self.certificates, (*self.certificates[1:], self.anchor.certificate), strict=True))


def validate_path(
    leaf_der: bytes,
    *,
    intermediates: Sequence[bytes] | Pool,
    anchors: Sequence[TrustAnchor],
    at: datetime,
    purpose: KeyPurpose,
    policy: PathPolicy = DOCUMENTS,
    cache: ValidationCache | None = None,
) -> ValidatedPath:
    """A path from `leaf_der` to one of `anchors` that is valid for `purpose` at `at` (aware UTC).

    `intermediates` are DER, in any order, from anywhere: nothing in them is trusted. Many questions about the same ones and the same
    `anchors` share what :func:`pool_of` makes of both. An anchor without constraints goes before one with: what another authority certifies
    cannot make a certificate of ours one of its own. Where no path is valid, the error tells of the path that came furthest: an
    :class:`ExpiredError` or :class:`NotYetValidError` means that nothing but time was wrong with it.
    """
    try:
        leaf = load_certificate(leaf_der)
    except EncodingError as exc:
        raise MalformedCertificateError(str(exc)) from exc
    pool = intermediates if isinstance(intermediates, Pool) else pool_of(intermediates, anchors)
    key = _path_key(leaf, pool, anchors, purpose, policy) if cache is not None else None
    if cache is not None and (known := cache.get(key)) is not None and _still_valid(known, at, policy):
        return known  # type: ignore[no-any-return]  # this function put it there
    found, is_first = _search(leaf, pool, anchors, at=at, purpose=purpose, policy=policy)
    if cache is not None and is_first:
        cache.put(key, found, octets=_PATH_OCTETS + _DIGEST_OCTETS * len(pool.reachable(leaf)))
    return found


def pool_of(intermediates: Sequence[bytes], anchors: Sequence[TrustAnchor]) -> Pool:
    """Raises :class:`pki.paths.chain_errors.PathLimitError`, or MalformedCertificateError for an anchor that cannot be read."""
    return Pool(intermediates, _certificates(anchors))


def _certificates(anchors: Sequence[TrustAnchor]) -> list[Certificate]:
    try:
        return [anchor.certificate for anchor in anchors]
    except EncodingError as exc:
        raise MalformedCertificateError(f"trust anchor: {exc}") from exc


def _path_key(leaf: Certificate, pool: Pool, anchors: Sequence[TrustAnchor], purpose: KeyPurpose, policy: PathPolicy) -> tuple[object, ...]:
    """Everything but the time that the answer depends on."""
    trusted = tuple((anchor.certificate.sha256, anchor.constraints) for anchor in anchors)
    return ("path", leaf.sha256, pool.reachable(leaf), trusted, purpose, policy)


def _still_valid(path: ValidatedPath, at: datetime, policy: PathPolicy) -> bool:
    """Whether a remembered path holds at another time; algorithms with a sunset are looked at afresh."""
    if policy.algorithms.has_sunset:
        return False
    try:
        check_validity(path.certificates, path.anchor.certificate, at)
        if path.anchor.constraints is not None:
            path.anchor.constraints.check_time(at)
    except ValidityError:
        return False
    return True


def _search(
    leaf: Certificate, pool: Pool, anchors: Sequence[TrustAnchor], *, at: datetime, purpose: KeyPurpose, policy: PathPolicy
) -> tuple[ValidatedPath, bool]:
    """The path, and whether it is the one for every moment at which it is valid: no other before it failed for the moment asked about."""
    check = signature_check(policy.algorithms, at)
    by_der = {anchor.certificate_der: anchor for anchor in anchors}
    if leaf.der in by_der:
        validate((), leaf, at=at, purpose=purpose, policy=policy, check_signature=check)
        itself = ValidatedPath((leaf,), by_der[leaf.der], frozenset(leaf.extensions.policies or ()))
        return _constrained(itself, purpose=purpose, at=at), True
    search = Search(pool, check)
    failure: ChainError | None = None
    outside: ValidatedPath | None = None
    try:
        for path, anchor in search.paths(leaf):
            try:
                policies = validate(path, anchor, at=at, purpose=purpose, policy=policy, check_signature=check)
                found = _constrained(ValidatedPath(path, by_der[anchor.der], policies), purpose=purpose, at=at)
            except PathLimitError:
                raise
            except ChainError as exc:
                failure = _further(failure, exc)
                continue
            if found.anchor.constraints is None or not _own_in_reach(leaf, pool, anchors):
                return found, not isinstance(failure, ValidityError)
            outside = outside or found
    except PathLimitError as exc:  # even where another authority's was found: one of our own may lie beyond the limit
        raise failure if isinstance(failure, ValidityError) else exc from exc
    if outside is not None:
        return outside, False  # where one of our own failed
    raise failure or search.failure or NoPathError(_no_path(leaf, pool, anchors))


def _own_in_reach(leaf: Certificate, pool: Pool, anchors: Sequence[TrustAnchor]) -> bool:
    """Whether names lead from `leaf` to an anchor without constraints."""
    own = {anchor.certificate.sha256 for anchor in anchors if anchor.constraints is None}
    return not own.isdisjoint(pool.reachable(leaf))


def _constrained(path: ValidatedPath, *, purpose: KeyPurpose, at: datetime) -> ValidatedPath:
    if path.anchor.constraints is not None:
        path.anchor.constraints.check(path.certificates, policies=path.policies, purpose=purpose, at=at)
    return path


def anchors_above(
    certificate: Certificate, *, intermediates: Sequence[bytes], anchors: Sequence[TrustAnchor], at: datetime, policy: PathPolicy
) -> frozenset[TrustAnchor]:
    """The `anchors` that `certificate` leads to by names and signatures (itself, where it is one); no path is validated.

    Raises :class:`pki.paths.chain_errors.PathLimitError`.
    """
    by_der = {anchor.certificate_der: anchor for anchor in anchors}
    if certificate.der in by_der:
        return frozenset({by_der[certificate.der]})
    search = Search(Pool(intermediates, _certificates(anchors)), signature_check(policy.algorithms, at))
    return frozenset(by_der[anchor.der] for _, anchor in search.paths(certificate))


_NEARNESS = (PathSignatureError, ConstraintError, PurposeError, ValidityError)
"""The later, the nearer to a valid path the one was that failed so."""


def _further(one: ChainError | None, other: ChainError) -> ChainError:
    def rank(error: ChainError) -> int:
        return next((place for place, kind in enumerate(_NEARNESS, start=1) if isinstance(error, kind)), 0)

    return other if one is None or rank(other) > rank(one) else one


def _no_path(leaf: Certificate, pool: Pool, anchors: Sequence[TrustAnchor]) -> str:
    named = ", ".join(anchor.fingerprint[:16] for anchor in anchors[:4]) or "none"
    unread = f"; {pool.unreadable} of the certificates offered cannot be read" if pool.unreadable else ""
    return f"no chain of issuers leads from certificate {leaf.serial_hex} to a trust anchor (SHA-256 {named}){unread}"
