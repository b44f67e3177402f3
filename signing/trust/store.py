"""What the caller trusts and what it brings along.

Nothing here looks for trust by itself: no file that merely lies there counts (attack class 44).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from pki.paths.anchor_constraints import AnchorConstraints
from signing.errors import PolicyError

MAX_EVIDENCE_FILE = 64 * 1024 * 1024  # octets; a CRL of a million entries has about 51 MB


@dataclass(frozen=True)
class NamedAnchor:
    """A trusted certificate and where the caller named it."""

    certificate_der: bytes
    source: str
    constraints: AnchorConstraints | None = None
    """What it is trusted for, where it is another authority than one's own."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hexadecimal."""
        return hashlib.sha256(self.certificate_der).hexdigest()

    @property
    def name(self) -> str:
        """The subject's common name."""
        found = x509.load_der_x509_certificate(self.certificate_der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(found[0].value) if found else "(no common name)"


@dataclass(frozen=True)
class Registered:
    """What another authority's certificate counts for in the books: a role, for one school, from `since` until `until` (aware UTC)."""

    role: str
    school: str
    """The school's organizationIdentifier."""
    since: datetime
    until: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class TrustStore:
    """The anchors of one verification. An empty one trusts nobody: every signature is then INDETERMINATE at best."""

    anchors: tuple[NamedAnchor, ...] = ()
    registered: Mapping[str, Registered] = field(default_factory=dict)
    """By the certificate's fingerprint, SHA-256 in lower-case hexadecimal: other authorities' certificates that the books know."""

    @classmethod
    def read(cls, files: Iterable[tuple[str, bytes]]) -> TrustStore:
        """From (file name, PEM or DER octets); raises :class:`PolicyError` naming the file. One anchor per distinct certificate."""
        anchors: dict[bytes, NamedAnchor] = {}
        for source, data in files:
            for der in read_certificates(data, source=source):
                anchors.setdefault(der, NamedAnchor(der, source))
        return cls(tuple(anchors.values()))


def read_certificates(data: bytes, *, source: str) -> tuple[bytes, ...]:
    """Every certificate in PEM or DER octets, as DER; raises :class:`PolicyError` where there is none."""
    try:
        found = x509.load_pem_x509_certificates(data) if b"-----BEGIN" in data else [x509.load_der_x509_certificate(data)]
    except (ValueError, x509.InvalidVersion) as exc:
        raise PolicyError(f"{source}: holds no certificate; expected PEM or DER") from exc
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


@dataclass(frozen=True)
class Supplied:
    """Certificates, CRLs and OCSP responses (whole OCSPResponse structures) of the caller's, DER. Proven by their signatures only."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, files: Iterable[tuple[str, bytes]]) -> Supplied:
        """From (file name, PEM or DER octets) of whatever kind; raises :class:`PolicyError` naming the file that is none of them."""
        certificates: list[bytes] = []
        crls: list[bytes] = []
        ocsps: list[bytes] = []
        for source, data in files:
            if len(data) > MAX_EVIDENCE_FILE:
                raise PolicyError(f"{source}: {len(data)} octets, more than the {MAX_EVIDENCE_FILE} that are read as evidence")
            if b"-----BEGIN X509 CRL" in data:
                crls.append(_pem_crl(data, source))
            elif b"-----BEGIN" in data or _is_certificate(data):
                certificates.extend(read_certificates(data, source=source))
            elif _is_crl(data):
                crls.append(data)
            elif _is_ocsp(data):
                ocsps.append(data)
            else:
                raise PolicyError(f"{source}: is no certificate, CRL or OCSP response; expected PEM or DER")
        return cls(tuple(certificates), tuple(crls), tuple(ocsps))

    def as_of(self, at: datetime) -> Supplied:
        """Without what was issued after `at` (aware UTC): a judgement as of a moment ignores what came later."""
        return Supplied(
            tuple(der for der in self.certificates if x509.load_der_x509_certificate(der).not_valid_before_utc <= at),
            tuple(der for der in self.crls if x509.load_der_x509_crl(der).last_update_utc <= at),
            tuple(der for der in self.ocsps if ocsp.load_der_ocsp_response(der).produced_at_utc <= at),
        )


def _pem_crl(data: bytes, source: str) -> bytes:
    try:
        return x509.load_pem_x509_crl(data).public_bytes(Encoding.DER)
    except ValueError as exc:
        raise PolicyError(f"{source}: holds no CRL that can be read") from exc


def _is_certificate(data: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        return False
    return True


def _is_crl(data: bytes) -> bool:
    try:
        x509.load_der_x509_crl(data)
    except ValueError:
        return False
    return True


def _is_ocsp(data: bytes) -> bool:
    try:
        return ocsp.load_der_ocsp_response(data).response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    except ValueError:
        return False
