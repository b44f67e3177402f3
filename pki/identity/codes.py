"""Personal identity codes: the one way in. A code is checked against its scheme and the roster before anyone gets a certificate.

>>> from datetime import date
>>> from pki.identity.codes import PersonFacts, check
>>> check("vn-pid", "001204000001", facts=PersonFacts(birth_date=date(2004, 5, 1), sex="male"))
IdentityCode(scheme='vn-pid', warnings=())
>>> check("vn-pid", "001204000001", facts=PersonFacts(birth_date=date(2004, 5, 1), sex="female"))
Traceback (most recent call last):
...
pki.identity.schemes.scheme.IdentityError: identity code (vn-pid): sex differs from the roster's; correct the one that is wrong
"""

from __future__ import annotations

from collections.abc import Mapping

from pki.identity.identifiers import check_organization_identifier
from pki.identity.schemes.china import ChinaResidentNumber, ChinaStudentNumber
from pki.identity.schemes.generic import GenericIdentifier
from pki.identity.schemes.scheme import (
    INCONSISTENT,
    IdentityCode,
    IdentityError,
    IdentityReason,
    IdentityWarning,
    PersonFacts,
    Scheme,
    refuse,
)
from pki.identity.schemes.vietnam import VietnamPersonalNumber

__all__ = [
    "INCONSISTENT",
    "SCHEMES",
    "IdentityCode",
    "IdentityError",
    "IdentityReason",
    "IdentityWarning",
    "PersonFacts",
    "Scheme",
    "check",
    "check_organization_identifier",
]

SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme for scheme in (VietnamPersonalNumber(), ChinaResidentNumber(), ChinaStudentNumber(), GenericIdentifier())
}

MAX_CODE = 64  # characters, as much as an X.520 serialNumber holds


def check(scheme: str, code: str | None, *, facts: PersonFacts) -> IdentityCode:
    """The code as its scheme accepts it; raises :class:`IdentityError` with its reason.

    White space is dropped and letters are upper-cased; digits of other scripts are not taken for digits. Not checked: whether the
    number was ever given to anyone, nor to whom.
    """
    known = SCHEMES.get(scheme)
    if known is None:
        text = f"expected one of {', '.join(SCHEMES)}"
        raise refuse("scheme unknown", IdentityReason.UNKNOWN_SCHEME, text)
    canonical = "".join((code or "").split()).upper()
    if not canonical:
        raise refuse(scheme, IdentityReason.MISSING, "there is none; nobody gets a certificate without one")
    if len(canonical) > MAX_CODE:
        raise refuse(scheme, IdentityReason.MALFORMED, f"longer than {MAX_CODE} characters")
    return known.check(canonical, facts)
