"""Holds what a ceremony made against its file, field by field. It shares no code with what makes certificates.

The order, which the code repeats:

1. subject and issuer names
2. the key's curve
3. validity: begins when it was made, lasts as long as the file says or, for certificates between roots, as long as both do
4. what a certificate of its profile may do: CA, path length, key usages, policies
5. key identifiers
6. addresses: under the file's base URL
7. its signature, under the issuer's key
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.ceremony.plan import CROSS, CeremonyPlan, CertificatePlan
from pki.errors import PkiError
from pki.registration.ca_request import CaRequest
from pki.structures.relations import is_issued_by

CHECKED = ("names", "key", "validity", "usage", "key identifiers", "addresses", "signature")

_PATH_LENGTH = {"root": 1, CROSS: 1, "issuing": 0}
_POLICIES: Mapping[str, list[str]] = {"root": [], CROSS: ["2.5.29.32.0"], "issuing": ["2.5.29.32.0"]}
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384"}
_SECOND = timedelta(seconds=1)


class CeremonyError(PkiError):
    """A ceremony cannot be held as its file says."""


class CeremonyMismatchError(PkiError):
    """What was made is not what the ceremony's file says; the message names certificate and field."""


def check_certificate(
    plan: CeremonyPlan, wanted: CertificatePlan, der: bytes, issuer_der: bytes, *, subject_der: bytes | None = None
) -> None:
    """Raises :class:`CeremonyMismatchError`. `subject_der`: the subject's own certificate, where `wanted` is one between roots."""
    try:
        certificate, issuer = x509.load_der_x509_certificate(der), x509.load_der_x509_certificate(issuer_der)
        _names(plan, wanted, certificate, issuer)
        _key(plan, wanted, certificate, subject_der)
        _validity(wanted, certificate, issuer)
        _usage(wanted, certificate)
        _identifiers(wanted, certificate, issuer)
        _addresses(plan, wanted, certificate)
        _expect(wanted, "signature", is_issued_by(certificate, issuer))
    except (ValueError, x509.ExtensionNotFound, x509.InvalidVersion) as exc:
        raise CeremonyMismatchError(f"certificate {wanted.title}: a field that it must have is missing or cannot be read") from exc


def check_request(plan: CeremonyPlan, wanted: CertificatePlan, request: CaRequest) -> None:
    """The request's name and curve; its proof of possession was verified in reading. Raises :class:`CeremonyMismatchError`."""
    key = plan.key(wanted.subject)
    _expect(wanted, "subject of the request", request.subject == plan.subject(wanted))
    _expect(wanted, "curve of the request", key is not None and _curve(request.public_key) == key.curve)


def _expect(wanted: CertificatePlan, field: str, holds: bool) -> None:
    if not holds:
        raise CeremonyMismatchError(f"certificate {wanted.title}: {field} is not what the ceremony's file says")


def _curve(key: object) -> str | None:
    return _CURVES.get(key.curve.name) if isinstance(key, ec.EllipticCurvePublicKey) else None


def _names(plan: CeremonyPlan, wanted: CertificatePlan, certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """1."""
    _expect(wanted, "subject", certificate.subject.public_bytes() == plan.subject(wanted).x509_name().public_bytes())
    _expect(wanted, "issuer", certificate.issuer.public_bytes() == issuer.subject.public_bytes())


def _key(plan: CeremonyPlan, wanted: CertificatePlan, certificate: x509.Certificate, subject_der: bytes | None) -> None:
    """2. Between roots: the very key of the root that is certified."""
    key = plan.key(wanted.subject)
    if key is not None:
        _expect(wanted, "curve of the key", _curve(certificate.public_key()) == key.curve)
    if subject_der is not None:
        own = x509.load_der_x509_certificate(subject_der)
        _expect(wanted, "key", own.public_key() == certificate.public_key())


def _validity(wanted: CertificatePlan, certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """3. Both ends are inclusive (RFC 5280 section 4.1.2.5)."""
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc + _SECOND
    cut = wanted.profile == CROSS and certificate.not_valid_after_utc <= issuer.not_valid_after_utc and lasts <= wanted.validity
    _expect(wanted, "validity", lasts == wanted.validity or cut)
    within = (
        issuer.not_valid_before_utc <= certificate.not_valid_before_utc and certificate.not_valid_after_utc <= issuer.not_valid_after_utc
    )
    _expect(wanted, "validity within the issuer's", within)


def _usage(wanted: CertificatePlan, certificate: x509.Certificate) -> None:
    """4. Basic constraints and key usage are critical."""
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    _expect(wanted, "basic constraints", constraints.critical and constraints.value.ca)
    _expect(wanted, "path length", constraints.value.path_length == _PATH_LENGTH[wanted.profile])
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    named = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    asserted = [name for name in named if getattr(usage.value, name)]
    _expect(wanted, "key usage", usage.critical and asserted == ["key_cert_sign", "crl_sign"])
    held = [each.value for each in certificate.extensions if isinstance(each.value, x509.CertificatePolicies)]
    policies = [policy.policy_identifier.dotted_string for value in held for policy in value]
    _expect(wanted, "policies", policies == list(_POLICIES[wanted.profile]))
    _expect(wanted, "version", certificate.version is x509.Version.v3 and 0 < certificate.serial_number < 1 << 159)


def _identifiers(wanted: CertificatePlan, certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """5. SHA-1 of the key's octets (RFC 5280 section 4.2.1.2, method 1), the subject's and the issuer's."""
    own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    above = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    _expect(wanted, "subject key identifier", own == _identifier(certificate))
    _expect(wanted, "authority key identifier", above == _identifier(issuer))


def _identifier(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        octets = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        octets = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def _addresses(plan: CeremonyPlan, wanted: CertificatePlan, certificate: x509.Certificate) -> None:
    """6. A root names none; the others say where their issuer and its list are found."""
    found = list(_urls(certificate))
    base = f"{plan.base_url}/"
    _expect(wanted, "addresses", bool(found) == (wanted.profile != "root") and all(url.startswith(base) for url in found))
    names = {urlsplit(url).path.rsplit("/", 2)[-2 if url.endswith(".crl") else -1].removesuffix(".cer") for url in found}
    _expect(wanted, "issuer's addresses", names <= {wanted.issuer})


def _urls(certificate: x509.Certificate) -> list[str]:
    found: list[str] = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.AuthorityInformationAccess):
            found += [access.access_location.value for access in extension.value]
        elif isinstance(extension.value, x509.CRLDistributionPoints):
            found += [name.value for point in extension.value for name in point.full_name or ()]
    return found
