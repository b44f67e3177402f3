"""Hostile octets give typed errors, never anything else (attack class 40)."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import EncodingError
from pki.paths.chain import KeyPurpose, validate_path
from pki.paths.chain_errors import ChainError
from pki.revocation.crl_evidence import load_crl
from pki.revocation.judgement import Evidence, RevocationState, revocation_status
from pki.revocation.ocsp_evidence import load_ocsp
from pki.structures.certificate import load_certificate
from pki.structures.der import SEQUENCE, element
from pki.structures.names import distinguished_name
from tests.support.chain_cases import AT, DAY, Revoked, answer, crl, path_of, responder, root

TOP = root()
LEAF = TOP.issue()
CRL = crl(TOP, [Revoked(5, AT - DAY)])
OCSP = answer(LEAF, TOP, signer=responder(TOP))


def _mutated(draw: st.DrawFn, original: bytes) -> bytes:
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["set", "cut", "insert"]))
        if kind == "set":
            data[place] = draw(st.integers(0, 255))
        elif kind == "cut" and len(data) > 2:
            del data[place : place + draw(st.integers(1, 9))]
            data = data or bytearray(b"\x00")
        else:
            data[place:place] = draw(st.binary(max_size=9))
    return bytes(data)


@st.composite
def mutated_certificates(draw: st.DrawFn) -> bytes:
    return _mutated(draw, LEAF.der)


@st.composite
def mutated_evidence(draw: st.DrawFn) -> tuple[bytes, bytes]:
    return _mutated(draw, CRL), _mutated(draw, OCSP)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(mutated_certificates())
def test_mutated_leaf_is_refused_with_a_chain_error(der: bytes) -> None:
    if der == LEAF.der:
        return
    with pytest.raises(ChainError):
        validate_path(der, intermediates=[der], anchors=[TOP.anchor], at=AT, purpose=KeyPurpose.DOCUMENT_SIGNING)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused_by_every_reader(data: bytes) -> None:
    for reader in (load_certificate, load_crl, load_ocsp):
        with pytest.raises(EncodingError):
            reader(data)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=60))
def test_garbage_name_is_refused_or_read(data: bytes) -> None:
    with contextlib.suppress(EncodingError):
        distinguished_name(element(SEQUENCE, data))


@settings(max_examples=400, derandomize=True, deadline=None)
@given(mutated_evidence())
def test_mutated_evidence_is_never_good_news_and_never_an_exception(evidence: tuple[bytes, bytes]) -> None:
    crl_der, ocsp_der = evidence
    if crl_der == CRL or ocsp_der == OCSP:
        return
    result = revocation_status(
        LEAF.parsed, TOP.parsed, evidence=Evidence((), (crl_der,), (ocsp_der,)), at=AT, now=AT + DAY, anchors=[TOP.anchor]
    )
    # certificates inside an OCSP response and its outer wrapping are not signed: a change there may leave the answer as it was
    assert result.state is RevocationState.UNKNOWN or result.source == "OCSP"
    if result.state is RevocationState.UNKNOWN:
        assert result.messages


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80" * 50_000,
        b"\x30\x84\x7f\xff\xff\xff" + b"\x00" * 100,
        b"\x30\x84\x80\x00\x00\x00",
        b"\x30\x83\x00\xff\xff" + b"\xa0" * 65_535,
        element(SEQUENCE, b"\x02\x82\xff\xff" + b"\x7f" * 65_535),
    ],
    ids=["nested-indefinite", "length-2^31-1", "length-2^31", "nested-tags", "huge-integer"],
)
def test_deep_and_oversized_structures_are_refused_at_once(data: bytes) -> None:
    started = time.perf_counter()
    for reader in (load_certificate, load_crl, load_ocsp):
        with pytest.raises(EncodingError):
            reader(data)
    assert time.perf_counter() - started < 1


def test_deeply_nested_name_is_refused() -> None:
    nested = b"\x05\x00"
    for _ in range(2_000):
        nested = element(0x31, nested)
    with pytest.raises(EncodingError):
        distinguished_name(element(SEQUENCE, nested))


def test_serial_number_of_thousands_of_digits_does_not_break_the_message() -> None:
    leaf = TOP.issue(usage=("key_encipherment",), serial=(1 << 158) + 1)
    with pytest.raises(ChainError, match="certificate 4000000000000000000000000000000000000001 is not for document signing"):
        path_of(leaf, TOP)
