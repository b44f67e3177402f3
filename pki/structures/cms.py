"""Cryptographic Message Syntax: SignedData for PAdES signatures and for time-stamp tokens (RFC 5652, RFC 5035).

`build_signed_data` makes it, `parse_signed_data` reads it; both are DER only, and both refuse what a record's signature may not be.
Nothing here decides whom to trust: :mod:`pki.paths.chain` and :mod:`signing` do.

>>> from pki.structures.cms import parse_signed_data
>>> parse_signed_data(b"0")
Traceback (most recent call last):
...
pki.errors.EncodingError: CMS ContentInfo: not valid DER SignedData (...)
"""

from __future__ import annotations

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, SetOf
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import EncodingError, UnsupportedAlgorithmError
from pki.structures.algorithm_policy import is_pss, verify_pss
from pki.structures.algorithms import Digest, digest_from_der, signature_algorithm_from_der
from pki.structures.cms_asn1 import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    OID,
    SIGNATURE_TIME_STAMP,
    SIGNED_DATA,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    SIGNING_TIME,
    TST_INFO,
    Attribute,
    ContentInfo,
    IssuerAndSerialNumber,
    SignedData,
    SignerInfo,
    attribute,
    identifier_der,
    octet_string,
    signed_attributes_der,
    tlv,
)
from pki.structures.cms_made import build_signed_data, content_info_der, issuer_and_serial, signing_certificate_v2, with_unsigned_attributes
from pki.structures.cms_plain import Attributes, SignedDataParts, plain_parts

__all__ = [
    "CONTENT_TYPE",
    "DATA",
    "MAX_SIGNED_DATA",
    "MESSAGE_DIGEST",
    "OID",
    "SIGNATURE_TIME_STAMP",
    "SIGNING_CERTIFICATE",
    "SIGNING_CERTIFICATE_V2",
    "SIGNING_TIME",
    "TST_INFO",
    "Attribute",
    "ContentInfo",
    "ParsedSignedData",
    "SignedData",
    "SignerInfo",
    "attribute",
    "build_signed_data",
    "content_info_der",
    "identifier_der",
    "issuer_and_serial",
    "octet_string",
    "parse_signed_data",
    "signed_attributes_der",
    "signing_certificate_v2",
    "tlv",
    "with_unsigned_attributes",
]

MAX_SIGNED_DATA = 4 * 1024 * 1024  # octets; bounds work on hostile input


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
