"""Any other identity document, written as EN 319 412-1 clause 5.1.3 writes it: PASKR-M12345678 is a Korean passport.

PAS passport, IDC identity card, PNO personal number, TIN tax number; or a local scheme of two letters and a colon, `AB:VN-17`.
Nothing in such a code can be compared with the roster.
"""

from __future__ import annotations

from pki.identity.commitment import SCHEME as COMMITMENT_SCHEME
from pki.identity.identifiers import IdentifierError, check_person_identifier
from pki.identity.schemes.scheme import IdentityCode, IdentityReason, PersonFacts, refuse


class GenericIdentifier:
    name = "generic"

    def check(self, code: str, facts: PersonFacts) -> IdentityCode:  # noqa: ARG002 - nothing in it can be compared
        text = "expected a type, a country and a number, such as PASKR- and a passport number"
        if code.startswith(f"{COMMITMENT_SCHEME}:"):  # a code that would pass for a commitment
            raise refuse(self.name, IdentityReason.MALFORMED, text)
        try:
            identifier = check_person_identifier(code)
        except IdentifierError:
            raise refuse(self.name, IdentityReason.MALFORMED, text) from None
        return IdentityCode(scheme=self.name, code=code, semantics_identifier=identifier)
