"""A certificate revocation list as evidence: read strictly, bounded, its entries only where they are asked for (RFC 5280 section 5).

Nothing here is trusted yet: :mod:`pki.revocation.crl_check` looks at signature, scope and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, GeneralizedTime, UTCTime

from pki.errors import EncodingError
from pki.revocation.crl_entries import Entry, by_oid, entries_by_certificate, time_in
from pki.structures.der import split_signed
from pki.structures.extensions import PointName, point_name
from pki.structures.names import DistinguishedName, distinguished_name
from pki.structures.x509_asn1 import (
    AuthorityKeyIdentifier,
    Extension,
    ExtensionList,
    IssuingDistributionPoint,
    bits,
    members,
    read,
    read_list,
)

MAX_CRL = 16 * 1024 * 1024  # octets; about 300,000 entries of 51 octets

ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
DELTA_CRL_INDICATOR = "2.5.29.27"
CRL_NUMBER = "2.5.29.20"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXPIRED_CERTS_ON_CRL = "2.5.29.60"

_LIST_EXTENSIONS = frozenset(
    {ISSUING_DISTRIBUTION_POINT, DELTA_CRL_INDICATOR, CRL_NUMBER, AUTHORITY_KEY_IDENTIFIER, EXPIRED_CERTS_ON_CRL, "2.5.29.46"}
)
_TRUE = b"\x01\x01\xff"  # BOOLEAN TRUE: in each critical extension, and in no list of entries without one but by chance


@dataclass(frozen=True)
class Scope:
    """An issuingDistributionPoint; `reasons` are ReasonFlags bit numbers, None for all."""

    point: PointName | None = None
    only_users: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    indirect: bool = False
    reasons: frozenset[int] | None = None


@dataclass(frozen=True, eq=False)
class Crl:
    """Times are aware UTC; `delta_base` is the BaseCRLNumber of a delta CRL. `unknown_critical` names an extension not understood."""

    der: bytes
    tbs_der: bytes
    signature_algorithm_der: bytes
    signature: bytes
    issuer: DistinguishedName
    this_update: datetime
    next_update: datetime | None
    number: int | None
    delta_base: int | None
    scope: Scope
    scope_der: bytes | None
    authority_key_identifier: bytes | None
    expired_since: datetime | None
    unknown_critical: str | None
    revoked_der: bytes

    def entry(self, serial_number: int, issuer: DistinguishedName) -> Entry | None:
        """The entry for a certificate; raises :class:`pki.errors.EncodingError` for entries that are malformed or not understood.

        Octets that do not occur in the list cannot be an entry: most questions end there, without reading 50,000 entries.
        """
        if asn1.encode_der(serial_number) not in self.revoked_der and not self._has_critical_entries:
            return None
        return self._entries.get((serial_number, issuer))

    @cached_property
    def _has_critical_entries(self) -> bool:
        return _TRUE in self.revoked_der

    @cached_property
    def _entries(self) -> dict[tuple[int, DistinguishedName], Entry]:
        return entries_by_certificate(self.revoked_der, issuer=self.issuer, indirect=self.scope.indirect)


def load_crl(der: bytes) -> Crl:
    """Reads a DER CertificateList; raises :class:`pki.errors.EncodingError` naming what is wrong."""
    if len(der) > MAX_CRL:
        raise EncodingError(f"CRL: {len(der)} octets, more than the {MAX_CRL} that are read")
    parts = split_signed(der)
    fields = _Fields(members(bytes(read(TLV, parts.tbs_der, "CRL").data), "CRL"))
    fields.optional(b"\x02")
    if fields.required(b"\x30", "signature") != parts.algorithm_der:
        raise EncodingError("CRL: the signature algorithm inside the signed part is not the one outside it")
    issuer = distinguished_name(fields.required(b"\x30", "issuer"))
    this_update, next_update = fields.time(), fields.time()
    if this_update is None:
        raise EncodingError("CRL: no thisUpdate")
    revoked_der = fields.optional(b"\x30")
    tail = fields.optional(b"\xa0")
    fields.end()
    extensions = by_oid(_list_extensions(tail), _LIST_EXTENSIONS, "CRL")
    values = extensions.values
    identifier = values.get(AUTHORITY_KEY_IDENTIFIER)
    return Crl(
        der=der,
        tbs_der=parts.tbs_der,
        signature_algorithm_der=parts.algorithm_der,
        signature=parts.signature,
        issuer=issuer,
        this_update=this_update,
        next_update=next_update,
        number=_number(values.get(CRL_NUMBER), "cRLNumber"),
        delta_base=_number(values.get(DELTA_CRL_INDICATOR), "deltaCRLIndicator"),
        scope=_scope(values.get(ISSUING_DISTRIBUTION_POINT)),
        scope_der=values.get(ISSUING_DISTRIBUTION_POINT),
        authority_key_identifier=read(AuthorityKeyIdentifier, identifier, "authorityKeyIdentifier").key_identifier if identifier else None,
        expired_since=time_in(values.get(EXPIRED_CERTS_ON_CRL)),
        unknown_critical=extensions.unknown_critical,
        revoked_der=revoked_der or b"",
    )


def _list_extensions(tail: bytes | None) -> list[Extension]:
    if tail is None:
        return []
    inner = members(bytes(read(TLV, tail, "crlExtensions").data), "crlExtensions")
    if len(inner) != 1:
        raise EncodingError(f"crlExtensions: {len(inner)} elements, expected one SEQUENCE")
    return read_list(ExtensionList, asn1.encode_der(inner[0]), "crlExtensions").items


def _number(der: bytes | None, what: str) -> int | None:
    return None if der is None else read(int, der, what)


def _scope(der: bytes | None) -> Scope:
    if der is None:
        return Scope()
    found = read(IssuingDistributionPoint, der, "issuingDistributionPoint")
    scope = Scope(
        point=point_name(found.distribution_point),
        only_users=bool(found.only_contains_user_certs),
        only_authorities=bool(found.only_contains_ca_certs),
        only_attributes=bool(found.only_contains_attribute_certs),
        indirect=bool(found.indirect_crl),
        reasons=bits(found.only_some_reasons),
    )
    if scope.only_users + scope.only_authorities + scope.only_attributes > 1:
        raise EncodingError("issuingDistributionPoint: confined to more than one kind of certificate")
    return scope


class _Fields:
    """The fields of a TBSCertList in order. Read by hand, so that a long list of entries stays one slice of octets."""

    def __init__(self, items: list[TLV]) -> None:
        self._items = items
        self._place = 0

    def optional(self, tag: bytes) -> bytes | None:
        if self._place < len(self._items) and self._items[self._place].tag_bytes == tag:
            self._place += 1
            return asn1.encode_der(self._items[self._place - 1])
        return None

    def required(self, tag: bytes, what: str) -> bytes:
        found = self.optional(tag)
        if found is None:
            raise EncodingError(f"CRL: no {what} where one is expected")
        return found

    def time(self) -> datetime | None:
        utc = self.optional(b"\x17")
        if utc is not None:
            return read(UTCTime, utc, "CRL time").as_datetime()
        general = self.optional(b"\x18")
        return None if general is None else read(GeneralizedTime, general, "CRL time").as_datetime()

    def end(self) -> None:
        if self._place != len(self._items):
            raise EncodingError("CRL: a field that is not expected")
