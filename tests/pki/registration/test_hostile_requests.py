"""Hostile PKCS#10 gives typed errors to every reader of it: the counter's, the ceremony's, and the proof of compromise."""

from __future__ import annotations

import base64
import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import EncodingError, PkiError, SignatureError
from pki.identity.subject import legal_person
from pki.keys.softkey import SoftwareKey
from pki.registration.ca_request import make_request, read_request
from pki.registration.certification_request import read_certification_request
from pki.registration.compromise_proof import compromised_key
from pki.structures.der import signed_structure

KEY = SoftwareKey.generate("P-256")
GOOD = make_request(legal_person(country="VN", name="Sở Giáo dục", identifier="NTRVN-1", common_name="compromised key"), KEY)


def pem(der: bytes) -> bytes:
    text = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + text + b"-----END CERTIFICATE REQUEST-----\n"


READERS: dict[str, Callable[[bytes], Any]] = {
    "counter": read_certification_request,
    "ceremony": read_request,
    "ceremony, PEM": lambda der: read_request(pem(der)),
    "compromise": lambda der: compromised_key(pem(der)),
}


def info_of(der: bytes) -> bytes:
    return x509.load_der_x509_csr(der).tbs_certrequest_bytes


def signed(info: bytes) -> bytes:
    """Whatever it says, it is signed by the key: damage is met behind the proof of possession too."""
    return signed_structure(info, KEY.algorithm.identifier_der, KEY.sign(info))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_an_honest_request_is_read(reader: Callable[[bytes], Any]) -> None:
    found = reader(signed(info_of(GOOD)))
    assert getattr(found, "public_key", found) in (found, KEY.public_key())


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_request_of_another_version_is_refused_by_name(reader: Callable[[bytes], Any]) -> None:
    info = info_of(GOOD)
    at = info.index(b"\x02\x01\x00")
    with pytest.raises(EncodingError, match="not a PKCS#10 request"):
        reader(signed(info[: at + 2] + b"\x07" + info[at + 3 :]))


def test_a_proof_that_its_key_did_not_sign_proves_nothing() -> None:
    der = x509.load_der_x509_csr(GOOD).public_bytes(Encoding.DER)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    swapped = der.replace(KEY.public_key().public_numbers().x.to_bytes(32, "big"), other.public_numbers().x.to_bytes(32, "big"))
    swapped = swapped.replace(KEY.public_key().public_numbers().y.to_bytes(32, "big"), other.public_numbers().y.to_bytes(32, "big"))
    with pytest.raises(SignatureError, match="not signed by its own key, so it proves nothing"):
        compromised_key(pem(swapped))


def fuzz(count: int, seed: int) -> None:
    chance, info = random.Random(seed), info_of(GOOD)
    for number in range(count):
        changed = bytearray(info)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        data = signed(bytes(changed)) if number % 3 else bytes(GOOD[: chance.randrange(len(GOOD))])
        for reader in READERS.values():
            with contextlib.suppress(PkiError):  # these alone; anything else fails the test
                reader(data)


def test_damage_behind_a_good_signature_gives_typed_errors() -> None:
    fuzz(300, seed=11)


@pytest.mark.long
def test_ten_thousand_damaged_requests_with_good_signatures_give_typed_errors() -> None:
    fuzz(10_000, seed=12)
