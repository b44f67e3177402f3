"""Builds a to-be-signed certificate from a profile, without the issuer's key (RFC 5280 section 4.1, EN 319 412-1 clause 5).

A throw-away key of the issuer key's type closes the structure, so that pkilint judges a whole certificate before the real key is asked for
anything. The first certificate of a kind is built here, the others after its pattern (:mod:`pki.issuing.tbs_pattern`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import EncodingError
from pki.identity.identifiers import is_local
from pki.identity.subject import Subject
from pki.issuing.profile import CertificateProfile, Semantics
from pki.issuing.urls import AuthorityUrls, shard_of
from pki.keys.softkey import PrivateKey
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, algorithm_for_key
from pki.structures.der import SEQUENCE, element

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
PKIX_QC_SYNTAX_V2 = x509.ObjectIdentifier("1.3.6.1.5.5.7.11.2")  # RFC 3739 section 3.2.6.1
SEMANTICS = {
    Semantics.NATURAL: x509.ObjectIdentifier("0.4.0.194121.1.1"),  # EN 319 412-1 clause 5.1.2
    Semantics.LEGAL: x509.ObjectIdentifier("0.4.0.194121.1.2"),
}
_URI = 0x86  # GeneralName uniformResourceIdentifier [6] IMPLICIT IA5String


@dataclass(frozen=True)
class Issuer:
    """The issuing side of a certificate: name, key and limits. No private key."""

    name: str
    subject: x509.Name
    public_key: PublicKey
    key_identifier: bytes
    not_before: datetime
    not_after: datetime

    @cached_property
    def algorithm(self) -> SignatureAlgorithm:
        return algorithm_for_key(self.public_key)

    @cached_property
    def subject_der(self) -> bytes:
        return self.subject.public_bytes()

    @classmethod
    def from_certificate(cls, name: str, certificate_der: bytes) -> Issuer:
        """Raises :class:`pki.errors.EncodingError` where the certificate is none, or not a CA's with an EC or RSA key."""
        try:
            certificate = x509.load_der_x509_certificate(certificate_der)
            key = certificate.public_key()
            identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except (ValueError, x509.ExtensionNotFound) as exc:
            raise EncodingError(f"issuer {name}: not a CA certificate with a subject key identifier") from exc
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or not is_ca:
            raise EncodingError(f"issuer {name}: not a CA certificate with an EC or RSA key")
        return cls(name, certificate.subject, key, identifier, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


@dataclass(frozen=True)
class Plan:
    """All that a certificate is to say. `not_before` and `not_after` are aware UTC, whole seconds, both inclusive."""

    profile: CertificateProfile
    issuer: Issuer
    subject: Subject
    public_key: PublicKey
    serial: int
    not_before: datetime
    not_after: datetime
    urls: AuthorityUrls
    crl_shards: int

    @cached_property
    def spki_der(self) -> bytes:
        """The subject's key as a DER SubjectPublicKeyInfo."""
        return self.public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def throwaway_key(public_key: PublicKey) -> PrivateKey:
    """A fresh private key of the same type and size, to close a certificate that nobody will ever trust."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return rsa.generate_private_key(public_exponent=65537, key_size=public_key.key_size)
    return ec.generate_private_key(public_key.curve)


def build(plan: Plan, key: PrivateKey) -> x509.Certificate:
    """The certificate that `plan` describes, closed with the throw-away `key`: only its to-be-signed part is of use."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(plan.subject.x509_name())
        .issuer_name(plan.issuer.subject)
        .public_key(plan.public_key)
        .serial_number(plan.serial)
        .not_valid_before(plan.not_before)
        .not_valid_after(plan.not_after)
    )
    for value, critical in _extensions(plan):
        builder = builder.add_extension(value, critical=critical)
    digest = plan.issuer.algorithm.digest.hazmat
    assert isinstance(digest, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)  # noqa: S101 - narrows for mypy
    return builder.sign(key, digest)


def key_identifier(public_key: PublicKey) -> bytes:
    """Subject key identifier by RFC 5280 section 4.2.1.2 method 1, the one every implementation expects; SHA-1 protects nothing here."""
    return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def public_key_sha256(public_key: PublicKey) -> bytes:
    """SHA-256 of the DER SubjectPublicKeyInfo."""
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def _extensions(plan: Plan) -> list[tuple[x509.ExtensionType, bool]]:
    """(extension, critical) in the order in which they stand in the certificate."""
    profile, made = plan.profile, list[tuple[x509.ExtensionType, bool]]()
    if profile.is_ca:
        made.append((x509.BasicConstraints(ca=True, path_length=profile.path_length), True))
    made.append((_key_usage(profile.key_usage), True))
    if profile.extended_key_usage:
        usages = [x509.ObjectIdentifier(usage) for usage in profile.extended_key_usage]
        made.append((x509.ExtendedKeyUsage(usages), profile.extended_key_usage_critical))
    made.append((x509.AuthorityKeyIdentifier(plan.issuer.key_identifier, None, None), False))
    made.append((x509.SubjectKeyIdentifier(key_identifier(plan.public_key)), False))
    if profile.policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(policy), None) for policy in profile.policies]
        made.append((x509.CertificatePolicies(policies), False))
    made.extend(_pointers(plan))
    if profile.semantics is not Semantics.NONE:
        made.append((x509.UnrecognizedExtension(QC_STATEMENTS, qc_statements(plan)), False))
    if profile.ocsp_nocheck:
        made.append((x509.OCSPNoCheck(), False))
    return made


def _pointers(plan: Plan) -> list[tuple[x509.ExtensionType, bool]]:
    """Authority information access and CRL distribution point."""
    profile, urls, made = plan.profile, plan.urls, list[tuple[x509.ExtensionType, bool]]()
    access = []
    if profile.ocsp:
        access.append(x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, _uri(urls.ocsp)))
    if profile.ca_issuers:
        issuer_url = urls.certificate(plan.issuer.name)
        access.append(x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, _uri(issuer_url)))
    if access:
        made.append((x509.AuthorityInformationAccess(access), False))
    if profile.crl:
        crl = urls.crl(plan.issuer.name, shard_of(plan.serial, plan.crl_shards))
        made.append((x509.CRLDistributionPoints([x509.DistributionPoint([_uri(crl)], None, None, None)]), False))
    return made


def _key_usage(names: tuple[str, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digitalSignature" in names,
        content_commitment="nonRepudiation" in names,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign="keyCertSign" in names,
        crl_sign="cRLSign" in names,
        encipher_only=False,
        decipher_only=False,
    )


def _uri(value: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(value)


def qc_statements(plan: Plan) -> bytes:
    """DER QCStatements with one statement: how the subject's identifier is to be read (EN 319 412-1 clause 5).

    A local scheme, whose third character is a colon, also names its registration authority by URI (clause 5.1.3).
    """
    local = plan.subject.serial_number if plan.profile.semantics is Semantics.NATURAL else plan.subject.organization_identifier
    information = asn1.encode_der(SEMANTICS[plan.profile.semantics])
    if local is not None and is_local(local):
        information += element(SEQUENCE, element(_URI, plan.urls.name_registration.encode("ascii")))
    statement = asn1.encode_der(PKIX_QC_SYNTAX_V2) + element(SEQUENCE, information)
    return element(SEQUENCE, element(SEQUENCE, statement))
