"""The certificate extensions that path validation understands, read once and fail closed (RFC 5280 section 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.asn1 import BitString

from pki.errors import EncodingError
from pki.structures.names import DistinguishedName, GeneralName, GeneralNameKind, general_name, general_names, relative_name
from pki.structures.x509_asn1 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    DistributionPointName,
    DistributionPoints,
    Elements,
    Extension,
    Mappings,
    NameConstraints,
    Oids,
    Policies,
    PolicyConstraints,
    bits,
    members,
    read,
    read_list,
)

MAX_POLICIES = 256  # policies, or mappings, in one certificate; bounds work on hostile input
MAX_DISTRIBUTION_POINTS = 64
MAX_SKIP_CERTS = 1 << 16  # a larger SkipCerts means the same: no path is that long

ANY_POLICY = "2.5.29.32.0"


@dataclass(frozen=True)
class BasicConstraint:
    ca: bool
    path_length: int | None


@dataclass(frozen=True)
class Subtrees:
    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]


@dataclass(frozen=True)
class PointName:
    """A distribution point's name: full names, or what is to be added to the CRL issuer's name."""

    full: tuple[GeneralName, ...] = ()
    relative: frozenset[Any] | None = None

    def names(self, issuers: tuple[DistinguishedName, ...]) -> frozenset[GeneralName]:
        """All the names that it goes by, a relative one being completed with each of `issuers`."""
        if self.relative is None:
            return frozenset(self.full)
        return frozenset(GeneralName(GeneralNameKind.DIRECTORY, (*issuer, self.relative)) for issuer in issuers)


@dataclass(frozen=True)
class Point:
    """One DistributionPoint; `reasons` are ReasonFlags bit numbers, None for all."""

    name: PointName | None
    reasons: frozenset[int] | None
    crl_issuers: tuple[DistinguishedName, ...]


@dataclass(frozen=True)
class Extensions:
    """What a certificate's extensions say. None (or empty) means absent. OIDs are dotted strings."""

    basic_constraints: BasicConstraint | None = None
    key_usage: frozenset[int] | None = None
    extended_key_usage: frozenset[str] | None = None
    subject_alt_names: tuple[GeneralName, ...] = ()
    name_constraints: Subtrees | None = None
    policies: tuple[str, ...] | None = None
    policy_mappings: tuple[tuple[str, str], ...] = ()
    require_explicit_policy: int | None = None
    inhibit_policy_mapping: int | None = None
    inhibit_any_policy: int | None = None
    subject_key_identifier: bytes | None = None
    authority_key_identifier: bytes | None = None
    distribution_points: tuple[Point, ...] = ()
    ocsp_no_check: bool = False
    critical: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()


EXTENDED_KEY_USAGE = "2.5.29.37"


def read_extensions(found: list[Extension]) -> Extensions:
    """Raises :class:`pki.errors.EncodingError` for a malformed extension that is understood here, and for one that stands twice."""
    result = Extensions()
    present: set[str] = set()
    for extension in found:
        oid = extension.extn_id.dotted_string
        if oid in present:
            raise EncodingError(f"certificate: extension {oid} stands twice")
        present.add(oid)
        reader = _READERS.get(oid)
        if reader is not None:
            result = replace(result, **reader(extension.extn_value))
    critical = frozenset(extension.extn_id.dotted_string for extension in found if extension.critical)
    return replace(result, critical=critical, present=frozenset(present))


def _basic_constraints(der: bytes) -> dict[str, Any]:
    found = read(BasicConstraints, der, "basicConstraints")
    if found.path_length is not None and found.path_length < 0:
        raise EncodingError("basicConstraints: pathLenConstraint is negative")
    return {"basic_constraints": BasicConstraint(bool(found.ca), found.path_length)}


def _key_usage(der: bytes) -> dict[str, Any]:
    return {"key_usage": bits(read(BitString, der, "keyUsage"))}


def _extended_key_usage(der: bytes) -> dict[str, Any]:
    oids = read_list(Oids, der, "extKeyUsage").items
    if not oids:
        raise EncodingError("extKeyUsage: no purpose, expected at least one")
    return {"extended_key_usage": frozenset(oid.dotted_string for oid in oids)}


def _subject_alt_name(der: bytes) -> dict[str, Any]:
    return {"subject_alt_names": general_names(read_list(Elements, der, "subjectAltName").items, "subjectAltName")}


def _name_constraints(der: bytes) -> dict[str, Any]:
    found = read(NameConstraints, der, "nameConstraints")
    subtrees = [*(found.permitted or []), *(found.excluded or [])]
    if any(tree.minimum or tree.maximum is not None for tree in subtrees):
        # RFC 5280 4.2.1.10: minimum is always 0 and maximum is always absent
        raise EncodingError("nameConstraints: a subtree with minimum or maximum, expected neither")
    if not subtrees:
        raise EncodingError("nameConstraints: no subtree, expected at least one")
    return {
        "name_constraints": Subtrees(
            permitted=general_names([tree.base for tree in found.permitted or []], "nameConstraints"),
            excluded=general_names([tree.base for tree in found.excluded or []], "nameConstraints"),
        )
    }


def _policies(der: bytes) -> dict[str, Any]:
    found = read_list(Policies, der, "certificatePolicies").items
    oids = tuple(item.policy.dotted_string for item in found)
    if len(oids) > MAX_POLICIES:
        raise EncodingError(f"certificatePolicies: {len(oids)} policies, more than the {MAX_POLICIES} that are read")
    if len(set(oids)) != len(oids):
        raise EncodingError("certificatePolicies: a policy stands twice")
    return {"policies": oids}


def _policy_mappings(der: bytes) -> dict[str, Any]:
    found = read_list(Mappings, der, "policyMappings").items
    if len(found) > MAX_POLICIES:
        raise EncodingError(f"policyMappings: {len(found)} mappings, more than the {MAX_POLICIES} that are read")
    return {"policy_mappings": tuple((item.issuer_policy.dotted_string, item.subject_policy.dotted_string) for item in found)}


def _skip_certs(value: int | None, what: str) -> int | None:
    if value is not None and value < 0:
        raise EncodingError(f"{what}: SkipCerts is negative")
    return value if value is None else min(value, MAX_SKIP_CERTS)


def _policy_constraints(der: bytes) -> dict[str, Any]:
    found = read(PolicyConstraints, der, "policyConstraints")
    return {
        "require_explicit_policy": _skip_certs(found.require_explicit_policy, "policyConstraints"),
        "inhibit_policy_mapping": _skip_certs(found.inhibit_policy_mapping, "policyConstraints"),
    }


def _inhibit_any_policy(der: bytes) -> dict[str, Any]:
    return {"inhibit_any_policy": _skip_certs(read(int, der, "inhibitAnyPolicy"), "inhibitAnyPolicy")}


def _subject_key_identifier(der: bytes) -> dict[str, Any]:
    return {"subject_key_identifier": read(bytes, der, "subjectKeyIdentifier")}


def _authority_key_identifier(der: bytes) -> dict[str, Any]:
    return {"authority_key_identifier": read(AuthorityKeyIdentifier, der, "authorityKeyIdentifier").key_identifier}


def point_name(box: DistributionPointName | None) -> PointName | None:
    """Reads the CHOICE of full and relative name; raises :class:`pki.errors.EncodingError`."""
    if box is None:
        return None
    tag, content = box.name.tag_bytes, bytes(box.name.data)
    if tag == b"\xa0":
        return PointName(full=tuple(general_name(item) for item in members(content, "DistributionPointName")))
    if tag == b"\xa1":
        return PointName(relative=relative_name(content))
    raise EncodingError(f"DistributionPointName: tag {tag.hex()}, expected [0] or [1]")


def _distribution_points(der: bytes) -> dict[str, Any]:
    found = read_list(DistributionPoints, der, "cRLDistributionPoints").items
    if len(found) > MAX_DISTRIBUTION_POINTS:
        raise EncodingError(f"cRLDistributionPoints: {len(found)} points, more than the {MAX_DISTRIBUTION_POINTS} that are read")
    points = []
    for item in found:
        issuers = general_names(item.crl_issuer or [], "cRLIssuer")
        directory = tuple(name.value for name in issuers if isinstance(name.value, tuple))
        points.append(Point(point_name(item.distribution_point), bits(item.reasons), directory))
    return {"distribution_points": tuple(points)}


_READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "2.5.29.19": _basic_constraints,
    "2.5.29.15": _key_usage,
    EXTENDED_KEY_USAGE: _extended_key_usage,
    "2.5.29.17": _subject_alt_name,
    "2.5.29.30": _name_constraints,
    "2.5.29.32": _policies,
    "2.5.29.33": _policy_mappings,
    "2.5.29.36": _policy_constraints,
    "2.5.29.54": _inhibit_any_policy,
    "2.5.29.14": _subject_key_identifier,
    "2.5.29.35": _authority_key_identifier,
    "2.5.29.31": _distribution_points,
    "1.3.6.1.5.5.7.48.1.5": lambda _: {"ocsp_no_check": True},
}

# No bearing on whether a path is valid: authorityInfoAccess, subjectInfoAccess, qcStatements, issuerAltName, freshestCRL
_HARMLESS = frozenset({"1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.1.3", "2.5.29.18", "2.5.29.46"})
UNDERSTOOD = frozenset(_READERS) | _HARMLESS
"""OIDs of extensions that may be critical."""

__all__ = ["ANY_POLICY", "UNDERSTOOD", "Extensions", "Point", "PointName", "Subtrees", "point_name", "read_extensions"]
