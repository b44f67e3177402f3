"""A parsed certificate, read strictly and once (RFC 5280 section 4.1).

Parsing decides nothing about trust: :mod:`pki.paths.chain` does. What is parsed is kept by its octets, bounded, so that the same issuer is
not read for each of a thousand documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import EncodingError, UnsupportedAlgorithmError
from pki.structures.der import split_signed
from pki.structures.extensions import Extensions, read_extensions
from pki.structures.names import DistinguishedName, distinguished_name
from pki.structures.x509_asn1 import SubjectPublicKeyInfo, TBSCertificate, read

MAX_CERTIFICATE = 32 * 1024  # octets; the largest honest ones have a few thousand
MAX_PARSED = 1_024  # certificates kept parsed: at most 32 MiB of their octets, twice; more than one document may offer

KEY_CERT_SIGN = 5  # KeyUsage bit numbers, RFC 5280 section 4.2.1.3
CRL_SIGN = 6


@dataclass(frozen=True, eq=False)
class Certificate:
    """A certificate's fields; times are aware UTC. Two certificates are the same when their octets are."""

    der: bytes
    tbs_der: bytes
    signature_algorithm_der: bytes
    signature: bytes
    version: int
    serial_number: int
    issuer_der: bytes
    subject_der: bytes
    issuer: DistinguishedName
    subject: DistinguishedName
    not_before: datetime
    not_after: datetime
    spki_der: bytes
    key_bits_der: bytes
    """The subjectPublicKey BIT STRING's octets: what OCSP and key identifiers hash (RFC 6960 section 4.1.1)."""
    extensions: Extensions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> bytes:
        return sha256(self.der).digest()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hexadecimal."""
        return self.sha256.hex()

    @property
    def serial_hex(self) -> str:
        # hexadecimal: decimal conversion of a hostile serial number raises beyond 4,300 digits
        return f"{self.serial_number:x}"

    @cached_property
    def public_key(self) -> PublicKeyTypes:
        """Raises :class:`pki.errors.UnsupportedAlgorithmError` for a key that is malformed or of an unknown kind."""
        return load_public_key(self.spki_der)

    @property
    def self_issued(self) -> bool:
        """Same subject and issuer, whatever the key (RFC 5280 section 6.1)."""
        return self.subject == self.issuer

    @property
    def is_ca(self) -> bool:
        """Version 3 with basicConstraints cA: a version 1 certificate is never taken for an authority."""
        constraint = self.extensions.basic_constraints
        return self.version == 2 and constraint is not None and constraint.ca

    def may(self, key_usage_bit: int) -> bool:
        """Whether keyUsage allows it; an absent keyUsage allows everything (RFC 5280 section 4.2.1.3)."""
        usage = self.extensions.key_usage
        return usage is None or key_usage_bit in usage


def load_public_key(spki_der: bytes) -> PublicKeyTypes:
    """Raises :class:`pki.errors.UnsupportedAlgorithmError`."""
    try:
        return load_der_public_key(spki_der)
    except (ValueError, TypeError, UnsupportedAlgorithm, NotImplementedError, OverflowError) as exc:
        raise UnsupportedAlgorithmError(f"public key cannot be read ({type(exc).__name__})") from exc


@lru_cache(maxsize=MAX_PARSED)
def load_certificate(der: bytes) -> Certificate:
    """Reads a DER certificate with no octet to spare; raises :class:`pki.errors.EncodingError` naming what is wrong.

    The signature algorithm inside and outside the signed part must be the same octets (RFC 5280 section 4.1.1.2).
    """
    if len(der) > MAX_CERTIFICATE:
        raise EncodingError(f"certificate: {len(der)} octets, more than the {MAX_CERTIFICATE} that are read")
    parts = split_signed(der)
    tbs = read(TBSCertificate, parts.tbs_der, "certificate")
    if asn1.encode_der(tbs.signature) != parts.algorithm_der:
        raise EncodingError("certificate: the signature algorithm inside the signed part is not the one outside it")
    version = tbs.version or 0
    if tbs.extensions is not None and version != 2:
        raise EncodingError(f"certificate: extensions in a version {version + 1} certificate, expected version 3")
    issuer_der, subject_der = asn1.encode_der(tbs.issuer), asn1.encode_der(tbs.subject)
    subject = distinguished_name(subject_der)
    spki_der = asn1.encode_der(tbs.subject_public_key_info)
    return Certificate(
        der=der,
        tbs_der=parts.tbs_der,
        signature_algorithm_der=parts.algorithm_der,
        signature=parts.signature,
        version=version,
        serial_number=tbs.serial_number,
        issuer_der=issuer_der,
        subject_der=subject_der,
        issuer=subject if issuer_der == subject_der else distinguished_name(issuer_der),
        subject=subject,
        not_before=tbs.validity.not_before.as_datetime(),
        not_after=tbs.validity.not_after.as_datetime(),
        spki_der=spki_der,
        key_bits_der=read(SubjectPublicKeyInfo, spki_der, "subjectPublicKeyInfo").subject_public_key.as_bytes(),
        extensions=read_extensions(tbs.extensions or []),
    )
