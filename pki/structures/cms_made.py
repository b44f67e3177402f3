"""SignedData made: one signer, the attributes that PAdES and time-stamp tokens need, in DER (RFC 5652 section 5, EN 319 122-1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import SetOf

from pki.structures.algorithms import Digest, SigningKey
from pki.structures.cms_asn1 import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    OID,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    Attribute,
    ContentInfo,
    EncapsulatedContentInfo,
    EssCertIdV2,
    IssuerAndSerialNumber,
    SignedData,
    SignerInfo,
    SigningCertificateV2,
    attribute,
    octet_string,
    signed_attributes_der,
    tlv,
)


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
