"""Cryptographic Message Syntax, declared once: SignedData for PAdES signatures and for time-stamp tokens (RFC 5652, RFC 5035).

`build_signed_data` makes it, `parse_signed_data` reads it; both are DER only, and both refuse what a record's signature may not be.
Nothing here decides whom to trust: :mod:`pki.paths.chain` and :mod:`signing` do.

>>> from pki.structures.cms import parse_signed_data
>>> parse_signed_data(b"0")
Traceback (most recent call last):
...
pki.errors.EncodingError: CMS ContentInfo: not valid DER SignedData (...)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit, Implicit, SetOf
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import EncodingError, UnsupportedAlgorithmError
from pki.structures.algorithm_policy import is_pss, verify_pss
from pki.structures.algorithms import Digest, SigningKey, digest_from_der, signature_algorithm_from_der
from pki.structures.cms_plain import Attributes, SignedDataParts, plain_parts

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

MAX_SIGNED_DATA = 4 * 1024 * 1024  # octets; bounds work on hostile input


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


def signing_certificate_v2(certificate_der: bytes) -> Attribute:
    """The ESS signing-certificate-v2 attribute naming `certificate_der` by its SHA-256 (EN 319 122-1 clause 5.2.2.3)."""
    cert_id = EssCertIdV2(hash_algorithm=None, cert_hash=Digest.SHA256.of(certificate_der), issuer_serial=None)
    return attribute(SIGNING_CERTIFICATE_V2, asn1.encode_der(SigningCertificateV2(certs=[cert_id])))


@lru_cache(maxsize=256)  # one signer makes many signatures
def issuer_and_serial(certificate_der: bytes) -> IssuerAndSerialNumber:
    """The SignerIdentifier that names a certificate."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return IssuerAndSerialNumber(issuer=tlv(certificate.issuer.public_bytes()), serial_number=certificate.serial_number)


def build_signed_data(
    *,
    content_type: OID,
    content_digest: bytes,
    encapsulated: bytes | None,
    certificate_der: bytes,
    key: SigningKey,
    certificates: Sequence[bytes],
    signed_attributes: Sequence[Attribute] = (),
) -> SignedData:
    """SignedData with one SignerInfo over `content_digest` (made with the digest of `key.algorithm`).

    The signed attributes are content-type, message-digest and signing-certificate-v2, plus `signed_attributes`. `encapsulated` is the
    eContent octets (a TSTInfo) or None for a detached signature. `certificates` are DER and go into the SET as given; the field is left out
    where there are none.
    """
    algorithm = key.algorithm
    attrs: SetOf[Attribute] = SetOf(
        [
            attribute(CONTENT_TYPE, asn1.encode_der(content_type)),
            attribute(MESSAGE_DIGEST, octet_string(content_digest)),
            signing_certificate_v2(certificate_der),
            *signed_attributes,
        ]
    )
    signature = key.sign(signed_attributes_der(attrs))
    digest_identifier = tlv(algorithm.digest.identifier_der)
    signer = SignerInfo(
        version=1,
        sid=issuer_and_serial(certificate_der),
        digest_algorithm=digest_identifier,
        signed_attrs=attrs,
        signature_algorithm=tlv(algorithm.identifier_der),
        signature=signature,
        unsigned_attrs=None,
    )
    return SignedData(
        version=1 if content_type == DATA else 3,  # RFC 5652 section 5.1
        digest_algorithms=SetOf([digest_identifier]),
        encap_content_info=EncapsulatedContentInfo(content_type=content_type, content=encapsulated),
        certificates=SetOf([tlv(der) for der in certificates]) if certificates else None,
        crls=None,
        signer_infos=SetOf([signer]),
    )


def with_unsigned_attributes(signed_data: SignedData, attributes: Sequence[Attribute]) -> SignedData:
    """The same SignedData, its one SignerInfo carrying `attributes` as unsigned attributes."""
    (signer,) = signed_data.signer_infos.as_list()
    stamped = SignerInfo(
        version=signer.version,
        sid=signer.sid,
        digest_algorithm=signer.digest_algorithm,
        signed_attrs=signer.signed_attrs,
        signature_algorithm=signer.signature_algorithm,
        signature=signer.signature,
        unsigned_attrs=SetOf(list(attributes)),
    )
    return SignedData(
        version=signed_data.version,
        digest_algorithms=signed_data.digest_algorithms,
        encap_content_info=signed_data.encap_content_info,
        certificates=signed_data.certificates,
        crls=signed_data.crls,
        signer_infos=SetOf([stamped]),
    )


def content_info_der(signed_data: SignedData) -> bytes:
    return asn1.encode_der(ContentInfo(content_type=SIGNED_DATA, content=signed_data))


def signed_attributes_der(attrs: SetOf[Attribute]) -> bytes:
    """The DER SET OF Attribute that is hashed and signed (RFC 5652 section 5.4: EXPLICIT SET OF tag, not the [0] of the message)."""
    sequence = asn1.encode_der(_SignedAttributes(attrs=attrs))
    carrier = asn1.decode_der(TLV, sequence)
    return bytes(carrier.data)


class ParsedSignedData(SignedDataParts):
    """SignedData with exactly one SignerInfo, as a verifier asks for it."""

    __slots__ = ()

    @property
    def content_type(self) -> OID:
        return asn1.decode_der(OID, self.content_type_der)

    @property
    def digest(self) -> Digest:
        """Raises :class:`pki.errors.UnsupportedAlgorithmError`."""
        return digest_from_der(self.digest_identifier_der)

    def verify(self, public_key: object) -> None:
        """Checks the signature value over the signed attributes; raises SignatureError or UnsupportedAlgorithmError.

        Not checked: the message-digest and content-type attributes, the certificate, the ESS attribute.
        """
        if self.signed_attributes_der is None:
            raise EncodingError("CMS SignerInfo: signed attributes are absent")
        if not isinstance(public_key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise UnsupportedAlgorithmError(f"key of type {type(public_key).__name__} is neither EC nor RSA")
        identifier = self.signature_identifier_der
        if is_pss(identifier):
            verify_pss(public_key, identifier, self.signature, self.signed_attributes_der, digest=self.digest)
        else:
            signature_algorithm_from_der(identifier, self.digest).verify(public_key, self.signature, self.signed_attributes_der)

    def signed_values(self, kind: OID) -> tuple[bytes, ...]:
        """DER of every value of every signed attribute of type `kind`: one attribute with one value is the only legal shape."""
        return _values(self.signed_attributes or (), kind)

    def unsigned_values(self, kind: OID) -> tuple[bytes, ...]:
        return _values(self.unsigned_attributes, kind)


def _values(attributes: Attributes, kind: OID) -> tuple[bytes, ...]:
    kind_der = identifier_der(kind)
    return tuple([value for found, values in attributes if found == kind_der for value in values])


def parse_signed_data(der: bytes) -> ParsedSignedData:
    """Reads a DER ContentInfo holding SignedData with exactly one SignerInfo and no trailing octets.

    Raises :class:`pki.errors.EncodingError` naming what is wrong. An unsorted SET OF is refused: it is not DER.
    """
    if len(der) > MAX_SIGNED_DATA:
        raise EncodingError(f"CMS ContentInfo: {len(der)} octets, more than the {MAX_SIGNED_DATA} that are read")
    return ParsedSignedData._make(plain_parts(der) or _declared_parts(der))


def _declared_parts(der: bytes) -> SignedDataParts:
    try:
        info = asn1.decode_der(ContentInfo, der)
    except ValueError as exc:
        raise EncodingError(f"CMS ContentInfo: not valid DER SignedData ({exc})") from exc
    if info.content_type != SIGNED_DATA:
        raise EncodingError(f"CMS ContentInfo: type is {info.content_type.dotted_string}, expected SignedData")
    signed_data = info.content
    signers = signed_data.signer_infos.as_list()
    if len(signers) != 1:
        raise EncodingError(f"CMS SignedData: {len(signers)} SignerInfos, expected exactly one")
    (signer,) = signers
    issued = signer.sid if isinstance(signer.sid, IssuerAndSerialNumber) else None
    attrs = signer.signed_attrs
    return SignedDataParts(
        content_type_der=asn1.encode_der(signed_data.encap_content_info.content_type),
        encapsulated=signed_data.encap_content_info.content,
        certificates=_all_der(signed_data.certificates),
        issuer_der=asn1.encode_der(issued.issuer) if issued else None,
        serial_number=issued.serial_number if issued else None,
        subject_key_identifier=signer.sid if isinstance(signer.sid, bytes) else None,
        digest_identifier_der=asn1.encode_der(signer.digest_algorithm),
        signature_identifier_der=asn1.encode_der(signer.signature_algorithm),
        signature=signer.signature,
        signed_attributes=_attributes(attrs) if attrs is not None else None,
        signed_attributes_der=signed_attributes_der(attrs) if attrs is not None else None,
        unsigned_attributes=_attributes(signer.unsigned_attrs) if signer.unsigned_attrs is not None else (),
    )


def _all_der(items: SetOf[TLV] | None) -> tuple[bytes, ...]:
    return tuple(asn1.encode_der(item) for item in items.as_list()) if items is not None else ()


def _attributes(attributes: SetOf[Attribute]) -> Attributes:
    return tuple((asn1.encode_der(one.type), _all_der(one.values)) for one in attributes.as_list())
