"""What signing and verifying ask of the outside. Implemented by `pki` (in process), `db` and remote services; passed in as arguments."""

from __future__ import annotations

from typing import Protocol

from pki.ports import TimeStamper
from signing.verdict import RecordStatus

__all__ = ["RecordBook", "TimeStamper", "ValidationDataSource"]


class ValidationDataSource(Protocol):
    """Where a B-LT signature gets its revocation data."""

    def gather(self, certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
        """For DER `certificates` (signers' and time stamps', leaf and issuers): (certificates, CRLs, OCSP responses), all DER,

        that prove each of them unrevoked now. OCSP responses are whole OCSPResponse structures.
        """
        ...


class RecordBook(Protocol):
    """The school's books: what has become of a record's version."""

    def status(self, record_id: str, version: int) -> RecordStatus | None:
        """None where the record is not known here."""
        ...
