"""Certificates that signatures carry along, remembered by their octets: thousands of documents share a few signers and one TSA.

Only what follows from the octets is remembered. Whether a certificate is trusted, valid or revoked is asked anew for each document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat import asn1

from pki.structures.algorithm_policy import MODERN
from pki.structures.cms import signing_certificate_v2
from signing.trust.subject import Subject, subject_of

MAX_REMEMBERED = 1_024  # certificates, with their keys
MAX_SHORT = 8 * 1024  # octets of one that is remembered: 8 MiB of octets at most; honest ones have one to three thousand


@dataclass(frozen=True, eq=False)
class CarriedCertificate:
    """A certificate that a CMS carries, and what is asked of it each time that it comes by."""

    der: bytes
    certificate: x509.Certificate
    issuer_der: bytes

    @cached_property
    def serial_number(self) -> int:
        return self.certificate.serial_number

    @cached_property
    def subject(self) -> Subject:
        return subject_of(self.certificate)

    @cached_property
    def ess_der(self) -> bytes:
        """The one value of the signing-certificate-v2 attribute by which nearly everybody names it."""
        (value,) = signing_certificate_v2(self.der).values.as_list()
        return asn1.encode_der(value)

    @cached_property
    def strong_key(self) -> object:
        """The public key, of an accepted kind and size; raises UnsupportedAlgorithmError, or what `cryptography` raises."""
        key = self.certificate.public_key()
        MODERN.check_key(key)
        return key


def carried(der: bytes) -> CarriedCertificate | None:
    """The certificate that `der` is; None where it is none that can be read."""
    return _remembered(der) if len(der) <= MAX_SHORT else _read(der)


def _read(der: bytes) -> CarriedCertificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return CarriedCertificate(der, certificate, certificate.issuer.public_bytes())
    except (ValueError, TypeError, x509.InvalidVersion):  # TypeError: a name whose values are of a kind that names do not have
        return None  # attribute certificates and the like: of no use to a verifier, and not in themselves a fault


_remembered = lru_cache(maxsize=MAX_REMEMBERED)(_read)
