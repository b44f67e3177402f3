"""What :mod:`pki.structures.cms` reads and :mod:`pki.structures.cms_made` makes, declared (RFC 5652 sections 3, 5 and 11, RFC 5035)."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit, Implicit, SetOf

OID = x509.ObjectIdentifier

DATA = OID("1.2.840.113549.1.7.1")
SIGNED_DATA = OID("1.2.840.113549.1.7.2")
CONTENT_TYPE = OID("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = OID("1.2.840.113549.1.9.4")
SIGNING_TIME = OID("1.2.840.113549.1.9.5")
SIGNING_CERTIFICATE = OID("1.2.840.113549.1.9.16.2.12")
SIGNING_CERTIFICATE_V2 = OID("1.2.840.113549.1.9.16.2.47")
SIGNATURE_TIME_STAMP = OID("1.2.840.113549.1.9.16.2.14")
TST_INFO = OID("1.2.840.113549.1.9.16.1.4")


@asn1.sequence
class Attribute:
    type: OID
    values: SetOf[TLV]


@asn1.sequence
class IssuerAndSerialNumber:
    issuer: TLV
    serial_number: int


@asn1.sequence
class SignerInfo:
    version: int
    sid: IssuerAndSerialNumber | Annotated[bytes, Implicit(0)]
    digest_algorithm: TLV
    signed_attrs: Annotated[SetOf[Attribute] | None, Implicit(0)]
    signature_algorithm: TLV
    signature: bytes
    unsigned_attrs: Annotated[SetOf[Attribute] | None, Implicit(1)]


@asn1.sequence
class EncapsulatedContentInfo:
    content_type: OID
    content: Annotated[bytes | None, Explicit(0)]


@asn1.sequence
class SignedData:
    version: int
    digest_algorithms: SetOf[TLV]
    encap_content_info: EncapsulatedContentInfo
    certificates: Annotated[SetOf[TLV] | None, Implicit(0)]
    crls: Annotated[SetOf[TLV] | None, Implicit(1)]
    signer_infos: SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    content_type: OID
    content: Annotated[SignedData, Explicit(0)]


@asn1.sequence
class _SignedAttributes:
    """A carrier for the SET OF: hazmat.asn1 refuses a bare top-level SET OF."""

    attrs: SetOf[Attribute]


@asn1.sequence
class GeneralNames:
    """The `GeneralNames` of ESS IssuerSerial as one directoryName, the only form RFC 5035 section 5 allows for X.509."""

    directory_name: Annotated[TLV, Explicit(4)]


@asn1.sequence
class IssuerSerial:
    issuer: GeneralNames
    serial_number: int


@asn1.sequence
class AlgorithmIdentifierNoParameters:
    algorithm: OID


@asn1.sequence
class EssCertIdV2:
    """ESSCertIDv2. hashAlgorithm is DEFAULT SHA-256, so it is absent for SHA-256 (RFC 5035 section 4)."""

    hash_algorithm: AlgorithmIdentifierNoParameters | None
    cert_hash: bytes
    issuer_serial: IssuerSerial | None


@asn1.sequence
class SigningCertificateV2:
    certs: list[EssCertIdV2]


def tlv(der: bytes) -> TLV:
    """`der` as a field of type ANY."""
    return asn1.decode_der(TLV, der)


def attribute(kind: OID, *values_der: bytes) -> Attribute:
    return Attribute(type=kind, values=SetOf([tlv(value) for value in values_der]))


@lru_cache(maxsize=64)
def identifier_der(kind: OID) -> bytes:
    """DER of an OBJECT IDENTIFIER, which the code names: what documents hold is not asked for here."""
    return asn1.encode_der(kind)


def octet_string(data: bytes) -> bytes:
    return asn1.encode_der(data)


def signed_attributes_der(attrs: SetOf[Attribute]) -> bytes:
    """The DER SET OF Attribute that is hashed and signed (RFC 5652 section 5.4: EXPLICIT SET OF tag, not the [0] of the message)."""
    sequence = asn1.encode_der(_SignedAttributes(attrs=attrs))
    carrier = asn1.decode_der(TLV, sequence)
    return bytes(carrier.data)
