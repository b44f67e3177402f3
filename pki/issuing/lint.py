"""pkilint in process: a second opinion on a whole certificate (RFC 5280, EN 319 412).

It costs 8.5 ms a certificate, so every profile and shape of name is judged in the tests, a sample at issue time, and every single
certificate structurally (:mod:`pki.issuing.structural`). Importing this module does not import pkilint; the first lint does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pki.errors import EncodingError, IssuanceError
from pki.issuing.profile import LintKind

SAMPLE_RATE = 0.01  # the share of certificates that is linted at issue time; docs/cps.md 4.3
SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL")
GATE = "WARNING"

PKILINT = ("pkilint.loader", "pkilint.etsi", "pkilint.pkix.certificate")
"""Modules that the first lint imports, which takes 0.3 s: for whoever starts processes that will lint."""

# EN 319 412-2 wants publicly reachable URLs. They come from the operator's base URL, one setting for the whole authority: a pilot on an
# intranet or on loopback is not a fault of the one certificate in a hundred that happens to be sampled.
INTERNAL_URLS = frozenset({"etsi.internal_domain_name", "etsi.internal_ip_address"})


class LintError(IssuanceError):
    """pkilint finds fault with a certificate; the message lists its finding codes."""


@dataclass(frozen=True)
class Finding:
    """One finding. pkilint's own message is left out: it quotes names and identity codes."""

    severity: str
    code: str

    @property
    def grave(self) -> bool:
        """At :data:`GATE` or above."""
        return SEVERITIES.index(self.severity) >= SEVERITIES.index(GATE)


def findings(certificate_der: bytes, kind: LintKind) -> tuple[Finding, ...]:
    """Everything that pkilint says of a DER certificate; raises :class:`pki.errors.EncodingError` where it cannot read it."""
    from pkilint import loader

    try:
        certificate = loader.load_certificate(certificate_der, "certificate")
    except ValueError as exc:
        raise EncodingError("certificate: pkilint cannot decode it") from exc
    results = _validator(kind).validate(certificate.root)
    found = [Finding(d.finding.severity.name, d.finding.code) for result in results for d in result.finding_descriptions]
    return tuple(sorted(set(found), key=lambda f: (-SEVERITIES.index(f.severity), f.code)))


def lint(certificate_der: bytes, kind: LintKind, *, waived: frozenset[str] = frozenset()) -> None:
    """Raises :class:`LintError` where pkilint finds anything at WARNING or above, save the codes in `waived`."""
    grave = [finding for finding in findings(certificate_der, kind) if finding.grave and finding.code not in waived]
    if grave:
        raise LintError(f"pkilint: {'; '.join(f'{f.severity} {f.code}' for f in grave)}")


@cache
def _validator(kind: LintKind) -> Any:
    from pkilint import etsi
    from pkilint.etsi import etsi_constants
    from pkilint.pkix import certificate, extension, name

    if kind is LintKind.PKIX:
        decoding = certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS)
        validators = [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ]
        return certificate.create_pkix_certificate_validator_container(decoding, validators)
    types = etsi_constants.CertificateType
    chosen = types.NCP_NATURAL_PERSON_CERTIFICATE if kind is LintKind.NATURAL_PERSON else types.NCP_LEGAL_PERSON_CERTIFICATE
    return certificate.create_pkix_certificate_validator_container(etsi.create_decoding_validators(chosen), etsi.create_validators(chosen))
