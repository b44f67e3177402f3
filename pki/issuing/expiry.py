"""Certificates that end soon, and which notice of it is due.

A notice is raised once for each threshold that a certificate passes; where it has passed several since anybody looked, for the tightest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pki.ports import CertificateEntry

DAY = timedelta(days=1)
OWN = "authority/"  # holders of this kind are services of the house (pki.authority.establish)


@dataclass(frozen=True)
class Ending:
    """A certificate in force that ends soon, with no later one of its holder and profile. `school_id` is None for the house's own."""

    entry: CertificateEntry
    school_id: str | None
    noticed: frozenset[int] = frozenset()
    """The thresholds, in days, that a notice was raised for."""

    @property
    def is_own(self) -> bool:
        """Whether it is the authority's own: nobody else will see to it."""
        return self.entry.holder.startswith(OWN)

    def days_left(self, at: datetime) -> int:
        """Whole days, rounded down."""
        return (self.entry.not_after - at) // DAY

    def notice(self, at: datetime, thresholds: Sequence[int]) -> int | None:
        """The threshold that a notice is to be raised for now; None where there is none, or it was raised."""
        passed = [days for days in thresholds if self.entry.not_after - at <= days * DAY]
        if not passed or min(passed) in self.noticed:
            return None
        return min(passed)
