"""`eduseal verify --online` against an authority that answers on a loopback port."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.status.crl import CrlSigner
from pki.status.ocsp import OcspResponder
from signing.applying.sign import SignatureRequest, sign
from tests.support.authority import TestAuthority, make_authority
from tests.support.signing_cases import foreign_pdf

Run = Callable[..., tuple[int, str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(self.server.responder().respond(body).der if self.headers["Content-Type"] == "application/ocsp-request" else None)

    def do_GET(self) -> None:
        shelf = {"/ca/issuing.cer": self.server.house.issuing_der, "/crl/root/0.crl": self.server.root_crl()}
        self._send(shelf.get(self.path))

    def _send(self, body: bytes | None) -> None:
        self.server.asked.append(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        pass


class Authority(ThreadingHTTPServer):
    """An authority of yesterday that publishes on the port it listens on."""

    house: TestAuthority

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.house = make_authority(datetime.now(UTC) - timedelta(days=1), base_url=f"http://127.0.0.1:{self.server_port}")
        self.teacher = self.house.issue_teacher("Nguyễn Thị Ánh")

    def responder(self) -> OcspResponder:
        self.house.clock.moment = datetime.now(UTC)
        return OcspResponder(
            issuers={"issuing": self.house.issuing_der},
            certificate_der=self.house.ocsp_der,
            key=self.house.ocsp_key,
            store=self.house.store,
            clock=self.house.clock,
        )

    def root_crl(self) -> bytes:
        return CrlSigner(
            issuer="root",
            issuer_certificate_der=self.house.root_der,
            key=self.house.root_key,
            store=self.house.store,
            clock=self.house.clock,
            shards=1,
            base_url=f"http://127.0.0.1:{self.server_port}",
        ).crl(0)

    def signed(self) -> bytes:
        request = SignatureRequest(
            field="Signature1",
            certificate_der=self.teacher.certificate_der,
            chain=(),
            key=self.teacher.key,
            claimed_time=self.house.clock(),
            create=True,
        )
        return bytes(sign(foreign_pdf(), request, time_stamper=None))


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    server = Authority()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def letter(authority: Authority, tmp_path: Path) -> Path:
    (tmp_path / "letter.pdf").write_bytes(authority.signed())
    root = x509.load_der_x509_certificate(authority.house.root_der)
    (tmp_path / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    return tmp_path / "letter.pdf"


def test_without_online_nothing_is_asked_and_the_issuer_is_missing(eduseal: Run, authority: Authority, letter: Path) -> None:
    before = len(authority.asked)
    status, out, _ = eduseal("verify", letter, "--trust", letter.with_name("root.pem"), "--policy", "ades", "--format", "jsonl")
    assert (status, json.loads(out)["sub_indication"]) == (2, "NO_CERTIFICATE_CHAIN_FOUND")
    assert len(authority.asked) == before


def test_online_fetches_the_issuer_and_the_status_of_both(eduseal: Run, authority: Authority, letter: Path) -> None:
    trust = ("--trust", letter.with_name("root.pem"), "--policy", "ades", "--format", "jsonl")
    status, out, err = eduseal("verify", letter, *trust, "--online")
    assert (status, json.loads(out)["indication"]) == (0, "TOTAL-PASSED"), out + err
    assert {"/ca/issuing.cer", "/ocsp", "/crl/root/0.crl"} <= set(authority.asked)


def test_an_authority_that_does_not_answer_is_named_and_the_verdict_stays_open(eduseal: Run, letter: Path) -> None:
    gone = Authority()
    letter.write_bytes(gone.signed())
    gone.server_close()
    trust = ("--trust", letter.with_name("root.pem"), "--policy", "ades", "--format", "jsonl")
    status, out, _ = eduseal("verify", letter, *trust, "--online")
    row = json.loads(out)
    assert (status, row["indication"]) == (2, "INDETERMINATE")
    assert [m["code"] for m in row["messages"]] == ["NOT_FETCHED"]
    assert "does not answer within" in row["messages"][0]["text"]
