"""A to-be-signed certificate as the structural lint reads it, declared apart from everything that builds one (RFC 5280 section 4.1)."""

from __future__ import annotations

from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString, Default, Explicit, SetOf


@asn1.sequence
class Attribute:
    type: x509.ObjectIdentifier
    value: TLV


@asn1.sequence
class Head:
    """TBSCertificate, version 3 and without the unique identifiers that RFC 5280 section 4.1.2.8 forbids us."""

    version: Annotated[int, Explicit(0)]
    serial: int
    signature: TLV
    issuer: TLV
    validity: TLV
    subject: list[SetOf[Attribute]]
    public_key: TLV
    extensions: Annotated[list[TLV], Explicit(3)]


@asn1.sequence
class Extension:
    id: x509.ObjectIdentifier
    critical: Annotated[bool, Default(False)]
    value: bytes


@asn1.sequence
class PublicKeyInfo:
    algorithm: TLV
    key: BitString


@asn1.sequence
class SemanticsInformation:
    identifier: x509.ObjectIdentifier
    authorities: list[TLV] | None


@asn1.sequence
class Statement:
    id: x509.ObjectIdentifier
    information: SemanticsInformation


@asn1.sequence
class Statements:
    only: Statement
