"""Certificates that signatures carry along, remembered by their octets: thousands of documents share a few signers and one TSA.

Only what follows from the octets is remembered. Whether a certificate is trusted, valid or revoked is asked anew for each document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography import x509

from pki.structures.algorithm_policy import MODERN

MAX_REMEMBERED = 1_024  # certificates, with their keys


@dataclass(frozen=True, eq=False)
class CarriedCertificate:
    """A certificate that a CMS carries, and what is asked of it each time that it comes by."""

    der: bytes
    certificate: x509.Certificate
    issuer_der: bytes

    @cached_property
    def strong_key(self) -> object:
        """The public key, of an accepted kind and size; raises UnsupportedAlgorithmError, or what `cryptography` raises."""
        key = self.certificate.public_key()
        MODERN.check_key(key)
        return key


@lru_cache(maxsize=MAX_REMEMBERED)
def carried(der: bytes) -> CarriedCertificate | None:
    """The certificate that `der` is; None where it is none that can be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return CarriedCertificate(der, certificate, certificate.issuer.public_bytes())
    except (ValueError, TypeError, x509.InvalidVersion):  # TypeError: a name whose values are of a kind that names do not have
        return None  # attribute certificates and the like: of no use to a verifier, and not in themselves a fault
