"""Identity codes: what each scheme accepts, every reason for which it refuses, and that no text ever holds a code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from pki.errors import PkiError
from pki.identity.codes import (
    INCONSISTENT,
    SCHEMES,
    IdentityError,
    IdentityReason,
    IdentityWarning,
    PersonFacts,
    check,
    check_organization_identifier,
)
from pki.identity.schemes.vietnam import PROVINCES

BOY_2004 = PersonFacts(birth_date=date(2004, 5, 1), sex="male", province="Hà Nội")
WOMAN_1949 = PersonFacts(birth_date=date(1949, 12, 31), sex="female", province="北京市")
RESIDENT = "11010519491231002X"  # the example of GB 11643


def refused(scheme: str, code: str | None, facts: PersonFacts) -> IdentityError:
    with pytest.raises(IdentityError) as caught:
        check(scheme, code, facts=facts)
    return caught.value


@pytest.mark.parametrize(
    ("code", "birth", "sex"),
    [
        ("001004000001", date(1904, 1, 1), "male"),
        ("001185000001", date(1985, 1, 1), "female"),
        ("001204000001", date(2004, 1, 1), "male"),
        ("079312999999", date(2012, 1, 1), "female"),
        ("001405000001", date(2105, 1, 1), "male"),
        ("001999000001", date(2399, 1, 1), "female"),
    ],
)
def test_vietnamese_number_carries_century_sex_and_year(code: str, birth: date, sex: str) -> None:
    assert check("vn-pid", code, facts=PersonFacts(birth, sex)).semantics_identifier == f"PNOVN-{code}"


@pytest.mark.parametrize(
    ("code", "facts", "reason", "message"),
    [
        (None, BOY_2004, "MISSING", "nobody gets a certificate without one"),
        ("", BOY_2004, "MISSING", "nobody gets a certificate without one"),
        (" \t", BOY_2004, "MISSING", "nobody gets a certificate without one"),
        ("00120400001", BOY_2004, "MALFORMED", "expected 12 digits"),
        ("0012040000011", BOY_2004, "MALFORMED", "expected 12 digits"),
        ("00120400000A", BOY_2004, "MALFORMED", "expected 12 digits"),
        ("００１２０４０００００１", BOY_2004, "MALFORMED", "expected 12 digits"),
        ("٠٠١٢٠٤٠٠٠٠٠١", BOY_2004, "MALFORMED", "expected 12 digits"),
        ("0" * 65, BOY_2004, "MALFORMED", "longer than 64"),
        ("003204000001", BOY_2004, "UNKNOWN_PROVINCE", "no province's"),
        ("000204000001", BOY_2004, "UNKNOWN_PROVINCE", "no province's"),
        ("097204000001", BOY_2004, "UNKNOWN_PROVINCE", "no province's"),
        ("001205000001", BOY_2004, "BIRTH_YEAR_MISMATCH", "birth year differs"),
        ("001004000001", BOY_2004, "BIRTH_YEAR_MISMATCH", "birth year differs"),
        ("001304000001", BOY_2004, "SEX_MISMATCH", "sex differs"),
    ],
)
def test_vietnamese_number_is_refused_with_a_reason(code: str | None, facts: PersonFacts, reason: str, message: str) -> None:
    error = refused("vn-pid", code, facts)
    assert error.reason is IdentityReason(reason)
    assert message in str(error)


def test_vietnam_has_63_provinces_with_gaps() -> None:
    assert (len(PROVINCES), min(PROVINCES), max(PROVINCES)) == (63, "001", "096")


@pytest.mark.parametrize(
    "province", ["Hà Nội", "hà nội", "Thành phố Hà Nội", "TP. Hà Nội", "Ha\u0300 No\u0302\u0323i", "001", None, "", "  "]
)
def test_place_in_any_usual_spelling_agrees(province: str | None) -> None:
    assert check("vn-pid", "001204000001", facts=replace(BOY_2004, province=province)).warnings == ()


def test_another_place_only_warns() -> None:
    found = check("vn-pid", "079204000001", facts=BOY_2004)
    assert found.warnings == (IdentityWarning.PLACE_MISMATCH,)


def test_birth_registered_abroad_is_accepted() -> None:
    assert check("vn-pid", "128204000001", facts=BOY_2004).warnings == ()


def test_unknown_sex_is_not_compared() -> None:
    assert check("vn-pid", "001304000001", facts=replace(BOY_2004, sex=None)).scheme == "vn-pid"


def test_spaces_in_a_code_are_dropped() -> None:
    assert check("vn-pid", " 001 204 000001\n", facts=BOY_2004).code == "001204000001"


def test_resident_number_is_accepted_and_its_check_character_upper_cased() -> None:
    found = check("cn-ric", RESIDENT.lower(), facts=WOMAN_1949)
    assert (found.semantics_identifier, found.warnings) == (f"PNOCN-{RESIDENT}", ())


@pytest.mark.parametrize("province", ["北京市", "朝阳区", "11", "110105", None])
def test_resident_number_agrees_with_province_or_county(province: str | None) -> None:
    assert check("cn-ric", RESIDENT, facts=replace(WOMAN_1949, province=province)).warnings == ()


def test_resident_number_of_another_place_only_warns() -> None:
    assert check("cn-ric", RESIDENT, facts=replace(WOMAN_1949, province="上海市")).warnings == (IdentityWarning.PLACE_MISMATCH,)


def with_check(body: str) -> str:
    return body + mod_11_2.calc_check_digit(body)


@pytest.mark.parametrize(
    ("code", "facts", "reason", "message"),
    [
        (None, WOMAN_1949, "MISSING", "nobody gets a certificate without one"),
        ("110105491231002", WOMAN_1949, "MALFORMED", "expected 17 digits and a check character"),
        ("11010519491231-02X", WOMAN_1949, "MALFORMED", "expected 17 digits and a check character"),
        (with_check("11010519491331002"), WOMAN_1949, "BAD_DATE", "is no date"),
        ("110105194912310020", WOMAN_1949, "BAD_CHECKSUM", "check character is wrong"),
        (with_check("99010519491231002"), WOMAN_1949, "UNKNOWN_PROVINCE", "no place of that year"),
        (RESIDENT, replace(WOMAN_1949, birth_date=date(1950, 12, 31)), "BIRTH_YEAR_MISMATCH", "birth year differs"),
        (RESIDENT, replace(WOMAN_1949, birth_date=date(1949, 12, 30)), "BIRTH_DATE_MISMATCH", "birth date differs"),
        (RESIDENT, replace(WOMAN_1949, sex="male"), "SEX_MISMATCH", "sex differs"),
    ],
)
def test_resident_number_is_refused_with_a_reason(code: str | None, facts: PersonFacts, reason: str, message: str) -> None:
    error = refused("cn-ric", code, facts)
    assert error.reason is IdentityReason(reason)
    assert message in str(error)


def test_student_number_of_kind_g_is_a_resident_number() -> None:
    assert check("cn-student", f"G{RESIDENT}", facts=WOMAN_1949).semantics_identifier == f"XJ:CN-G{RESIDENT}"
    assert refused("cn-student", f"G{RESIDENT}", replace(WOMAN_1949, sex="male")).reason is IdentityReason.SEX_MISMATCH


def test_student_number_of_kind_j_needs_only_its_check_character() -> None:
    assert check("cn-student", "J" + with_check("99010520050101001"), facts=BOY_2004).warnings == ()
    assert refused("cn-student", "J990105200501010017", BOY_2004).reason is IdentityReason.BAD_CHECKSUM


def test_temporary_student_number_is_accepted_with_a_warning() -> None:
    assert check("cn-student", "L990105200501010010", facts=BOY_2004).warnings == (IdentityWarning.TEMPORARY_NUMBER,)


@pytest.mark.parametrize("code", [RESIDENT, f"H{RESIDENT}", "G", f"G{RESIDENT}1"])
def test_student_number_of_another_form_is_malformed(code: str) -> None:
    assert refused("cn-student", code, WOMAN_1949).reason is IdentityReason.MALFORMED


@pytest.mark.parametrize("code", ["PASKR-M12345678", "IDCBE-590082394654", "TINVN-0100109106", "AB:VN-2024/17"])
def test_generic_identifier_is_one_of_en_319_412_1(code: str) -> None:
    assert check("generic", code, facts=BOY_2004).semantics_identifier == code


@pytest.mark.parametrize(
    "code", ["M12345678", "PASKR", "PASKR-", "PASXX-1", "TAXVN-1", "PASKR-M_1", "PASKR--1", "CM:VN-" + "A" * 52, "PASKR-" + "1" * 59]
)
def test_generic_identifier_of_another_form_is_malformed(code: str) -> None:
    assert refused("generic", code, BOY_2004).reason is IdentityReason.MALFORMED


def test_unknown_scheme_is_refused_and_the_known_ones_named() -> None:
    error = refused("vn-cmnd", "001204000001", BOY_2004)
    assert error.reason is IdentityReason.UNKNOWN_SCHEME
    assert "expected one of vn-pid, cn-ric, cn-student, generic" in str(error)


def test_reasons_that_contradict_the_roster_are_told_apart() -> None:
    assert refused("vn-pid", "001304000001", BOY_2004).reason in INCONSISTENT
    assert refused("vn-pid", "1", BOY_2004).reason not in INCONSISTENT


@given(
    scheme=st.sampled_from(sorted(SCHEMES)),
    code=st.text(max_size=80) | st.from_regex(r"[GJL]?[0-9]{12,18}X?", fullmatch=True),
    year=st.integers(1900, 2399),
)
@settings(derandomize=True, max_examples=500)
def test_any_text_is_accepted_or_refused_without_showing_it(scheme: str, code: str, year: int) -> None:
    secret = "".join(code.split()).upper()
    try:
        shown = repr(check(scheme, code, facts=PersonFacts(date(year, 1, 1), "male")))
    except IdentityError as exc:
        shown = f"{exc} {exc!r} {exc.args}"
    assert len(secret) < 6 or secret not in shown


@pytest.mark.parametrize("identifier", ["NTRVN-0100109106", "VATVN-0100109106", "NTRCN-91110000600037341L", "XS:VN-KV7-12"])
def test_organization_identifier_is_accepted(identifier: str) -> None:
    assert check_organization_identifier(identifier) == identifier


@pytest.mark.parametrize("identifier", ["", "0100109106", "NTRXX-1", "NTRVN-", "PNOVN-1", "NTRVN-1 2", "ntrvn-1", "NTRVN-" + "1" * 59])
def test_organization_identifier_of_another_form_is_refused(identifier: str) -> None:
    with pytest.raises(PkiError, match="expected NTR or VAT, a country and a number"):
        check_organization_identifier(identifier)
