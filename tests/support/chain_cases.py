"""Certificates, CRLs and OCSP responses of every wrong kind: what our own authority would refuse to issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import GeneralizedTime, Null, Variant
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pki.paths.chain import KeyPurpose, TrustAnchor, ValidatedPath, validate_path
from pki.structures.algorithms import ECDSA_SHA256
from pki.structures.cert_id import cert_id, key_hash
from pki.structures.certificate import Certificate, load_certificate
from pki.structures.der import SEQUENCE, element, signed_structure
from pki.structures.ocsp_asn1 import OCSP_BASIC, RevokedInfo, SingleResponse
from pki.structures.tsp import Extension

AT = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
TIME_STAMPING = x509.ExtendedKeyUsageOID.TIME_STAMPING
OCSP_SIGNING = x509.ExtendedKeyUsageOID.OCSP_SIGNING
SERVER_AUTH = x509.ExtendedKeyUsageOID.SERVER_AUTH

_serials = count(1000)
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def name(common_name: str, **others: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    attributes += [x509.NameAttribute(getattr(NameOID, kind.upper()), value) for kind, value in others.items()]
    return x509.Name(attributes)


def key_usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in wanted for usage in _KEY_USAGES})


def eku(*purposes: ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(list(purposes))


def unknown(oid: str = "1.3.6.1.4.1.32473.99") -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(ObjectIdentifier(oid), b"\x05\x00")


@dataclass
class Node:
    """A certificate with its key, able to certify others."""

    certificate: x509.Certificate
    key: Any
    issuer: Node | None = field(default=None, repr=False)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def parsed(self) -> Certificate:
        return load_certificate(self.der)

    @property
    def anchor(self) -> TrustAnchor:
        return TrustAnchor(self.der)

    def ca(self, common_name: str = "Issuing CA", *, path_length: int | None = None, **kwargs: Any) -> Node:
        kwargs.setdefault("usage", ("key_cert_sign", "crl_sign"))
        return self.issue(common_name, basic=x509.BasicConstraints(ca=True, path_length=path_length), **kwargs)

    def issue(self, common_name: str = "Teacher", **kwargs: Any) -> Node:
        """See :func:`certificate`; `subject_key` reuses a key, `signing_key` and `issuer_name` forge."""
        return certificate(common_name, issuer=self, **kwargs)


def certificate(
    common_name: str,
    *,
    issuer: Node | None,
    basic: x509.BasicConstraints | None = None,
    usage: Sequence[str] | None = ("content_commitment",),
    extended: Sequence[ObjectIdentifier] = (),
    extended_critical: bool = False,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    subject: x509.Name | None = None,
    issuer_name: x509.Name | None = None,
    subject_key: Any = None,
    signing_key: Any = None,
    start: datetime = AT - YEAR,
    end: datetime = AT + YEAR,
    serial: int | None = None,
    digest: hashes.HashAlgorithm | None = None,
    identifiers: bool = True,
) -> Node:
    """A certificate under `issuer`, or self-signed. Everything may be overridden; nothing is checked."""
    key = subject_key or ec.generate_private_key(ec.SECP256R1())
    subject = subject or name(common_name)
    signer = signing_key or (issuer.key if issuer else key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name or (issuer.certificate.subject if issuer else subject))
        .public_key(key.public_key())
        .serial_number(serial or next(_serials))
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if basic is not None:
        builder = builder.add_extension(basic, critical=True)
    if usage is not None:
        builder = builder.add_extension(key_usage(*usage), critical=True)
    if extended:
        builder = builder.add_extension(eku(*extended), critical=extended_critical)
    if identifiers:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Node(builder.sign(signer, digest or hashes.SHA256()), key, issuer)


def root(common_name: str = "Root CA", *, path_length: int | None = None, **kwargs: Any) -> Node:
    kwargs.setdefault("usage", ("key_cert_sign", "crl_sign"))
    return certificate(common_name, issuer=None, basic=x509.BasicConstraints(ca=True, path_length=path_length), **kwargs)


def path_of(leaf: Node, *above: Node, at: datetime = AT, purpose: KeyPurpose = KeyPurpose.DOCUMENT_SIGNING, **kwargs: Any) -> ValidatedPath:
    """Validates `leaf`; the last of `above` is the trust anchor, the others are offered as intermediates."""
    *between, top = above
    return validate_path(leaf.der, intermediates=[node.der for node in between], anchors=[top.anchor], at=at, purpose=purpose, **kwargs)


@dataclass(frozen=True)
class Revoked:
    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None
    invalid_since: datetime | None = None
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()


def crl(
    issuer: Node,
    revoked: Sequence[Revoked] = (),
    *,
    this_update: datetime = AT,
    next_update: datetime | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signing_key: Any = None,
    issuer_name: x509.Name | None = None,
    number: int | None = 1,
) -> bytes:
    """A CRL of `issuer`, current for a week from `this_update` unless said otherwise."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer_name or issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update or this_update + 7 * DAY)
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for item in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(item.serial).revocation_date(item.at)
        if item.reason is not None:
            entry = entry.add_extension(x509.CRLReason(item.reason), critical=False)
        if item.invalid_since is not None:
            entry = entry.add_extension(x509.InvalidityDate(item.invalid_since), critical=False)
        for extension, critical in item.extensions:
            entry = entry.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signing_key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def revoking(node: Node, at: datetime, reason: x509.ReasonFlags | None = None, **kwargs: Any) -> Revoked:
    return Revoked(node.certificate.serial_number, at, reason, **kwargs)


def scope(**given: Any) -> tuple[x509.IssuingDistributionPoint, bool]:
    """A critical issuingDistributionPoint extension."""
    fields: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | given)), True


def answer(
    about: Node,
    issuer: Node,
    *,
    signer: Node | None = None,
    state: str = "good",
    this_update: datetime = AT,
    next_update: datetime | None = None,
    produced_at: datetime | None = None,
    revoked_at: datetime | None = None,
    reason: int | None = None,
    certificates: Sequence[Node] | None = None,
    extensions: Sequence[Extension] = (),
    single_extensions: Sequence[Extension] = (),
    by_name: bool = False,
    signing_key: Any = None,
    status: int = 0,
    basic: bool = False,
) -> bytes:
    """An OCSPResponse about `about`, signed by `issuer` itself or by the responder `signer`, whose certificate goes in.

    Put together by hand: the builder of `cryptography` takes producedAt from the wall clock. `basic` leaves the outer wrapping away.
    """
    by = signer or issuer
    revoked = RevokedInfo.at(GeneralizedTime(revoked_at or this_update), reason)
    statuses: dict[str, Any] = {
        "good": Variant(Null(), "good"),
        "revoked": Variant(revoked, "revoked"),
        "unknown": Variant(Null(), "unknown"),
    }
    single = SingleResponse(
        cert_id=cert_id(about.certificate, issuer.certificate),
        cert_status=statuses[state],
        this_update=GeneralizedTime(this_update),
        next_update=GeneralizedTime(next_update or this_update + DAY),
        single_extensions=list(single_extensions) or None,
    )
    responder_id = element(0xA1, by.parsed.subject_der) if by_name else element(0xA2, asn1.encode_der(key_hash(by.certificate, "sha1")))
    fields = [responder_id, asn1.encode_der(GeneralizedTime(produced_at or this_update)), element(SEQUENCE, asn1.encode_der(single))]
    if extensions:
        fields.append(element(0xA1, element(SEQUENCE, b"".join(asn1.encode_der(item) for item in extensions))))
    tbs = element(SEQUENCE, b"".join(fields))
    inside = certificates if certificates is not None else ([signer] if signer else [])
    trailer = element(0xA0, element(SEQUENCE, b"".join(node.der for node in inside))) if inside else b""
    signature = (signing_key or by.key).sign(tbs, ec.ECDSA(hashes.SHA256()))
    whole = signed_structure(tbs, ECDSA_SHA256.identifier_der, signature, trailer_der=trailer)
    if basic:
        return whole
    if status:
        return element(SEQUENCE, element(0x0A, bytes((status,))))
    inner = element(SEQUENCE, asn1.encode_der(OCSP_BASIC) + element(0x04, whole))
    return element(SEQUENCE, element(0x0A, b"\x00") + element(0xA0, inner))


def responder(issuer: Node, *, nocheck: bool = True, extended: Sequence[ObjectIdentifier] = (OCSP_SIGNING,), **kwargs: Any) -> Node:
    extensions = [(x509.OCSPNoCheck(), False)] if nocheck else []
    kwargs.setdefault("common_name", "OCSP responder")
    return issuer.issue(extended=extended, usage=("digital_signature",), extensions=extensions, **kwargs)
