"""Digests of signed octets: one pass gives what hashing each byte range by itself gives."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from pki.structures.algorithms import Digest
from signing.coverage.digests import SignedDigests
from signing.coverage.signature_field import SignatureField
from signing.coverage.structure import signature_fields
from signing.pdf.document import Document
from tests.corpus.good import good_files

DATA = good_files().archived
FIELDS = signature_fields(Document.parse(DATA))


def alone(field: SignatureField, digest: Digest) -> bytes:
    start, length, second, tail = field.byte_range or (0, 0, 0, 0)
    return hashlib.new(digest.value, DATA[start : start + length] + DATA[second : second + tail]).digest()


@pytest.mark.parametrize("digest", list(Digest))
def test_one_pass_agrees_with_hashing_each_range(digest: Digest) -> None:
    digests = SignedDigests(DATA, FIELDS)
    for field in (*reversed(FIELDS), *FIELDS):
        assert digests.of(field, digest) == alone(field, digest)


@pytest.mark.parametrize(
    "byte_range",
    [None, (1, 40, 60, 70), (0, 0, 0, 0), (0, 50, 10, 5), (0, 10**9, 10**9 + 5, 7), (0, 70, 90, 10**9), (5, 10**9, 0, 3), (0, 60, 60, 0)],
)
def test_byte_range_of_any_kind_is_hashed_as_it_says(byte_range: tuple[int, int, int, int] | None) -> None:
    odd = replace(FIELDS[0], byte_range=byte_range)
    digests = SignedDigests(DATA, (*FIELDS, odd))
    assert [digests.of(field, Digest.SHA256) for field in (odd, *FIELDS)] == [alone(field, Digest.SHA256) for field in (odd, *FIELDS)]


def test_whole_file_is_hashed_in_the_same_pass() -> None:
    assert SignedDigests(DATA, FIELDS).sha256 == hashlib.sha256(DATA).digest()
    assert SignedDigests(DATA, ()).sha256 == hashlib.sha256(DATA).digest()
