"""Vietnam's 12-digit personal identification number (số định danh cá nhân; Decree 137/2015 art. 13, Circular 07/2016).

    001   2        04    000001
    place century  year  random
          and sex

There is no check digit, so the code is compared with the roster: birth year and sex must agree, the place only warns (a birth is
registered where the parents live, and rosters often give another place).
"""

from __future__ import annotations

import re

from pki.identity.schemes.scheme import IdentityCode, IdentityReason, IdentityWarning, PersonFacts, check_sex, refuse, same_place

_FORM = re.compile(r"[0-9]{12}")  # not \d: full-width and Arabic-Indic digits are not the number
FIRST_COUNTRY_CODE = 100  # from here on the three digits are the country where the birth was registered

# The 63 provinces of Circular 07/2016, with gaps. The mergers of 2025 changed no number that had been given.
PROVINCES = {
    "001": "Hà Nội",
    "002": "Hà Giang",
    "004": "Cao Bằng",
    "006": "Bắc Kạn",
    "008": "Tuyên Quang",
    "010": "Lào Cai",
    "011": "Điện Biên",
    "012": "Lai Châu",
    "014": "Sơn La",
    "015": "Yên Bái",
    "017": "Hòa Bình",
    "019": "Thái Nguyên",
    "020": "Lạng Sơn",
    "022": "Quảng Ninh",
    "024": "Bắc Giang",
    "025": "Phú Thọ",
    "026": "Vĩnh Phúc",
    "027": "Bắc Ninh",
    "030": "Hải Dương",
    "031": "Hải Phòng",
    "033": "Hưng Yên",
    "034": "Thái Bình",
    "035": "Hà Nam",
    "036": "Nam Định",
    "037": "Ninh Bình",
    "038": "Thanh Hóa",
    "040": "Nghệ An",
    "042": "Hà Tĩnh",
    "044": "Quảng Bình",
    "045": "Quảng Trị",
    "046": "Thừa Thiên Huế",
    "048": "Đà Nẵng",
    "049": "Quảng Nam",
    "051": "Quảng Ngãi",
    "052": "Bình Định",
    "054": "Phú Yên",
    "056": "Khánh Hòa",
    "058": "Ninh Thuận",
    "060": "Bình Thuận",
    "062": "Kon Tum",
    "064": "Gia Lai",
    "066": "Đắk Lắk",
    "067": "Đắk Nông",
    "068": "Lâm Đồng",
    "070": "Bình Phước",
    "072": "Tây Ninh",
    "074": "Bình Dương",
    "075": "Đồng Nai",
    "077": "Bà Rịa - Vũng Tàu",
    "079": "Hồ Chí Minh",
    "080": "Long An",
    "082": "Tiền Giang",
    "083": "Bến Tre",
    "084": "Trà Vinh",
    "086": "Vĩnh Long",
    "087": "Đồng Tháp",
    "089": "An Giang",
    "091": "Kiên Giang",
    "092": "Cần Thơ",
    "093": "Hậu Giang",
    "094": "Sóc Trăng",
    "095": "Bạc Liêu",
    "096": "Cà Mau",
}


class VietnamPersonalNumber:
    name = "vn-pid"

    def check(self, code: str, facts: PersonFacts) -> IdentityCode:
        if not _FORM.fullmatch(code):
            raise refuse(self.name, IdentityReason.MALFORMED, "expected 12 digits")
        place, century_and_sex, year = code[:3], int(code[3]), int(code[4:6])
        if int(place) < FIRST_COUNTRY_CODE and place not in PROVINCES:
            raise refuse(self.name, IdentityReason.UNKNOWN_PROVINCE, "its first three digits are no province's")
        if 1900 + 100 * (century_and_sex // 2) + year != facts.birth_date.year:
            reason = IdentityReason.BIRTH_YEAR_MISMATCH
            raise refuse(self.name, reason, "birth year differs from the roster's; correct the one that is wrong")
        check_sex(self.name, coded="female" if century_and_sex % 2 else "male", facts=facts)
        known = place in PROVINCES
        agrees = not known or same_place(facts.province, place, PROVINCES[place])
        return IdentityCode(
            scheme=self.name,
            code=code,
            semantics_identifier=f"PNOVN-{code}",
            warnings=() if agrees else (IdentityWarning.PLACE_MISMATCH,),
        )
