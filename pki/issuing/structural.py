"""The structural lint: every to-be-signed certificate is read back and compared with its plan, field by field.

It is written against the parsed certificate and shares no code with :mod:`pki.issuing.tbs` beyond the plan, so that a slip in building
shows. The order, which the code repeats:

1. version, serial number, signature algorithm, issuer
2. validity
3. subject, as text and as attribute types
4. public key
5. the set of extensions and their criticality
6. usages and constraints
7. key identifiers and pointers
8. statements
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from pki.errors import IssuanceError, PkiError
from pki.identity.subject import OIDS
from pki.issuing.profile import Semantics
from pki.issuing.structural_asn1 import Extension, Head, PublicKeyInfo, Statements
from pki.issuing.tbs import Plan
from pki.structures.der import element, signed_structure

MAX_SERIAL = (1 << 159) - 1  # RFC 5280 4.1.2.2 allows 20 octets; 159 bits leave room for the sign bit

MAX_KINDS = 4096  # sets of extensions that are remembered: profiles times CRL shards times forms of identifier, and their octets

Extensions = Mapping[x509.ObjectIdentifier, x509.Extension[x509.ExtensionType]]

_USAGE_FLAGS = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
_SEMANTICS_OIDS = {Semantics.NATURAL: "0.4.0.194121.1.1", Semantics.LEGAL: "0.4.0.194121.1.2"}  # EN 319 412-1 clause 5
_URI = 0x86  # uniformResourceIdentifier [6] IMPLICIT IA5String
_UTF8, _PRINTABLE = b"\x0c", b"\x13"
_STRINGS = {"country": _PRINTABLE, "serial_number": _PRINTABLE}  # X.520; all others are UTF8String
_SUBJECT_KEY_IDENTIFIER = bytes.fromhex("301d0603551d0e04160414")  # Extension, not critical, around 20 octets
_QC_SYNTAX_V2 = "1.3.6.1.5.5.7.11.2"
_QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
_OCSP_NOCHECK = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.5")


# what `cryptography` lets out on certificates that are none
_UNREADABLE = (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension)


class StructureError(IssuanceError):
    """A to-be-signed certificate differs from its plan; the message names the field, not a personal value."""


class Seen:
    """Sets of extensions that were found right before, octet for octet, by what they have to fit. One issuer's press keeps one.

    What every certificate of a kind has in common is then compared as octets; its subject key identifier is looked at each time.
    """

    def __init__(self) -> None:
        self._known: set[tuple[object, ...]] = set()

    def has(self, kind: tuple[object, ...]) -> bool:
        return kind in self._known

    def add(self, kind: tuple[object, ...]) -> None:
        if len(self._known) < MAX_KINDS:
            self._known.add(kind)


def check_structure(tbs_der: bytes, plan: Plan, seen: Seen | None = None) -> None:
    """Raises :class:`StructureError` unless `tbs_der` says exactly what `plan` asks for."""
    try:
        _compare(tbs_der, plan, seen or Seen())
    except StructureError:
        raise
    except PkiError as exc:
        raise StructureError(f"to-be-signed certificate: {exc}") from exc
    except _UNREADABLE as exc:
        raise StructureError(f"to-be-signed certificate: cannot be read back ({type(exc).__name__})") from exc


def _compare(tbs_der: bytes, plan: Plan, seen: Seen) -> None:
    head = asn1.decode_der(Head, tbs_der)
    _head(head, plan)
    _subject(head, plan)
    # an empty signature closes the structure for the parser; nothing here looks at it
    certificate = x509.load_der_x509_certificate(signed_structure(tbs_der, plan.issuer.algorithm.identifier_der, b"\x00"))
    _expect("encoding", certificate.tbs_certificate_bytes == tbs_der)
    _validity(certificate, plan)
    _public_key(head, plan)
    elements = [asn1.encode_der(der) for der in head.extensions]
    kind = _kind(elements, plan)
    if kind is not None and seen.has(kind):
        return
    extensions = {extension.oid: extension for extension in certificate.extensions}
    _extension_set(extensions, plan)
    _canonical(elements, extensions)
    _usages(certificate.extensions, plan)
    _identifiers(certificate.extensions, plan)
    _statements(extensions, plan)
    if kind is not None:
        seen.add(kind)


def _kind(elements: list[bytes], plan: Plan) -> tuple[object, ...] | None:
    """All that 5 to 8 look at, where the subject key identifier is as it must be; None where it is not."""
    identifier = _SUBJECT_KEY_IDENTIFIER + _method_1(plan.spki_der)
    if elements.count(identifier) != 1:
        return None
    issuer, others = plan.issuer, tuple(each if each != identifier else b"" for each in elements)
    fixed = (issuer.name, issuer.key_identifier, plan.urls.base, plan.crl_shards, plan.serial % plan.crl_shards)
    return (plan.profile, *fixed, _named_authority(plan), others)


def _expect(field: str, holds: bool) -> None:
    if not holds:
        raise StructureError(f"to-be-signed certificate: {field} is not what the profile and request ask for")


def _head(head: Head, plan: Plan) -> None:
    """1. Version, serial number, algorithm, issuer: a DER name, not a look-alike."""
    _expect("version", head.version == 2)
    _expect("serial number", head.serial == plan.serial and 0 < plan.serial <= MAX_SERIAL)
    _expect("signature algorithm", asn1.encode_der(head.signature) == plan.issuer.algorithm.identifier_der)
    _expect("issuer", asn1.encode_der(head.issuer) == plan.issuer.subject_der)


def _validity(certificate: x509.Certificate, plan: Plan) -> None:
    """2. Both ends as planned, no longer than the profile grants, within the issuer's own life."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    _expect("validity", (start, end) == (plan.not_before, plan.not_after))
    _expect("validity period", plan.not_before < plan.not_after < plan.not_before + plan.profile.validity)
    _expect("validity within the issuer's", plan.issuer.not_before <= start and end <= plan.issuer.not_after)


def _subject(head: Head, plan: Plan) -> None:
    """3. The subject: one attribute to an RDN, each of its type and string type, octet for octet, in order.

    Before anything else reads it: `cryptography` warns on names that it finds odd.
    """
    found = [[(each.type, each.value.tag_bytes, bytes(each.value.data)) for each in part.as_list()] for part in head.subject]
    expected = [[(OIDS[name], _STRINGS.get(name, _UTF8), value.encode())] for name, value in plan.subject.items()]
    _expect("subject encoding", found == expected)


def _public_key(head: Head, plan: Plan) -> None:
    """4. The key that was asked for, octet for octet (a point has two spellings), of a kind that the profile allows."""
    _expect("public key", asn1.encode_der(head.public_key) == plan.spki_der)
    plan.profile.check_key(plan.public_key)


def _extension_set(extensions: Extensions, plan: Plan) -> None:
    """5. Exactly these extensions, each as critical as it must be."""
    profile = plan.profile
    expected = {ExtensionOID.KEY_USAGE: True, ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False, ExtensionOID.SUBJECT_KEY_IDENTIFIER: False}
    optional = (
        (profile.is_ca, ExtensionOID.BASIC_CONSTRAINTS, True),
        (bool(profile.extended_key_usage), ExtensionOID.EXTENDED_KEY_USAGE, profile.extended_key_usage_critical),
        (bool(profile.policies), ExtensionOID.CERTIFICATE_POLICIES, False),
        (profile.ca_issuers or profile.ocsp, ExtensionOID.AUTHORITY_INFORMATION_ACCESS, False),
        (profile.crl, ExtensionOID.CRL_DISTRIBUTION_POINTS, False),
        (profile.semantics is not Semantics.NONE, _QC_STATEMENTS, False),
        (profile.ocsp_nocheck, _OCSP_NOCHECK, False),
    )
    expected.update({oid: critical for present, oid, critical in optional if present})
    _expect("set of extensions", {oid: extension.critical for oid, extension in extensions.items()} == expected)


def _canonical(elements: list[bytes], extensions: Extensions) -> None:
    """5, continued. Each value is the one DER spelling of what was read (unused bits and default values included)."""
    for der in elements:
        found = asn1.decode_der(Extension, der)
        _expect("extension encoding", extensions[found.id].value.public_bytes() == found.value)


def _usages(extensions: x509.Extensions, plan: Plan) -> None:
    """6. Key usage bit by bit, extended key usage, policies and constraints, in order."""
    profile = plan.profile
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    asserted = {name for name, flag in _USAGE_FLAGS.items() if getattr(usage, flag)}
    _expect("key usage", asserted == set(profile.key_usage))
    if profile.is_ca:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        _expect("basic constraints", constraints.ca and constraints.path_length == profile.path_length)
    if profile.extended_key_usage:
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        _expect("extended key usage", [oid.dotted_string for oid in usages] == list(profile.extended_key_usage))
    if profile.policies:
        policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
        _expect("policies", [policy.policy_identifier.dotted_string for policy in policies] == list(profile.policies))
        _expect("policy qualifiers", all(policy.policy_qualifiers is None for policy in policies))


def _identifiers(extensions: x509.Extensions, plan: Plan) -> None:
    """7. Key identifiers, where to ask for status, and which CRL shard the serial number falls into."""
    profile = plan.profile
    authority = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    _expect("authority key identifier", authority.key_identifier == plan.issuer.key_identifier)
    _expect("authority key identifier form", authority.authority_cert_issuer is None and authority.authority_cert_serial_number is None)
    _expect(
        "subject key identifier", extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest == _method_1(plan.spki_der)
    )
    base, uri = plan.urls.base, x509.UniformResourceIdentifier
    wanted = [(AuthorityInformationAccessOID.OCSP, uri(f"{base}/ocsp"))] if profile.ocsp else []
    if profile.ca_issuers:
        wanted.append((AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{base}/ca/{plan.issuer.name}.cer")))
    if wanted:
        access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        _expect("authority information access", [(part.access_method, part.access_location) for part in access] == wanted)
    if profile.crl:
        (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        shard = plan.serial % plan.crl_shards
        _expect("CRL distribution point", point.full_name == [uri(f"{base}/crl/{plan.issuer.name}/{shard}.crl")])
        _expect("CRL distribution point form", point.reasons is None and point.crl_issuer is None)


def _method_1(spki_der: bytes) -> bytes:
    """RFC 5280 section 4.2.1.2 (1): SHA-1 of the subjectPublicKey octets."""
    return hashlib.sha1(asn1.decode_der(PublicKeyInfo, spki_der).key.as_bytes(), usedforsecurity=False).digest()


def _statements(extensions: Extensions, plan: Plan) -> None:
    """8. The semantics identifier, with a registration authority exactly where the scheme is local; nothing else is claimed."""
    semantics = plan.profile.semantics
    if semantics is Semantics.NONE:
        return
    value = extensions[_QC_STATEMENTS].value.public_bytes()
    # one statement and no other: QcCompliance, above all, is never claimed
    statement = asn1.decode_der(Statements, value).only
    information = statement.information
    _expect("statement", statement.id.dotted_string == _QC_SYNTAX_V2)
    _expect("semantics identifier", information.identifier.dotted_string == _SEMANTICS_OIDS[semantics])
    named = [asn1.encode_der(authority) for authority in information.authorities or ()]
    url = f"{plan.urls.base}/ca/identifiers".encode()
    wanted = [element(_URI, url)] if _named_authority(plan) else []
    _expect("name registration authority", named == wanted)


def _named_authority(plan: Plan) -> bool:
    """Whether the identifier's scheme is local, so that the statement names its registration authority (EN 319 412-1 clause 5.1.3)."""
    natural = plan.profile.semantics is Semantics.NATURAL
    identifier = (plan.subject.serial_number if natural else plan.subject.organization_identifier) or ""
    return identifier[2:3] == ":"
