"""Damaged requests to the running service: each gets an answer of the protocol or an HTTP problem, and memory does not grow."""

from __future__ import annotations

import base64
import gc
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from config.house import House
from pki.structures.algorithms import Digest
from pki.structures.cms import tlv
from pki.structures.tsp import MessageImprint, TimeStampReq
from tests.api.test_authority_routes import issue

SEED = 20260905
OCSP_REQUEST, TSA_REQUEST = "application/ocsp-request", "application/timestamp-query"
PROBLEM = "application/problem+json"
GROWTH = 512 * 1024  # octets: buffers and interned odds and ends; a leak of 100 octets a request would show
REFUSED = {400, 404, 405, 413, 414, 415}


def questions(house: House) -> tuple[bytes, ...]:
    """Sound OCSP requests: one certificate, another hash, and several with a nonce."""
    issuer = x509.load_der_x509_certificate(house.authority.issuing_der)
    known = [x509.load_der_x509_certificate(issue(house).certificate_der) for _ in range(3)]
    plain = ocsp.OCSPRequestBuilder().add_certificate(known[0], issuer, hashes.SHA1())
    other = ocsp.OCSPRequestBuilder().add_certificate(known[1], issuer, hashes.SHA256()).add_extension(x509.OCSPNonce(bytes(16)), False)
    return tuple(each.build().public_bytes(Encoding.DER) for each in (plain, other))


def stamp_request() -> bytes:
    imprint = MessageImprint(hash_algorithm=tlv(Digest.SHA256.identifier_der), hashed_message=bytes(32))
    return asn1.encode_der(TimeStampReq(version=1, message_imprint=imprint, req_policy=None, nonce=99, cert_req=True, extensions=None))


def damaged(message: bytes, chance: random.Random) -> bytes:
    """Octets changed, cut out, put in, repeated or replaced; lengths that lie; plain noise."""
    out = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[at % len(out)] = chance.choice((0x00, 0x30, 0x7F, 0x80, 0x84, 0xA0, 0xFF))
            case 2:
                del out[at : at + chance.randint(1, 20)]
            case 3:
                out[at:at] = chance.randbytes(chance.randint(1, 40))
            case 4:
                out[at:at] = out[at // 2 : at]
            case 5:
                out[at:at] = b"\x30\x84\xff\xff\xff\xff"
            case _:
                out = bytearray(chance.randbytes(chance.randint(0, 300)))
    return bytes(out[:20_000])


def ask(client: httpx.Client, chance: random.Random, requests: tuple[bytes, ...], stamp: bytes) -> tuple[str, int]:
    """Sends one damaged request; what kind of answer came, which must be one that the protocol knows."""
    kind = chance.choice(("ocsp", "get", "tsa"))
    body = damaged(stamp if kind == "tsa" else chance.choice(requests), chance)
    if kind == "get":
        text = base64.b64encode(body).decode()
        text = text if chance.random() < 0.8 else "".join(chance.choices("ABab01+/=%-_é ", k=chance.randint(1, 200)))
        answer = client.get("/ocsp/" + quote(text, safe="" if chance.random() < 0.5 else "/="))
    else:
        media = {"ocsp": OCSP_REQUEST, "tsa": TSA_REQUEST}[kind] if chance.random() < 0.98 else "text/plain"
        answer = client.post("/ocsp" if kind == "ocsp" else "/tsa", content=body, headers={"Content-Type": media})
    if answer.status_code == 200 and kind == "tsa":
        assert answer.headers["content-type"] == "application/timestamp-reply"
        assert answer.content[:1] == b"\x30"
    elif answer.status_code == 200:
        assert answer.headers["content-type"] == "application/ocsp-response"
        ocsp.load_der_ocsp_response(answer.content)
    else:
        assert answer.status_code in REFUSED, (kind, answer.status_code, body.hex())
        assert answer.status_code == 400 or answer.headers["content-type"] == PROBLEM  # 400 is the HTTP parser's own
    return kind, answer.status_code


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def fuzz(client: httpx.Client, house: House, count: int) -> tuple[Counter[tuple[str, int]], int]:
    """The kinds of answers, and by how many octets the memory of the second quarter is exceeded by that of the last."""
    chance, requests, stamp = random.Random(SEED), questions(house), stamp_request()
    seen: Counter[tuple[str, int]] = Counter()
    held = []
    for _ in range(4):
        for _ in range(count // 4):
            seen[ask(client, chance, requests, stamp)] += 1
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    return seen, held[3] - held[1]


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_damaged_requests_get_protocol_errors_and_memory_does_not_grow(
    client: httpx.Client, house: House, traced: None, count: int
) -> None:
    seen, growth = fuzz(client, house, count)
    assert sum(seen.values()) == count
    assert {kind for kind, _ in seen} == {"ocsp", "get", "tsa"}
    assert growth < GROWTH
    assert client.get("/ca/root.cer").status_code == 200
