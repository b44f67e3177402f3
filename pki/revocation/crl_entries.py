"""The entries of a revocation list, and the extensions that they and the list carry (RFC 5280 sections 5.2 and 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.asn1 import GeneralizedTime

from pki.errors import EncodingError
from pki.structures.names import DistinguishedName, general_names
from pki.structures.x509_asn1 import Elements, Extension, RevokedCertificates, read, read_list

MAX_ENTRIES_READ = 500_000  # entries looked at one by one, where a critical entry extension or an indirect list asks for it

CERTIFICATE_ISSUER = "2.5.29.29"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"

_UNDERSTOOD = frozenset({CERTIFICATE_ISSUER, REASON_CODE, INVALIDITY_DATE})

REASONS = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "unused",
    "removeFromCRL",
    "privilegeWithdrawn",
    "aACompromise",
)
"""CRLReason by number (RFC 5280 section 5.3.1)."""


@dataclass(frozen=True)
class Entry:
    """One revoked certificate. `issuer` is whom the certificate is from, the list's own issuer unless the list is indirect."""

    serial_number: int
    issuer: DistinguishedName
    revoked_at: datetime
    reason: str | None
    invalid_since: datetime | None


def entries_by_certificate(revoked_der: bytes, *, issuer: DistinguishedName, indirect: bool) -> dict[tuple[int, DistinguishedName], Entry]:
    """All entries of `revokedCertificates` by serial number and issuer; raises :class:`pki.errors.EncodingError`.

    `issuer` is the list's own. In an `indirect` list an entry may name another, which holds for those after it (RFC 5280 section 5.3.3).
    """
    if not revoked_der:
        return {}
    found = read_list(RevokedCertificates, revoked_der, "revokedCertificates").items
    if len(found) > MAX_ENTRIES_READ:
        raise EncodingError(f"CRL: {len(found)} entries, more than the {MAX_ENTRIES_READ} that are read")
    entries = {}
    for item in found:
        extensions = by_oid(item.extensions or [], _UNDERSTOOD, "CRL entry")
        if extensions.unknown_critical:
            raise EncodingError(f"CRL entry: critical extension {extensions.unknown_critical} is not understood")
        if CERTIFICATE_ISSUER in extensions.values:
            if not indirect:
                raise EncodingError("CRL entry: a certificateIssuer in a list that is not indirect")
            issuer = _certificate_issuer(extensions.values[CERTIFICATE_ISSUER])
        entry = Entry(
            serial_number=item.serial_number,
            issuer=issuer,
            revoked_at=item.revocation_date.as_datetime(),
            reason=_reason(extensions.values.get(REASON_CODE)),
            invalid_since=time_in(extensions.values.get(INVALIDITY_DATE)),
        )
        entries[(item.serial_number, issuer)] = entry
    return entries


@dataclass(frozen=True)
class ExtensionValues:
    """DER by OID; `unknown_critical` names an extension not understood."""

    values: dict[str, bytes]
    unknown_critical: str | None


def by_oid(found: list[Extension], understood: frozenset[str], what: str) -> ExtensionValues:
    values: dict[str, bytes] = {}
    unknown = None
    for extension in found:
        oid = extension.extn_id.dotted_string
        if oid in values:
            raise EncodingError(f"{what}: extension {oid} stands twice")
        values[oid] = extension.extn_value
        if extension.critical and oid not in understood:
            unknown = oid
    return ExtensionValues(values, unknown)


def time_in(der: bytes | None) -> datetime | None:
    return None if der is None else read(GeneralizedTime, der, "GeneralizedTime").as_datetime()


def _reason(der: bytes | None) -> str | None:
    if der is None:
        return None
    if len(der) != 3 or der[:2] != b"\x0a\x01" or der[2] >= len(REASONS):
        raise EncodingError("CRL entry: reasonCode is not a CRLReason")
    return REASONS[der[2]]


def _certificate_issuer(der: bytes) -> DistinguishedName:
    names = general_names(read_list(Elements, der, "certificateIssuer").items, "certificateIssuer")
    for name in names:
        if isinstance(name.value, tuple):
            return name.value
    raise EncodingError("certificateIssuer: no directory name")
