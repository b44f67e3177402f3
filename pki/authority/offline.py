"""An authority whose key is elsewhere: its certificate and its newest revocation list, brought here by hand.

A root is best kept so. The house publishes its list and puts it beside signatures; to revoke, its own home has to be opened
(`eduseal ceremony crl`) and the new list brought here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from pki.errors import PkiError

READ_LIMIT = 1024 * 1024  # octets; a root's list has a few hundred


class OfflineAuthorityError(PkiError):
    """What is asked for needs a key that is not in this home."""


class ImportedCrlError(PkiError):
    """A revocation list that was brought here is not what it should be."""


@dataclass(frozen=True)
class OfflineAuthority:
    """The counterpart of :class:`pki.issuing.issue.Authority` without a key. `read_crl` gives the DER of the newest list at each call."""

    name: str
    certificate_der: bytes = field(repr=False)
    read_crl: Callable[[], bytes] = field(repr=False)
    crl_shards: int = 1

    def revoke(self, serial: int, reason: str = "unspecified") -> None:
        """Always raises :class:`OfflineAuthorityError`."""
        raise OfflineAuthorityError(
            f"certificate {serial:x} ({reason}): the key of {self.name} is not in this home; revoke it in the home of {self.name}"
            " (eduseal ceremony crl --revoke) and bring the new list here"
        )


class ImportedCrls:
    """The one list of an offline authority, where a :class:`pki.status.crl.CrlSigner` would make one."""

    def __init__(self, authority: OfflineAuthority) -> None:
        self._authority = authority
        self.issuer = authority.name
        self.issuer_certificate_der = authority.certificate_der
        self.shards = authority.crl_shards

    def crl(self, shard: int) -> bytes:
        """The list as it was brought, in date or not: whoever relies on it judges that. Raises :class:`ImportedCrlError`."""
        if shard != 0:
            raise ImportedCrlError(f"CRL of {self.issuer}: shard {shard} is outside 0-0")
        der = self._authority.read_crl()
        check_imported_crl(der, self.issuer_certificate_der, issuer=self.issuer)
        return der


def check_imported_crl(
    der: bytes, issuer_certificate_der: bytes, *, issuer: str, after: bytes | None = None, at: datetime | None = None
) -> x509.CertificateRevocationList:
    """A complete list of `issuer`, signed under its key. Raises :class:`ImportedCrlError`.

    `after` is the list that it is to replace, whose number it must exceed or equal; `at` a moment (aware UTC) at which it must be in date.
    """
    crl, certificate = _read(der, issuer), x509.load_der_x509_certificate(issuer_certificate_der)
    key = certificate.public_key()
    if crl.issuer.public_bytes() != certificate.subject.public_bytes() or not crl.is_signature_valid(key):  # type: ignore[arg-type]  # a CA's key signs
        raise ImportedCrlError(f"CRL of {issuer}: it is not signed under the key in the certificate of {issuer}")
    confined = [each.oid.dotted_string for each in crl.extensions if each.critical]
    if confined or crl.next_update_utc is None:
        raise ImportedCrlError(f"CRL of {issuer}: it is partial, or names no next update; expected a complete list")
    if at is not None and not crl.last_update_utc <= at <= crl.next_update_utc:
        dates = f"{crl.last_update_utc:%Y-%m-%d %H:%M} to {crl.next_update_utc:%Y-%m-%d %H:%M} UTC"
        raise ImportedCrlError(f"CRL of {issuer}: it holds from {dates}, which is not now; make a new one in the home of {issuer}")
    if after is not None and _number(crl, issuer) < _number(_read(after, issuer), issuer):
        raise ImportedCrlError(f"CRL of {issuer}: it is older than the one that stands here; nothing was changed")
    return crl


def _read(der: bytes, issuer: str) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(der)
    except ValueError as exc:
        raise ImportedCrlError(f"CRL of {issuer}: not a DER CertificateList") from exc


def _number(crl: x509.CertificateRevocationList, issuer: str) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (x509.ExtensionNotFound, ValueError) as exc:
        raise ImportedCrlError(f"CRL of {issuer}: it bears no number") from exc
