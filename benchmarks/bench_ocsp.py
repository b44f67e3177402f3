"""Certificate status and time stamps over HTTP, by `eduseal serve` with one worker: on PostgreSQL, 100,000 certificates, 1 % revoked.

`ocsp-get` asks about 2,000 certificates again and again: answers that the service keeps. `ocsp-post` sends a nonce of its own with each
request: every answer is looked up and signed. `tsa` asks for tokens with certificates. Each on eight connections kept alive, by a load
generator in another process. The peer is OpenSSL's own responder (`openssl ocsp -port`) in the same run, with the same certificates in its
index and the same kind of key; it closes the connection after each answer, keeps nothing, and reads no database. For time stamps OpenSSL
has no server.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp

from benchmarks.authority_home import Served, served_home
from benchmarks.http_load import Load, get, load, load_one_by_one, post
from pki.structures.algorithms import Digest
from pki.structures.cert_id import cert_id, issuer_hashes
from pki.structures.cms import tlv
from pki.structures.ocsp_asn1 import NONCE, CertID, OCSPRequest, Request, TBSRequest
from pki.structures.tsp import Extension, MessageImprint, TimeStampReq, parse_time_stamp_token

SECONDS = 8.0
CONNECTIONS = 8
KEPT_ANSWERS = 2_000
NONCES = 20_000
P99_MS = 25.0
TARGETS = {"ocsp-get": 4_000.0, "ocsp-post": 1_500.0, "tsa": 2_000.0}
OCSP_REQUEST, TSA_REQUEST = "application/ocsp-request", "application/timestamp-query"

Row = dict[str, Any]


def by_get() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place, served_home(Path(place)) as home:
        serials = home.serials[:KEPT_ANSWERS]
        requests = [get("/ocsp/" + quote(base64.b64encode(_request(home, serial)).decode(), safe="")) for serial in serials]
        load(home.port, requests, connections=CONNECTIONS, seconds=3.0)  # each is asked about once before it counts
        ours = load(home.port, requests, connections=CONNECTIONS, seconds=SECONDS)
        _judge(home, serials, ours)
        with _openssl(Path(place), home) as port:
            peer = load_one_by_one(port, [each.replace(b"/ocsp/", b"/") for each in requests], seconds=3.0)
    yield from _rows("ocsp-get", ours, peer)


def by_post() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place, served_home(Path(place)) as home:
        serials = random.Random(1).choices(home.serials, k=NONCES)
        requests = [post("/ocsp", OCSP_REQUEST, _request(home, serial, os.urandom(32))) for serial in serials]
        load(home.port, requests, connections=CONNECTIONS, seconds=1.0)
        ours = load(home.port, requests, connections=CONNECTIONS, seconds=SECONDS)
        _judge(home, serials, ours)
        with _openssl(Path(place), home) as port:
            peer = load_one_by_one(port, [each.replace(b"POST /ocsp ", b"POST / ") for each in requests], seconds=3.0)
    yield from _rows("ocsp-post", ours, peer)


def time_stamps() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place, served_home(Path(place), count=100) as home:
        digests = [os.urandom(32) for _ in range(5_000)]
        requests = [post("/tsa", TSA_REQUEST, _query(digest)) for digest in digests]
        load(home.port, requests, connections=CONNECTIONS, seconds=1.0)
        ours = load(home.port, requests, connections=CONNECTIONS, seconds=SECONDS)
        for number, body in ours.bodies:
            token = asn1.decode_der(asn1.TLV, body)
            inner = bytes(token.data)[5:]  # PKIStatusInfo granted: 30 03 02 01 00
            if parse_time_stamp_token(inner).imprint != digests[number]:
                raise RuntimeError("a token stamps something else than was asked")
    yield from _rows("tsa", ours, None)


def _rows(name: str, ours: Load, peer: Load | None) -> Iterator[Row]:
    if ours.failed:
        raise RuntimeError(f"{name}: {ours.failed} answers were not 200")
    compared = {"peer": round(peer.rate), "ratio": round(ours.rate / peer.rate, 2)} if peer else {"peer": None, "ratio": None}
    target = TARGETS[name]
    yield {"name": name, "ours": round(ours.rate), **compared, "unit": "answers/s", "target": target, "holds": ours.rate >= target}
    late = {"unit": "ms", "target": P99_MS, "holds": ours.p99 < P99_MS}
    yield {"name": f"{name}-p99", "ours": round(ours.p99, 2), "peer": round(peer.p99, 2) if peer else None, "ratio": None, **late}


def _request(home: Served, serial: int, nonce: bytes | None = None) -> bytes:
    _, name, key = issuer_hashes(home.issuing, "sha1")
    algorithm = cert_id(home.issuing, home.issuing).hash_algorithm
    single = Request(
        req_cert=CertID(hash_algorithm=algorithm, issuer_name_hash=name, issuer_key_hash=key, serial_number=serial),
        single_request_extensions=None,
    )
    extensions = [Extension(extn_id=NONCE, critical=False, extn_value=asn1.encode_der(nonce))] if nonce else None
    tbs = TBSRequest(version=0, requestor_name=None, request_list=[single], request_extensions=extensions)
    return asn1.encode_der(OCSPRequest(tbs_request=tbs, optional_signature=None))


def _query(digest: bytes) -> bytes:
    imprint = MessageImprint(hash_algorithm=tlv(Digest.SHA256.identifier_der), hashed_message=digest)
    nonce = int.from_bytes(os.urandom(8), "big")
    return asn1.encode_der(TimeStampReq(version=1, message_imprint=imprint, req_policy=None, nonce=nonce, cert_req=True, extensions=None))


def _judge(home: Served, serials: list[int] | tuple[int, ...], ours: Load) -> None:
    """What was measured were the right answers."""
    for number, body in ours.bodies:
        answer = ocsp.load_der_ocsp_response(body)
        expected = ocsp.OCSPCertStatus.REVOKED if serials[number] in home.revoked else ocsp.OCSPCertStatus.GOOD
        if (answer.serial_number, answer.certificate_status) != (serials[number], expected):
            raise RuntimeError(f"wrong answer about {serials[number]:x}: {answer.certificate_status}")


@contextmanager
def _openssl(folder: Path, home: Served) -> Iterator[int]:
    """OpenSSL's responder with the same certificates in its index, and a key of its own: the CA's is not ours to give."""
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "ca.pem").write_bytes(home.issuing.public_bytes(Encoding.PEM))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, home.now - timedelta(days=1), home.now + timedelta(days=9))
    (folder / "signer.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    until, then = f"{home.now + timedelta(days=900):%y%m%d%H%M%SZ}", f"{home.now:%y%m%d%H%M%SZ}"
    with (folder / "index.txt").open("w") as index:
        for number, serial in enumerate(home.serials):
            text = f"{serial:X}"
            gone = serial in home.revoked
            index.write(
                f"{'R' if gone else 'V'}\t{until}\t{then if gone else ''}\t{text.zfill(len(text) + len(text) % 2)}\tunknown\t/CN={number}\n"
            )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "signer.pem", "-rkey", "key.pem", "-nmin", "720"]
    with (folder / "said.txt").open("wb") as said:  # a line for each request: a pipe would fill
        process = subprocess.Popen(
            [*command, "-ignore_err", "-port", str(port)], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        _wait_for(folder / "said.txt", process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(said: Path, process: subprocess.Popen[bytes]) -> None:
    """Until it says "ACCEPT …"; connecting to find out would be its first client, and end it."""
    for _ in range(400):
        if process.poll() is not None:
            raise RuntimeError(f"openssl ocsp -port ended at once: {said.read_text()[-200:]}")
        if said.stat().st_size:
            return
        time.sleep(0.05)
    raise RuntimeError("openssl ocsp -port did not start")


BENCHES = {"ocsp-get": by_get, "ocsp-post": by_post, "tsa": time_stamps}
