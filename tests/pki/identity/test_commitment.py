"""The commitment in a pupil's certificate: hiding, binding, confirmed offline by who holds the opening."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.identity.commitment import (
    CommitmentError,
    commit,
    commitment_in,
    confirm,
    identifier,
    is_commitment_identifier,
    new_opening,
    opening_text,
    parse_opening,
)
from tests.support.authority import Credential, make_authority

CODE = "001212000001"
OPENING = bytes(range(32))


@pytest.fixture(scope="module")
def pupil() -> Credential:
    return make_authority().issue_student(CODE)


def test_commitment_is_sha256_of_domain_length_code_and_opening() -> None:
    expected = hashlib.sha256(b"eduseal identity commitment 1\x00" + b"\x00\x0c" + b"001212000001" + OPENING).digest()
    assert commit(CODE, OPENING) == expected


def test_openings_are_256_random_bits() -> None:
    openings = {new_opening() for _ in range(100)}
    assert len(openings) == 100
    assert all(len(opening) == 32 for opening in openings)


def test_one_code_has_a_different_commitment_under_each_opening() -> None:
    assert commit(CODE, OPENING) != commit(CODE, bytes(32))


@pytest.mark.parametrize("spelling", [" 0012 1200 0001", "００１２１２０００００１", "001212000001\n"])
def test_spelling_of_a_code_does_not_matter(spelling: str) -> None:
    assert commit(spelling, OPENING) == commit(CODE, OPENING)


def test_case_of_a_check_character_does_not_matter() -> None:
    assert commit("11010519491231002x", OPENING) == commit("11010519491231002X", OPENING)


@pytest.mark.parametrize("opening", [b"", bytes(31), bytes(33)])
def test_opening_of_another_length_is_refused(opening: bytes) -> None:
    with pytest.raises(CommitmentError, match=f"expected 32 octets, got {len(opening)}"):
        commit(CODE, opening)


@pytest.mark.parametrize("code", ["", "  ", "1" * 65])
def test_code_of_impossible_length_is_refused(code: str) -> None:
    with pytest.raises(CommitmentError, match="expected 1 to 64 characters"):
        commit(code, OPENING)


def test_certificate_carries_the_commitment_and_not_the_code(pupil: Credential) -> None:
    assert pupil.opening is not None
    assert commitment_in(pupil.certificate_der) == commit(CODE, pupil.opening)
    assert CODE.encode() not in pupil.certificate_der


def test_code_and_opening_confirm_the_certificate(pupil: Credential) -> None:
    assert pupil.opening is not None
    found = confirm(pupil.certificate_der, code=CODE, opening=pupil.opening)
    assert (found.serial_number, found.commitment) == (pupil.serial, commit(CODE, pupil.opening))


def test_another_code_does_not_confirm(pupil: Credential) -> None:
    assert pupil.opening is not None
    with pytest.raises(CommitmentError, match="do not match") as caught:
        confirm(pupil.certificate_der, code="001212000002", opening=pupil.opening)
    assert "001212" not in str(caught.value)


def test_another_opening_does_not_confirm(pupil: Credential) -> None:
    with pytest.raises(CommitmentError, match="do not match"):
        confirm(pupil.certificate_der, code=CODE, opening=OPENING)


def test_certificate_of_a_teacher_carries_no_commitment() -> None:
    with pytest.raises(CommitmentError, match="carries no commitment"):
        confirm(make_authority().issue_teacher().certificate_der, code=CODE, opening=OPENING)


@pytest.mark.parametrize("der", [b"", b"0", b"-----BEGIN CERTIFICATE-----", bytes(1000)])
def test_confirming_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(CommitmentError, match=r"not a DER X\.509 certificate"):
        confirm(der, code=CODE, opening=OPENING)


def test_identifier_fits_a_serial_number_attribute() -> None:
    made = identifier(commit(CODE, OPENING), country="VN")
    assert len(made) == 58
    assert is_commitment_identifier(made)


def test_commitment_of_another_length_is_refused() -> None:
    with pytest.raises(CommitmentError, match="expected 32 octets, got 31"):
        identifier(bytes(31), country="VN")


@pytest.mark.parametrize("text", ["", "PNOVN-001212000001", "CM:VN-" + "A" * 51, "CM:VN-" + "a" * 52, "CM:VN-" + "A" * 53])
def test_other_identifiers_are_no_commitments(text: str) -> None:
    assert not is_commitment_identifier(text)


def test_opening_is_shown_in_thirteen_groups_of_four() -> None:
    groups = opening_text(OPENING).split("-")
    assert [len(group) for group in groups] == [4] * 13


def test_opening_of_another_length_is_not_shown() -> None:
    with pytest.raises(CommitmentError, match="expected 32 octets, got 5"):
        opening_text(bytes(5))


@given(opening=st.binary(min_size=32, max_size=32), separator=st.sampled_from(["-", " ", ""]), lower=st.booleans())
@settings(derandomize=True)
def test_opening_is_read_back_however_it_was_copied(opening: bytes, separator: str, lower: bool) -> None:
    text = opening_text(opening).replace("-", separator)
    assert parse_opening(text.lower() if lower else text) == opening


def test_opening_has_one_spelling_only() -> None:
    text = opening_text(bytes(32))
    assert text.endswith("A")
    with pytest.raises(CommitmentError, match="expected 52 letters"):
        parse_opening(text[:-1] + "B")


@given(text=st.text(max_size=80))
@settings(derandomize=True)
def test_any_other_text_is_refused_as_an_opening(text: str) -> None:
    with pytest.raises(CommitmentError, match="expected 52 letters"):
        parse_opening(text)
