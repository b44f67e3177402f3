"""China's resident identity number (GB 11643-1999) and national student number (学籍号).

The resident number's form, date, place and MOD 11-2 check character are python-stdnum's work. A student number is 19 characters:
`G` and the resident number; `J` and 18 generated characters that end in the same kind of check character, for pupils without a
resident number; `L` and a temporary number, accepted with a warning.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError
from stdnum.iso7064 import mod_11_2

from pki.identity.schemes.scheme import IdentityCode, IdentityReason, IdentityWarning, PersonFacts, check_sex, refuse, same_place

_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_STUDENT = re.compile(r"[GJL][0-9]{17}[0-9X]")


class ChinaResidentNumber:
    name = "cn-ric"

    def check(self, code: str, facts: PersonFacts) -> IdentityCode:
        if not _NUMBER.fullmatch(code):
            raise refuse(self.name, IdentityReason.MALFORMED, "expected 17 digits and a check character 0-9 or X")
        try:
            born = ric.get_birth_date(code)
        except ValidationError:
            raise refuse(self.name, IdentityReason.BAD_DATE, "the birth date in it is no date") from None
        try:
            ric.validate(code)
            place: dict[str, Any] = ric.get_birth_place(code)
        except InvalidChecksum:
            raise refuse(self.name, IdentityReason.BAD_CHECKSUM, "its check character is wrong; look for a typing error") from None
        except InvalidComponent:
            raise refuse(self.name, IdentityReason.UNKNOWN_PROVINCE, "its first six digits are no place of that year") from None
        if born.year != facts.birth_date.year:
            reason = IdentityReason.BIRTH_YEAR_MISMATCH
            raise refuse(self.name, reason, "birth year differs from the roster's; correct the one that is wrong")
        if born != facts.birth_date:
            reason = IdentityReason.BIRTH_DATE_MISMATCH
            raise refuse(self.name, reason, "birth date differs from the roster's; correct the one that is wrong")
        check_sex(self.name, coded="male" if int(code[16]) % 2 else "female", facts=facts)
        agrees = same_place(facts.province, code[:2], code[:6], str(place.get("province", "")), str(place.get("county", "")))
        return IdentityCode(
            scheme=self.name,
            code=code,
            semantics_identifier=f"PNOCN-{code}",
            warnings=() if agrees else (IdentityWarning.PLACE_MISMATCH,),
        )


class ChinaStudentNumber:
    name = "cn-student"

    def check(self, code: str, facts: PersonFacts) -> IdentityCode:
        if not _STUDENT.fullmatch(code):
            raise refuse(self.name, IdentityReason.MALFORMED, "expected G, J or L, 17 digits and a check character 0-9 or X")
        kind, number = code[0], code[1:]
        # XJ (xueji): our two letters for a national scheme that EN 319 412-1 does not list
        accepted = IdentityCode(scheme=self.name, code=code, semantics_identifier=f"XJ:CN-{code}")
        if kind == "G":
            return replace(accepted, warnings=ChinaResidentNumber().check(number, facts).warnings)
        if kind == "J" and not mod_11_2.is_valid(number):
            raise refuse(self.name, IdentityReason.BAD_CHECKSUM, "its check character is wrong; look for a typing error")
        return replace(accepted, warnings=(IdentityWarning.TEMPORARY_NUMBER,)) if kind == "L" else accepted
