"""The blocked list: people of the roster who get no certificate, and why. Codes themselves are never shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from records.person import Person


class BlockedReason(StrEnum):
    MISSING_CODE = "MISSING_CODE"
    MALFORMED_CODE = "MALFORMED_CODE"
    INCONSISTENT_CODE = "INCONSISTENT_CODE"
    DUPLICATE_CODE = "DUPLICATE_CODE"


ADVICE = {
    BlockedReason.MISSING_CODE: "has no personal code; enter it once the civil registry has issued one",
    BlockedReason.MALFORMED_CODE: "has a personal code that is not of its scheme's form; check it against the identity card",
    BlockedReason.INCONSISTENT_CODE: "has a personal code that contradicts the birth date or sex given; correct the one that is wrong",
    BlockedReason.DUPLICATE_CODE: "shares a personal code with another person; find whose it is",
}


@dataclass(frozen=True)
class Blocked:
    """One person without a certificate. `file` and `row` (1 is the header line) say where the roster names them."""

    person: Person
    reason: BlockedReason
    file: str
    row: int
    detail: str = ""
    """What the scheme found, without the code, such as "birth year differs"."""

    @property
    def text(self) -> str:
        tail = f" ({self.detail})" if self.detail else ""
        return f"{self.person.id} {ADVICE[self.reason]}{tail}"
