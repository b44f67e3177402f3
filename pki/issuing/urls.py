"""Where the authority publishes: the URLs baked into certificates, which outlive every server and so must be a name, not a machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pki.errors import PkiError

_BASE = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~\-]+)*")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True)
class AuthorityUrls:
    """URLs under one `base` without a trailing slash, such as http://pki.school.example.

    Plain http is usual: what is published is signed, and fetching it over https would need a certificate to check a certificate
    (RFC 5280 section 8).
    """

    base: str

    def __post_init__(self) -> None:
        if not _BASE.fullmatch(self.base):
            raise PkiError(f"base URL: got {self.base!r}, expected http://host or https://host without a trailing slash")

    def certificate(self, issuer: str) -> str:
        """AIA caIssuers: the issuer's own certificate, DER (RFC 5280 section 4.2.2.1)."""
        return f"{self.base}/ca/{_name(issuer)}.cer"

    def crl(self, issuer: str, shard: int) -> str:
        """CRL distribution point of one shard; the same URL stands in that CRL's issuing distribution point."""
        return f"{self.base}/crl/{_name(issuer)}/{shard}.crl"

    @property
    def ocsp(self) -> str:
        return f"{self.base}/ocsp"

    @property
    def name_registration(self) -> str:
        """The name registration authority of local identifier schemes (EN 319 412-1 clause 5.1.3)."""
        return f"{self.base}/ca/identifiers"


def shard_of(serial: int, shards: int) -> int:
    """The CRL shard, 0 to `shards` - 1, that a serial number belongs to."""
    return serial % shards


def _name(issuer: str) -> str:
    if not _NAME.fullmatch(issuer):
        raise PkiError(f"issuer name: got {issuer!r}, expected lower-case letters, digits, dots and hyphens")
    return issuer
