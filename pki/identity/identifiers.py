"""The form of identifiers in names: semantics identifiers of ETSI EN 319 412-1 clauses 5.1.3 (people) and 5.1.4 (legal persons).

A type of three characters, a country, a hyphen, the number: `PNOVN-001204000001`, `NTRVN-0100109106`. A type of two letters and a
colon is a local scheme; the certificate then also names its registration authority.
"""

from __future__ import annotations

import re

from pki.errors import PkiError
from pki.identity.countries import COUNTRIES

# EN 319 412-1 V1.5.1: passport, national identity card, national personal number, tax identification number
_PERSON = re.compile(r"(PAS|IDC|PNO|TIN|[A-Z]{2}:)([A-Z]{2})-([A-Za-z0-9][A-Za-z0-9./-]{0,57})")
# national trade register, VAT number
_ORGANIZATION = re.compile(r"(NTR|VAT|[A-Z]{2}:)([A-Z]{2})-([A-Za-z0-9][A-Za-z0-9./-]{0,57})")


class IdentifierError(PkiError):
    """An identifier is not of the form that EN 319 412-1 gives it."""


def check_person_identifier(text: str) -> str:
    """`text` if it is a natural person's identifier; raises :class:`IdentifierError`, whose message does not hold `text`."""
    found = _PERSON.fullmatch(text)
    if found is None or found[2] not in COUNTRIES:
        raise IdentifierError("person identifier: expected PAS, IDC, PNO or TIN, a country and a number, such as PNOVN- and 12 digits")
    return text


def check_organization_identifier(text: str) -> str:
    """`text` if it is an organizationIdentifier; raises :class:`IdentifierError`. Public, so the message shows it."""
    found = _ORGANIZATION.fullmatch(text)
    if found is None or found[2] not in COUNTRIES:
        shown = repr(text[:80])
        raise IdentifierError(
            f"organization identifier: got {shown}, expected NTR or VAT, a country and a number, such as NTRVN-0100109106"
        )
    return text


def is_local(identifier: str) -> bool:
    """Whether the identifier's scheme is a local one, whose registration authority must be named."""
    return identifier[2:3] == ":"
