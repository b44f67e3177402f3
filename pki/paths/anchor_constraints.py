"""What a trust anchor is trusted for, beyond what its own certificate says (RFC 5914 section 2.6, RFC 5937): set by whoever trusts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pki.paths.chain_errors import CertificateRole, ConstraintError, ExpiredError, NotYetValidError, PurposeError
from pki.paths.key_purpose import KeyPurpose
from pki.structures.certificate import Certificate

COUNTRY, ORGANIZATION_IDENTIFIER = "2.5.4.6", "2.5.4.97"


@dataclass(frozen=True)
class AnchorConstraints:
    """Each member narrows; None or an empty set leaves open, but for `purposes`, of which none means trusted for nothing."""

    purposes: frozenset[KeyPurpose] = frozenset({KeyPurpose.DOCUMENT_SIGNING})
    """What its certificates may be used for. Its CRLs and OCSP answers about them count in any case."""
    policies: frozenset[str] = frozenset()
    """Dotted certificate policy OIDs of which the whole path must uphold one."""
    countries: frozenset[str] = frozenset()
    """The subject's country, two capital letters."""
    organizations: tuple[str, ...] = ()
    """Beginnings of the subject's organizationIdentifier, such as "NTRVN-" or a whole one."""
    path_length: int | None = None
    """CA certificates below the anchor; 0 for none."""
    trusted_from: datetime | None = None
    trusted_until: datetime | None = None
    """At the moment that a certificate is judged at: a signature proven to be older stays good (aware UTC)."""

    def check(self, path: Sequence[Certificate], *, policies: frozenset[str], purpose: KeyPurpose, at: datetime) -> None:
        """`path` is valid, leaf first, without the anchor. Raises leaves of :class:`pki.paths.chain_errors.ChainError`."""
        if purpose in _VOUCHING:
            return
        if purpose not in self.purposes:
            raise PurposeError(f"its authority is not trusted for {purpose.value.name}")
        if self.path_length is not None and len(path) - 1 > self.path_length:
            raise ConstraintError(f"{len(path) - 1} authorities below the trusted one, of which {self.path_length} are trusted")
        if self.policies and not self.policies & policies:
            raise ConstraintError("the certificate upholds none of the policies that its authority is trusted for")
        self._check_subject(path[0])
        self.check_time(at)

    def check_time(self, at: datetime) -> None:
        """Raises :class:`pki.paths.chain_errors.NotYetValidError` or ExpiredError."""
        since, until = self.trusted_from or _EARLIEST, self.trusted_until or _LATEST
        if at < since:
            text = f"its authority is trusted from {since.isoformat()}, and this is judged at {at.isoformat()}"
            raise NotYetValidError(text, role=CertificateRole.ANCHOR, not_before=since, not_after=until)
        if at > until:
            text = f"its authority was trusted until {until.isoformat()}, and this is judged at {at.isoformat()}"
            raise ExpiredError(text, role=CertificateRole.ANCHOR, not_before=since, not_after=until)

    def _check_subject(self, leaf: Certificate) -> None:
        if self.countries and not _one_of(_values(leaf, COUNTRY), lambda value: value in {each.casefold() for each in self.countries}):
            allowed = ", ".join(sorted(self.countries))
            raise ConstraintError(f"the certificate's country is none of those that its authority is trusted for ({allowed})")
        beginnings = tuple(each.casefold() for each in self.organizations)
        if beginnings and not _one_of(_values(leaf, ORGANIZATION_IDENTIFIER), lambda value: value.startswith(beginnings)):
            raise ConstraintError("the certificate's organizationIdentifier is none of those that its authority is trusted for")


_VOUCHING = frozenset({KeyPurpose.CRL_SIGNING, KeyPurpose.OCSP_SIGNING})
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _values(certificate: Certificate, oid: str) -> list[str]:
    """The attribute's values as comparable text; "" for one that is no text."""
    return [value if isinstance(value, str) else "" for relative in certificate.subject for kind, value in relative if kind == oid]


def _one_of(values: Sequence[str], fits: Callable[[str], bool]) -> bool:
    """Exactly one value, and it fits: two would let two readers see two subjects."""
    return len(values) == 1 and fits(values[0])
