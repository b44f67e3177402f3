"""PKCS#10: a key with proof of possession, or a typed error, whatever comes."""

from __future__ import annotations

import contextlib
import random
import tracemalloc

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError
from pki.registration.certification_request import MAX_REQUEST, read_certification_request

SUBJECT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Trần Thị Hoa")])
NAMES = x509.SubjectAlternativeName([x509.DNSName("records.example.org"), x509.RFC822Name("hoa@example.org")])
KEY = ec.generate_private_key(ec.SECP256R1())


def request_der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = KEY) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(SUBJECT).add_extension(NAMES, critical=False)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(Encoding.DER)


def request_pem() -> bytes:
    return x509.load_der_x509_csr(request_der()).public_bytes(Encoding.PEM)


def point(der: bytes) -> bytes:
    return x509.load_der_x509_csr(der).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize(
    "written",
    [
        lambda: request_der(),
        lambda: request_pem(),
        lambda: b"subject=CN = Hoa\r\n" + request_pem().replace(b"\n", b"\r\n"),
        lambda: request_pem().replace(b"BEGIN CERT", b"BEGIN NEW CERT").replace(b"END CERT", b"END NEW CERT"),
    ],
    ids=["DER", "PEM", "PEM with text and CRLF", "PEM of old programs"],
)
def test_the_key_of_a_request_is_read(written) -> None:
    assert read_certification_request(written()) == KEY.public_key()


def test_rsa_is_read_too() -> None:
    key = rsa.generate_private_key(65537, 2048)
    assert read_certification_request(request_der(key)) == key.public_key()


def test_a_request_signed_with_another_key_proves_nothing() -> None:
    der, other = request_der(), request_der(ec.generate_private_key(ec.SECP256R1()))
    mine, theirs = point(der), point(other)
    with pytest.raises(SignatureError, match="possession is not proven"):
        read_certification_request(der.replace(mine, theirs))


def test_a_key_that_signs_no_records_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="neither EC nor RSA"):
        read_certification_request(request_der(ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "neither DER nor PEM"),
        (b"0", "not a PKCS#10 request"),
        (b"\x30\x84\xff\xff\xff\xff", "not a PKCS#10 request"),
        (b"\x30\x80" * 8000, "not a PKCS#10 request"),
        (b"\x30" * (MAX_REQUEST + 1), "16385 octets, more than the 16384 that are read"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMA=A\n-----END CERTIFICATE REQUEST-----\n", "not base64|not a PKCS#10"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "expected -----BEGIN CERTIFICATE REQUEST-----"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n" + b"A" * 16000, "neither DER nor PEM"),
    ],
)
def test_what_is_no_request_is_named(data: bytes, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        read_certification_request(data)


def fuzz(count: int, seed: int) -> None:
    chance, der, pem = random.Random(seed), request_der(), request_pem()
    for number in range(count):
        data = _mutated(chance, pem if number % 4 == 0 else der)
        kept = 0
        with contextlib.suppress(EncodingError, UnsupportedAlgorithmError, SignatureError):  # these alone; anything else fails the test
            read_certification_request(data)
            kept = 1
        assert not kept or number % 4 == 0, "a request altered in DER kept its proof of possession"


def test_damaged_requests_give_typed_errors() -> None:
    fuzz(600, seed=1)


@pytest.mark.long
def test_ten_thousand_damaged_requests_give_typed_errors_and_no_growth() -> None:
    fuzz(1000, seed=2)
    tracemalloc.start()
    fuzz(500, seed=3)
    before, _ = tracemalloc.get_traced_memory()
    fuzz(10_000, seed=4)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 256 * 1024


def _mutated(chance: random.Random, data: bytes) -> bytes:
    """One to four octets flipped, or a piece cut out, doubled or overwritten; never the input."""
    changed = bytearray(data)
    kind = chance.randrange(4)
    start = chance.randrange(len(data))
    stop = min(len(data), start + chance.randrange(1, 40))
    if kind == 0:
        for _ in range(chance.randrange(1, 5)):
            changed[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    elif kind == 1:
        del changed[start:stop]
    elif kind == 2:
        changed[start:start] = data[start:stop]
    else:
        changed[start:stop] = chance.randbytes(stop - start)
    return bytes(changed) if changed != data else bytes(changed) + b"\x00"
