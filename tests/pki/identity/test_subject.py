"""Names in certificates: X.520's limits in characters, texts without invisible letters, identifiers in ETSI's form."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.identity.subject import Subject, SubjectError, legal_person, person, pseudonymous, tidy

LONG_SCHOOL = "Trường Phổ thông Dân tộc Nội trú Trung học cơ sở và Trung học phổ thông huyện Mường Khương tỉnh Lào Cai"


def subject(**changes: Any) -> Subject:
    return Subject(**{"country": "VN", "common_name": "Trần Thị Hoa", **changes})


def test_common_name_is_counted_in_characters_not_octets() -> None:
    assert Subject.from_x509(subject(common_name="Ư" * 64).x509_name()).common_name == "Ư" * 64
    with pytest.raises(SubjectError, match=r"common_name: 65 characters, X\.520 allows 64"):
        subject(common_name="Ư" * 65)


def test_long_school_name_asks_for_the_short_name() -> None:
    with pytest.raises(SubjectError, match=r"X\.520 allows 64; give the school's official short name"):
        legal_person(country="VN", name=LONG_SCHOOL, identifier="NTRVN-0100109106")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"country": "XX"}, "expected a two-letter ISO 3166-1 code"),
        ({"country": "VNM"}, "country: 3 characters"),
        ({"country": "vn"}, "expected a two-letter ISO 3166-1 code"),
        ({"common_name": ""}, "common_name: empty"),
        ({"common_name": " Hoa"}, "white space at its ends"),
        ({"common_name": "Tra\u0302\u0300n"}, "not in Unicode normal form C"),
        ({"common_name": "Hoa\u202e"}, "control or invisible character"),
        ({"common_name": "Hoa\u200bTran"}, "control or invisible character"),
        ({"common_name": "Hoa\x00"}, "control or invisible character"),
        ({"surname": "Trần\n"}, "white space at its ends"),
        ({"serial_number": "PNOVN-００１"}, "serial_number: holds a character outside PrintableString"),
        ({"serial_number": "001204000001"}, "person identifier: expected"),
        ({"serial_number": "PNOVN-" + "1" * 59}, "serial_number: 65 characters"),
        ({"organization_identifier": "0100109106"}, "expected NTR or VAT"),
        ({"organization": "NTRVN-1", "organization_identifier": "NTRVN-1"}, "must differ"),
    ],
)
def test_attribute_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        subject(**changes)


def test_neither_repr_nor_error_shows_an_identity_code() -> None:
    assert "001204000001" not in repr(subject(serial_number="PNOVN-001204000001"))
    with pytest.raises(SubjectError) as caught:
        subject(serial_number="001204000001")
    assert "001204000001" not in str(caught.value)


def test_name_survives_the_way_through_x509() -> None:
    made = person(country="VN", surname="Trần", given_name="Thị  Hoa", identifier="PNOVN-001185000001")
    assert Subject.from_x509(made.x509_name()) == made
    assert made.display == "Trần Thị Hoa"


@pytest.mark.parametrize(
    "parts",
    [
        [(NameOID.COUNTRY_NAME, "VN"), (NameOID.COMMON_NAME, "A"), (NameOID.COMMON_NAME, "B")],
        [(NameOID.COUNTRY_NAME, "VN"), (NameOID.COMMON_NAME, "A"), (NameOID.TITLE, "B")],
        [(NameOID.COUNTRY_NAME, "VN")],
    ],
)
def test_unknown_doubled_or_missing_attribute_is_refused(parts: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    with pytest.raises(SubjectError):
        Subject.from_x509(x509.Name([x509.NameAttribute(oid, value) for oid, value in parts]))


def test_country_and_identifier_are_printable_strings() -> None:
    der = subject(serial_number="PNOVN-1").x509_name().public_bytes()
    assert bytes.fromhex("0603550406") + b"\x13\x02VN" in der
    assert bytes.fromhex("0603550405") + b"\x13\x07PNOVN-1" in der


def test_pseudonym_tells_nothing_but_the_commitment() -> None:
    made = pseudonymous(country="VN", identifier="CM:VN-" + "ABCDEFGH" + "A" * 44)
    assert (made.pseudonym, made.given_name, made.surname) == ("Student ABCD-EFGH", None, None)


def test_tidy_composes_and_trims() -> None:
    assert tidy("  Tra\u0302\u0300n   Thi\u0323 Hoa ") == "Trần Thị Hoa"
