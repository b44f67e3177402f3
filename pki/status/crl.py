"""Certificate revocation lists, sharded by serial number (RFC 5280 section 5).

Shard `n` of `m` holds the revoked certificates whose serial mod `m` is `n`. Its URL, baked into each certificate's CRL distribution point,
stands again in the list's critical issuingDistributionPoint, so that one shard cannot be passed off as another. An undivided
list (one shard, as the root's) covers every certificate and has no such extension: openssl applies it to the root too, which names no
distribution point. Entries stay after expiry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit, GeneralizedTime, UTCTime

from pki.errors import PkiError
from pki.issuing.urls import AuthorityUrls, shard_of
from pki.ports import Clock, RevocationBooks, RevokedEntry
from pki.structures.algorithms import SigningKey
from pki.structures.cms import tlv
from pki.structures.der import signed_structure
from pki.structures.relations import check_key
from pki.structures.tsp import Extension

OID = x509.ObjectIdentifier

DEFAULT_VALIDITY = timedelta(days=7)  # docs/cps.md 2.2
EXPIRED_CERTS_ON_CRL = OID("2.5.29.60")  # X.509 (2019) clause 9.5.2.8
FIRST_GENERALIZED_YEAR = 2050  # RFC 5280 section 5.1.2.4: UTCTime through 2049

# RFC 5280 section 5.3.1, by the names the books keep; without removeFromCRL, which belongs on delta lists alone
REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}


@asn1.sequence
class RevokedCertificate:
    user_certificate: int
    revocation_date: UTCTime | GeneralizedTime
    crl_entry_extensions: list[Extension] | None


@asn1.sequence
class TBSCertList:
    version: int
    signature: TLV
    issuer: TLV
    this_update: UTCTime | GeneralizedTime
    next_update: UTCTime | GeneralizedTime
    revoked_certificates: list[RevokedCertificate] | None
    crl_extensions: Annotated[list[Extension], Explicit(0)]


def reason_number(name: str | None) -> int | None:
    """The CRLReason of a reason's name; None where it is unspecified, which RFC 5280 section 5.3.1 wants left out. Raises PkiError."""
    if name is not None and name not in REASONS:
        raise PkiError(f"revocation reason {name!r} is not one of {', '.join(REASONS)}")
    return REASONS[name] or None if name is not None else None


def build_crl(
    *,
    issuer: str,
    issuer_certificate_der: bytes,
    key: SigningKey,
    entries: Iterable[RevokedEntry],
    number: int,
    this_update: datetime,
    next_update: datetime,
    shard: int,
    shards: int,
    base_url: str,
) -> bytes:
    """A DER CertificateList of the revoked `entries` of one shard of `issuer`, the authority's name in the books.

    Times are aware UTC, taken to the second. Raises :class:`pki.errors.PkiError` where an entry belongs to another issuer or shard, is not
    revoked, or where the key is not the issuer's.
    """
    certificate = x509.load_der_x509_certificate(issuer_certificate_der)
    check_key(certificate, key, f"CRL of {issuer}")
    revoked = [_revoked(entry, issuer, shard, shards) for entry in entries]
    tbs = asn1.encode_der(
        TBSCertList(
            version=1,
            signature=tlv(key.algorithm.identifier_der),
            issuer=tlv(certificate.subject.public_bytes()),
            this_update=_time(this_update),
            next_update=_time(next_update),
            revoked_certificates=revoked or None,  # RFC 5280 section 5.1.2.6: absent where there are none
            crl_extensions=_extensions(certificate, number, AuthorityUrls(base_url).crl(issuer, shard) if shards > 1 else None),
        )
    )
    return signed_structure(tbs, key.algorithm.identifier_der, key.sign(tbs))


@dataclass(frozen=True)
class MadeCrl:
    """A new list, DER, with what it says of itself. Times are aware UTC in whole seconds."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime


class CrlSigner:
    """Makes the current list of any shard of one issuer from the authority's books."""

    def __init__(
        self,
        *,
        issuer: str,
        issuer_certificate_der: bytes,
        key: SigningKey,
        store: RevocationBooks,
        clock: Clock,
        shards: int,
        base_url: str,
        validity: timedelta = DEFAULT_VALIDITY,
    ) -> None:
        self.issuer = issuer
        self.issuer_certificate_der = issuer_certificate_der
        self.shards = shards
        self._key = key
        self._store = store
        self._clock = clock
        self._base_url = base_url
        self._validity = validity

    def crl(self, shard: int) -> bytes:
        """The octets of :meth:`make`."""
        return self.make(shard).der

    def make(self, shard: int) -> MadeCrl:
        """A new list, numbered one higher than the last; raises :class:`pki.errors.PkiError` where there is no such shard."""
        if not 0 <= shard < self.shards:
            raise PkiError(f"CRL of {self.issuer}: shard {shard} is outside 0-{self.shards - 1}")
        number = self._store.next_crl_number(self.issuer, shard=shard)  # before the entries: of two lists the higher number knows more
        this_update = self._clock().astimezone(UTC).replace(microsecond=0)
        next_update = this_update + self._validity
        der = build_crl(
            issuer=self.issuer,
            issuer_certificate_der=self.issuer_certificate_der,
            key=self._key,
            entries=self._store.revoked(self.issuer, shard=shard, shards=self.shards),
            number=number,
            this_update=this_update,
            next_update=next_update,
            shard=shard,
            shards=self.shards,
            base_url=self._base_url,
        )
        return MadeCrl(der, number, this_update, next_update)


def _revoked(entry: RevokedEntry, issuer: str, shard: int, shards: int) -> RevokedCertificate:
    if entry.issuer != issuer or shard_of(entry.serial, shards) != shard:
        raise PkiError(f"CRL of {issuer}, shard {shard} of {shards}: certificate {entry.serial:x} of {entry.issuer} does not belong on it")
    if entry.revoked_at is None:
        raise PkiError(f"CRL of {issuer}: certificate {entry.serial:x} is not revoked")
    reason = _reason_extensions(entry.revocation_reason)
    return RevokedCertificate(user_certificate=entry.serial, revocation_date=_time(entry.revoked_at), crl_entry_extensions=reason)


@cache  # as many as there are reasons, for 50,000 entries
def _reason_extensions(name: str | None) -> list[Extension] | None:
    number = reason_number(name)
    return None if number is None else [Extension(extn_id=x509.CRLReason.oid, critical=False, extn_value=bytes((0x0A, 1, number)))]


def _extensions(issuer: x509.Certificate, number: int, url: str | None) -> list[Extension]:
    """`url` is the distribution point that the list is confined to; None for an undivided list, which covers every certificate."""
    since = asn1.encode_der(GeneralizedTime(issuer.not_valid_before_utc))
    return [
        _extension(_authority_key_identifier(issuer)),
        _extension(x509.CRLNumber(number)),
        *([_extension(_issuing_distribution_point(url), critical=True)] if url else []),
        Extension(extn_id=EXPIRED_CERTS_ON_CRL, critical=False, extn_value=since),
    ]


def _issuing_distribution_point(url: str) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def _authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        subject_key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        subject_key = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)


def _extension(value: x509.ExtensionType, *, critical: bool = False) -> Extension:
    return Extension(extn_id=value.oid, critical=critical, extn_value=value.public_bytes())


def _time(moment: datetime) -> UTCTime | GeneralizedTime:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    if moment.microsecond:
        moment = moment.replace(microsecond=0)
    return UTCTime(moment) if moment.year < FIRST_GENERALIZED_YEAR else GeneralizedTime(moment)
