"""Closing and opening signed structures, against certificates that another implementation made."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import EncodingError
from pki.structures.der import SEQUENCE, element, signed_structure, split_signed
from tests.support.authority import make_authority


def test_certificate_taken_apart_and_closed_again_is_the_same() -> None:
    der = make_authority().issuing_der
    parts = split_signed(der)
    certificate = x509.load_der_x509_certificate(der)
    assert (parts.tbs_der, parts.signature) == (certificate.tbs_certificate_bytes, certificate.signature)
    assert signed_structure(parts.tbs_der, parts.algorithm_der, parts.signature) == der


@pytest.mark.parametrize(("size", "header"), [(0, "3000"), (127, "307f"), (128, "308180"), (255, "3081ff"), (256, "30820100")])
def test_length_is_minimal(size: int, header: str) -> None:
    assert element(SEQUENCE, bytes(size)) == bytes.fromhex(header) + bytes(size)


def test_trailer_follows_the_signature() -> None:
    assert (
        signed_structure(b"\x05\x00", b"\x05\x00", b"\x01", trailer_der=b"\xa0\x00").hex() == "300a" + "0500" + "0500" + "03020001" + "a000"
    )


@pytest.mark.parametrize("der", [b"", b"0", bytes.fromhex("3000"), bytes.fromhex("3080") + bytes(20), b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_signed_structure_is_refused(der: bytes) -> None:
    with pytest.raises(EncodingError, match="not DER SEQUENCE"):
        split_signed(der)


def test_signature_of_odd_bits_is_refused() -> None:
    with pytest.raises(EncodingError, match="not a whole number of octets"):
        split_signed(bytes.fromhex("3008" + "0500" + "0500" + "030204f0"))


def test_huge_structure_is_refused_unread() -> None:
    with pytest.raises(EncodingError, match="more than the 16777216 that are read"):
        split_signed(bytes(16 * 1024 * 1024 + 1))


@given(data=st.binary(max_size=200))
@settings(derandomize=True)
def test_any_octets_give_parts_or_an_encoding_error(data: bytes) -> None:
    with contextlib.suppress(EncodingError):
        split_signed(data)
