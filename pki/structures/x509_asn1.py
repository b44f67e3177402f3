"""X.509 structures for reading, declared once (RFC 5280 sections 4 and 5). :mod:`pki.structures.certificate` gives them meaning.

Two DER rules are relaxed on purpose, because foreign authorities break them and no meaning hangs on it: a BOOLEAN may state its default,
and the values of a SET may come in any order. Everything else is strict DER, read by `cryptography`'s Rust parser.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString, Explicit, GeneralizedTime, Implicit, UTCTime

from pki.errors import EncodingError
from pki.structures.der import SEQUENCE, element

OID = x509.ObjectIdentifier
T = TypeVar("T")


@asn1.sequence
class Extension:
    extn_id: OID
    critical: bool | None
    extn_value: bytes


@asn1.sequence
class Validity:
    not_before: UTCTime | GeneralizedTime
    not_after: UTCTime | GeneralizedTime


@asn1.sequence
class SubjectPublicKeyInfo:
    algorithm: TLV
    subject_public_key: BitString


@asn1.sequence
class TBSCertificate:
    version: Annotated[int | None, Explicit(0)]
    serial_number: int
    signature: TLV
    issuer: TLV
    validity: Validity
    subject: TLV
    subject_public_key_info: TLV
    issuer_unique_id: Annotated[BitString | None, Implicit(1)]
    subject_unique_id: Annotated[BitString | None, Implicit(2)]
    extensions: Annotated[list[Extension] | None, Explicit(3)]


@asn1.sequence
class RevokedCertificate:
    serial_number: int
    revocation_date: UTCTime | GeneralizedTime
    extensions: list[Extension] | None


@asn1.sequence
class AttributeTypeAndValue:
    type: OID
    value: TLV


@asn1.sequence
class BasicConstraints:
    ca: bool | None
    path_length: int | None


@asn1.sequence
class AuthorityKeyIdentifier:
    key_identifier: Annotated[bytes | None, Implicit(0)]
    issuer: Annotated[list[TLV] | None, Implicit(1)]
    serial_number: Annotated[int | None, Implicit(2)]


@asn1.sequence
class PolicyInformation:
    policy: OID
    qualifiers: list[TLV] | None


@asn1.sequence
class PolicyMapping:
    issuer_policy: OID
    subject_policy: OID


@asn1.sequence
class PolicyConstraints:
    require_explicit_policy: Annotated[int | None, Implicit(0)]
    inhibit_policy_mapping: Annotated[int | None, Implicit(1)]


@asn1.sequence
class GeneralSubtree:
    base: TLV
    minimum: Annotated[int | None, Implicit(0)]
    maximum: Annotated[int | None, Implicit(1)]


@asn1.sequence
class NameConstraints:
    permitted: Annotated[list[GeneralSubtree] | None, Implicit(0)]
    excluded: Annotated[list[GeneralSubtree] | None, Implicit(1)]


@asn1.sequence
class DistributionPointName:
    """[0] EXPLICIT around the CHOICE has the octets of [0] IMPLICIT around a SEQUENCE of one ANY."""

    name: TLV


@asn1.sequence
class DistributionPoint:
    distribution_point: Annotated[DistributionPointName | None, Implicit(0)]
    reasons: Annotated[BitString | None, Implicit(1)]
    crl_issuer: Annotated[list[TLV] | None, Implicit(2)]


@asn1.sequence
class IssuingDistributionPoint:
    distribution_point: Annotated[DistributionPointName | None, Implicit(0)]
    only_contains_user_certs: Annotated[bool | None, Implicit(1)]
    only_contains_ca_certs: Annotated[bool | None, Implicit(2)]
    only_some_reasons: Annotated[BitString | None, Implicit(3)]
    indirect_crl: Annotated[bool | None, Implicit(4)]
    only_contains_attribute_certs: Annotated[bool | None, Implicit(5)]


@asn1.sequence
class Elements:
    """A carrier for SEQUENCE OF ANY, which hazmat.asn1 does not read at the top level."""

    items: list[TLV]


@asn1.sequence
class Oids:
    items: list[OID]


@asn1.sequence
class Policies:
    items: list[PolicyInformation]


@asn1.sequence
class Mappings:
    items: list[PolicyMapping]


@asn1.sequence
class ExtensionList:
    items: list[Extension]


@asn1.sequence
class RevokedCertificates:
    items: list[RevokedCertificate]


@asn1.sequence
class DistributionPoints:
    items: list[DistributionPoint]


def read(kind: type[T], der: bytes, what: str) -> T:
    """`der` as a `kind`; raises :class:`pki.errors.EncodingError` naming `what`."""
    try:
        return asn1.decode_der(kind, der)
    except (ValueError, OverflowError) as exc:
        raise EncodingError(f"{what}: not the DER structure expected ({exc})") from exc


def read_list(kind: type[T], der: bytes, what: str) -> T:
    """`der`, a SEQUENCE OF, as the carrier `kind` with its one field `items`."""
    return read(kind, element(SEQUENCE, der), what)


def members(content: bytes, what: str) -> list[TLV]:
    """The elements inside a constructed element whose content octets are `content`: SEQUENCE, SET or an implicit tag alike."""
    return read_list(Elements, element(SEQUENCE, content), what).items


def bits(value: BitString | None) -> frozenset[int] | None:
    """The numbers of the bits that are set, bit 0 first; None where the field is absent."""
    if value is None:
        return None
    octets = value.as_bytes()
    return frozenset(8 * place + bit for place, octet in enumerate(octets) for bit in range(8) if octet & (0x80 >> bit))
