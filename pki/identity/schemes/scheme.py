"""What every scheme of identity codes shares: the facts it checks against, the code it accepts, the reasons it refuses with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from pki.errors import PkiError


class IdentityReason(StrEnum):
    """Why a code is refused."""

    MISSING = "MISSING"
    UNKNOWN_SCHEME = "UNKNOWN_SCHEME"
    MALFORMED = "MALFORMED"
    UNKNOWN_PROVINCE = "UNKNOWN_PROVINCE"
    BAD_DATE = "BAD_DATE"
    BAD_CHECKSUM = "BAD_CHECKSUM"
    BIRTH_YEAR_MISMATCH = "BIRTH_YEAR_MISMATCH"
    BIRTH_DATE_MISMATCH = "BIRTH_DATE_MISMATCH"
    SEX_MISMATCH = "SEX_MISMATCH"


INCONSISTENT = frozenset({IdentityReason.BIRTH_YEAR_MISMATCH, IdentityReason.BIRTH_DATE_MISMATCH, IdentityReason.SEX_MISMATCH})
"""Reasons that say: code and roster contradict each other, either may be wrong."""


class IdentityWarning(StrEnum):
    """What is worth a look but refuses nobody."""

    PLACE_MISMATCH = "PLACE_MISMATCH"
    TEMPORARY_NUMBER = "TEMPORARY_NUMBER"


class IdentityError(PkiError):
    """A personal code is missing, malformed or contradicts the roster. Neither message nor repr ever holds the code."""

    def __init__(self, reason: IdentityReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class PersonFacts:
    """What the roster says of a person. `sex` is "male", "female" or None; `province` a code or name as the scheme lists it, or None."""

    birth_date: date
    sex: str | None = None
    province: str | None = None


@dataclass(frozen=True)
class IdentityCode:
    """A code that its scheme has accepted. `code` is its canonical spelling and stays out of repr."""

    scheme: str
    code: str = field(repr=False)
    semantics_identifier: str = field(repr=False)
    """The subject serialNumber in the form of EN 319 412-1 clause 5.1.3, such as PNOVN- and the number."""
    warnings: tuple[IdentityWarning, ...] = ()


class Scheme(Protocol):
    """One kind of identity code."""

    name: str

    def check(self, code: str, facts: PersonFacts) -> IdentityCode:
        """`code` is trimmed and not empty; raises :class:`IdentityError`."""
        ...


def refuse(scheme: str, reason: IdentityReason, text: str) -> IdentityError:
    """The error to raise; `text` must not hold the code."""
    return IdentityError(reason, f"identity code ({scheme}): {text}")


def check_sex(scheme: str, *, coded: str, facts: PersonFacts) -> None:
    """Raises :class:`IdentityError` where the roster gives a sex and the code gives the other."""
    if facts.sex is not None and facts.sex != coded:
        raise refuse(scheme, IdentityReason.SEX_MISMATCH, "sex differs from the roster's; correct the one that is wrong")


def same_place(said: str | None, *known: str) -> bool:
    """Whether the roster's place is one of a scheme's spellings, or silent. Case, accents' encoding and "TP." aside."""
    return said is None or not said.strip() or _plain(said) in {_plain(name) for name in known}


def _plain(place: str) -> str:
    text = unicodedata.normalize("NFC", place).casefold()
    for title in ("thành phố ", "tỉnh ", "tp. ", "tp "):
        text = text.removeprefix(title)
    return " ".join(text.replace("-", " ").split())
