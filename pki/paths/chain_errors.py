"""Why a certificate is not accepted: one error for each kind of reason, all of them :class:`ChainError`.

Texts name a certificate by its place in the path and its serial number, never by its subject, which may hold a personal code.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pki.errors import PkiError


class ChainFailure(StrEnum):
    """The kind of reason, for whoever maps it to the sub-indications of ETSI EN 319 102-1."""

    MALFORMED = "MALFORMED"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    CONSTRAINT = "CONSTRAINT"
    PURPOSE = "PURPOSE"
    SIGNATURE = "SIGNATURE"
    ALGORITHM = "ALGORITHM"
    LIMIT = "LIMIT"


class CertificateRole(StrEnum):
    """Where in the path a certificate stands."""

    LEAF = "leaf"
    CA = "CA"
    ANCHOR = "trust anchor"


class ChainError(PkiError):
    """Base: no path from the certificate to a trust anchor is valid for the purpose at the time."""

    reason: ChainFailure = ChainFailure.NO_CERTIFICATE_CHAIN_FOUND


class MalformedCertificateError(ChainError):
    """The certificate itself is not one that this house reads."""

    reason = ChainFailure.MALFORMED


class NoPathError(ChainError):
    """No chain of names leads from the certificate to a trust anchor."""

    reason = ChainFailure.NO_CERTIFICATE_CHAIN_FOUND


class PathSignatureError(ChainError):
    """A certificate bears its issuer's name, but not its signature."""

    reason = ChainFailure.SIGNATURE


class AlgorithmError(ChainError):
    """A certificate in the path is signed with, or holds a key of, an algorithm that the policy does not accept at that time."""

    reason = ChainFailure.ALGORITHM


class ConstraintError(ChainError):
    """A certificate in the path is not an authority, oversteps a constraint set above it, or bears an unknown critical extension."""

    reason = ChainFailure.CONSTRAINT


class PurposeError(ChainError):
    """The certificate, or an authority above it, is not for this purpose."""

    reason = ChainFailure.PURPOSE


class PathLimitError(ChainError):
    """The search for a path was given up at a named limit: whether there is one is unknown."""

    reason = ChainFailure.LIMIT


class ValidityError(ChainError):
    """Base of the two errors of time; everything else about the path is right.

    `role` says whether it is the leaf, an authority or the trust anchor; `not_before` and `not_after` are that certificate's, aware UTC.
    """

    def __init__(self, message: str, *, role: CertificateRole, not_before: datetime, not_after: datetime) -> None:
        super().__init__(message)
        self.role = role
        self.not_before = not_before
        self.not_after = not_after


class ExpiredError(ValidityError):
    """A certificate of an otherwise valid path had expired."""

    reason = ChainFailure.EXPIRED


class NotYetValidError(ValidityError):
    """A certificate of an otherwise valid path was not valid yet."""

    reason = ChainFailure.NOT_YET_VALID
