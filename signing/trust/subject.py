"""What a verifier reads of a signer's certificate: the subject as issued, the policy OIDs, never what the PDF claims (attack class 22)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from signing.policy import VerificationPolicy
from signing.trust.store import Registered
from signing.verdict import Signer


@dataclass(frozen=True)
class Subject:
    """A certificate's subject. `policies` are dotted certificate policy OIDs; absent members are None."""

    name: str
    organization: str | None
    organization_identifier: str | None
    serial_number: str | None
    policies: frozenset[str]
    certificate_serial: int
    fingerprint: str = ""
    """The certificate's SHA-256, lower-case hexadecimal."""

    def upheld(self, policies: frozenset[str]) -> Subject:
        """With those `policies` alone; this very subject where they are all that it names, as in nearly every good chain."""
        return self if policies == self.policies else replace(self, policies=policies)

    def signer(self, policy: VerificationPolicy, registered: Registered | None = None) -> Signer:
        """`registered`: what the books say of another authority's certificate, whose own words about roles are not ours."""
        return Signer(
            name=self.name,
            role=registered.role if registered else policy.role_of(self.policies),
            organization=self.organization,
            identifier=self.serial_number or self.organization_identifier,
            serial=f"{self.certificate_serial:x}",
        )


def subject_of(certificate: x509.Certificate) -> Subject:
    """Reads `certificate`; members that cannot be read count as absent, which can only cost it entitlement."""
    return Subject(
        name=_only(certificate, NameOID.COMMON_NAME) or _only(certificate, NameOID.PSEUDONYM) or "(no common name)",
        organization=_only(certificate, NameOID.ORGANIZATION_NAME),
        organization_identifier=_only(certificate, NameOID.ORGANIZATION_IDENTIFIER),
        serial_number=_only(certificate, NameOID.SERIAL_NUMBER),
        policies=_policies(certificate),
        certificate_serial=certificate.serial_number,
        fingerprint=certificate.fingerprint(SHA256()).hex(),
    )


def _only(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str | None:
    """The attribute's value; None where it is absent or doubled, since two values would let two readers see two people."""
    try:
        found = certificate.subject.get_attributes_for_oid(kind)
    except (ValueError, TypeError):
        return None
    values = [attribute.value for attribute in found]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _policies(certificate: x509.Certificate) -> frozenset[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return frozenset()
    return frozenset(policy.policy_identifier.dotted_string for policy in extension.value)
