"""A certificate profile: what one kind of certificate says and may say, as a frozen value read from `certs/profiles/*.toml`.

A profile cannot express what this authority must not issue: there is no way to claim QcCompliance, to mark a signer's certificate
for TLS servers, or to leave out the key identifiers. Sources: RFC 5280, EN 319 412-2 and -3 (people, legal persons), RFC 3161
section 2.3 (TSA), RFC 6960 section 4.2.2.2 (OCSP responder).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.identity.commitment import is_commitment_identifier
from pki.identity.subject import OIDS, Subject
from pki.issuing.profile_table import ProfileError, Table
from pki.structures.algorithms import MAX_RSA_BITS, MIN_RSA_BITS

__all__ = ["CertificateProfile", "Identity", "LintKind", "ProfileError", "Semantics", "profiles_from"]

KEY_USAGES = ("digitalSignature", "nonRepudiation", "keyCertSign", "cRLSign")
MAX_VALIDITY_DAYS = 40 * 366
KEY_KINDS = ("P-256", "P-384", "RSA")

DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"  # RFC 9336
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
EXTENDED_KEY_USAGES = (DOCUMENT_SIGNING, EMAIL_PROTECTION, TIME_STAMPING, OCSP_SIGNING)


class Identity(StrEnum):
    """How a certificate names a person's identity code."""

    PLAIN = "plain"
    COMMITMENT = "commitment"
    NONE = "none"


class Semantics(StrEnum):
    """Semantics identifier of EN 319 412-1 clause 5: how the subject's identifier is to be read."""

    NATURAL = "natural"
    LEGAL = "legal"
    NONE = "none"


class LintKind(StrEnum):
    """Which set of pkilint's rules judges the certificate; it has none for CA, TSA and OCSP certificates but RFC 5280's."""

    NATURAL_PERSON = "natural-person"
    LEGAL_PERSON = "legal-person"
    PKIX = "pkix"


@dataclass(frozen=True)
class CertificateProfile:
    """One profile. Authority and subject key identifiers are always present; every other extension is what stands here."""

    name: str
    issuer: str
    validity: timedelta
    lint: LintKind
    required: tuple[str, ...]
    optional: tuple[str, ...]
    identity: Identity
    keys: tuple[str, ...]
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    extended_key_usage_critical: bool
    policies: tuple[str, ...]
    semantics: Semantics
    path_length: int | None
    """None: not a CA."""
    ca_issuers: bool
    ocsp: bool
    crl: bool
    ocsp_nocheck: bool
    ends_with_issuer: bool
    """Cut to the issuer's end where it would outlive it: services of the house. Everybody else's certificate is refused then."""

    @property
    def is_ca(self) -> bool:
        return self.path_length is not None

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> CertificateProfile:
        """From parsed TOML; raises :class:`ProfileError` naming a key that is missing, unknown or out of range."""
        top, subject, extensions = (
            Table(data, "profile"),
            Table(data.get("subject"), "subject"),
            Table(data.get("extensions"), "extensions"),
        )
        days = top.number("validity_days", 1, MAX_VALIDITY_DAYS)
        made = cls(
            name=top.text("name"),
            issuer=top.text("issuer"),
            validity=timedelta(days=days),
            lint=LintKind(top.choice("lint", LintKind)),
            ends_with_issuer=top.flag("ends_with_issuer"),
            keys=top.texts("keys", KEY_KINDS),
            required=subject.texts("required", OIDS),
            optional=subject.texts("optional", OIDS, empty=True),
            identity=Identity(subject.choice("identity", Identity)),
            key_usage=extensions.texts("key_usage", KEY_USAGES),
            extended_key_usage=extensions.texts("extended_key_usage", EXTENDED_KEY_USAGES, empty=True),
            extended_key_usage_critical=extensions.flag("extended_key_usage_critical"),
            policies=extensions.oids("policies"),
            semantics=Semantics(extensions.choice("semantics", Semantics)),
            path_length=extensions.number("path_length", 0, 3) if extensions.has("path_length") else None,
            ca_issuers=extensions.flag("ca_issuers"),
            ocsp=extensions.flag("ocsp"),
            crl=extensions.flag("crl"),
            ocsp_nocheck=extensions.flag("ocsp_nocheck"),
        )
        top.finish("subject", "extensions")
        subject.finish()
        extensions.finish()
        made._check_coherent()
        return made

    def _check_coherent(self) -> None:
        """A CA signs certificates and nothing else does (RFC 5280 section 4.2.1.9); a required attribute is not optional too."""
        if self.is_ca != ("keyCertSign" in self.key_usage):
            raise ProfileError(f"profile {self.name}: path_length and keyCertSign go together")
        if set(self.required) & set(self.optional):
            raise ProfileError(f"profile {self.name}: an attribute is both required and optional")
        if (TIME_STAMPING in self.extended_key_usage) and (len(self.extended_key_usage) > 1 or not self.extended_key_usage_critical):
            raise ProfileError(f"profile {self.name}: timeStamping must be the sole extended key usage, and critical (RFC 3161 2.3)")
        if self.identity is not Identity.NONE and "serial_number" not in self.required:
            raise ProfileError(f"profile {self.name}: identity {self.identity.value} needs serial_number among the required attributes")

    def check_subject(self, subject: Subject) -> None:
        """Raises :class:`ProfileError` unless `subject` has exactly the attributes, and the kind of identifier, that are asked for."""
        present = {name for name, _ in subject.items()}
        missing = [name for name in self.required if name not in present]
        surplus = sorted(present - set(self.required) - set(self.optional))
        if missing:
            raise ProfileError(f"profile {self.name}: the subject lacks {', '.join(missing)}")
        if surplus:
            raise ProfileError(f"profile {self.name}: the subject may not carry {', '.join(surplus)}")
        if self.identity is not Identity.NONE:
            hidden = is_commitment_identifier(subject.serial_number or "")
            if hidden != (self.identity is Identity.COMMITMENT):
                raise ProfileError(f"profile {self.name}: the subject's serial_number is not of kind {self.identity.value}")

    def check_key(self, key: object) -> None:
        """Raises :class:`ProfileError` for a weak key or one of a kind that the profile does not name."""
        kind, detail = _key_kind(key)
        if kind not in self.keys:
            raise ProfileError(f"profile {self.name}: got a {detail} key, expected {' or '.join(self.keys)}")


def _key_kind(key: object) -> tuple[str | None, str]:
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind = {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name)
        return kind, kind or key.curve.name
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        # TS 119 312 clause 6.2.2.1: an odd exponent above 2^16
        sound = MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS and 65537 <= exponent < 1 << 256
        return ("RSA" if sound else None), f"RSA-{key.key_size}" + ("" if exponent == 65537 else " with an unusual exponent")
    return None, type(key).__name__


def profiles_from(mappings: Iterable[Mapping[str, Any]]) -> dict[str, CertificateProfile]:
    """Profiles by name; raises :class:`ProfileError`, also where two bear one name."""
    found: dict[str, CertificateProfile] = {}
    for mapping in mappings:
        profile = CertificateProfile.from_mapping(mapping)
        if profile.name in found:
            raise ProfileError(f"profile {profile.name}: defined twice")
        found[profile.name] = profile
    return found
