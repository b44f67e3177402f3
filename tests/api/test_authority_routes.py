from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from config.house import House
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest, IssuedCertificate
from pki.keys.softkey import SoftwareKey


def issue(house: House) -> IssuedCertificate:
    subject = legal_person(country="VN", name="Trường THCS Nguyễn Trãi", identifier="NTRVN-0100109106")
    key = SoftwareKey.generate("P-256")
    return house.authority.issuing.certify(CertificateRequest("school-seal", subject, key.public_key(), "school/s1"))


def request_der(house: House, certificate_der: bytes) -> bytes:
    issuer = x509.load_der_x509_certificate(house.authority.issuing_der)
    builder = ocsp.OCSPRequestBuilder().add_certificate(x509.load_der_x509_certificate(certificate_der), issuer, hashes.SHA1())
    return builder.build().public_bytes(Encoding.DER)


def ask(client: httpx.Client, request: bytes) -> ocsp.OCSPResponse:
    answer = client.post("/ocsp", content=request, headers={"Content-Type": "application/ocsp-request"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ocsp-response")
    return ocsp.load_der_ocsp_response(answer.content)


def run(*command: str | Path, stdin: bytes | None = None) -> str:
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def pems(house: House, folder: Path) -> tuple[Path, Path, Path]:
    """Root, issuing CA, and a fresh seal's certificate as files."""
    found = []
    for name, der in (
        ("root", house.authority.root_der),
        ("issuing", house.authority.issuing_der),
        ("seal", issue(house).certificate_der),
    ):
        path = folder / f"{name}.pem"
        path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
        found.append(path)
    root, issuing, seal = found
    return root, issuing, seal


def test_ocsp_says_good_for_an_issued_certificate(client: httpx.Client, house: House) -> None:
    assert ask(client, request_der(house, issue(house).certificate_der)).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_ocsp_says_revoked_at_once(client: httpx.Client, house: House) -> None:
    issued = issue(house)
    house.authority.issuing.revoke(issued.serial, "keyCompromise")
    assert ask(client, request_der(house, issued.certificate_der)).certificate_status is ocsp.OCSPCertStatus.REVOKED


def test_ocsp_by_get_may_be_cached_and_by_post_not(client: httpx.Client, house: House) -> None:
    request = request_der(house, issue(house).certificate_der)
    by_get = client.get(f"/ocsp/{base64.b64encode(request).decode()}")
    assert ocsp.load_der_ocsp_response(by_get.content).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert "must-revalidate" in by_get.headers["cache-control"]
    assert {"expires", "last-modified", "etag"} <= set(by_get.headers)
    by_post = client.post("/ocsp", content=request, headers={"Content-Type": "application/ocsp-request"})
    assert by_post.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"", b"0", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 2000, b"GET / HTTP/1.1", bytes(5000)])
def test_a_malformed_ocsp_request_gets_the_protocols_error(client: httpx.Client, body: bytes) -> None:
    assert ask(client, body).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize("path", ["AAAA", "%%%", "A", "é", "MA==/x", "A" * 20_000])
def test_a_malformed_ocsp_path_gets_the_protocols_error(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/ocsp/{path}")
    assert answer.status_code == 200
    assert ocsp.load_der_ocsp_response(answer.content).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("spelling", ["/{}", "{}%3D", "%2F{}"])
def test_a_slash_too_many_and_padding_are_forgiven(client: httpx.Client, house: House, spelling: str) -> None:
    encoded = quote(base64.b64encode(request_der(house, issue(house).certificate_der)).decode().rstrip("="), safe="")
    found = client.get("/ocsp/" + spelling.format(encoded))
    assert ocsp.load_der_ocsp_response(found.content).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_ocsp_without_its_books_says_try_later_and_never_good(doomed_client: httpx.Client, doomed_house: House) -> None:
    request = request_der(doomed_house, issue(doomed_house).certificate_der)
    with doomed_house.stores.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE certificates")
    assert ask(doomed_client, request).response_status is ocsp.OCSPResponseStatus.TRY_LATER


@pytest.mark.parametrize("body", [b"", b"0", b"\x30\x84\xff\xff\xff\xff", bytes(5000)])
def test_a_malformed_time_stamp_request_is_rejected_in_the_protocol(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/tsa", content=body, headers={"Content-Type": "application/timestamp-query"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/timestamp-reply")
    assert answer.content[:1] == b"\x30"
    assert b"\x02\x01\x02" in answer.content[:10]  # PKIStatus rejection


@pytest.mark.parametrize(("path", "kind"), [("/ocsp", "application/ocsp-request"), ("/tsa", "application/timestamp-query")])
def test_another_type_method_or_size_is_an_http_error(client: httpx.Client, path: str, kind: str) -> None:
    wrong = client.post(path, content=b"x", headers={"Content-Type": "text/plain"})
    assert (wrong.status_code, wrong.json()["detail"]) == (415, f"content type is text/plain, expected {kind}")
    refused = client.put(path, content=b"x")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    large = client.post(path, content=bytes(20_000), headers={"Content-Type": kind})
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")


def test_the_issuers_certificates_are_published(client: httpx.Client, house: House) -> None:
    assert client.get("/ca/root.cer").content == house.authority.root_der
    assert x509.load_pem_x509_certificate(client.get("/ca/issuing.pem").content).public_bytes(Encoding.DER) == house.authority.issuing_der
    missing = client.get("/ca/tsa.cer")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no issuer of that name; expected root or issuing")


@pytest.mark.parametrize("path", ["/crl/issuing/2.crl", "/crl/tsa/0.crl", "/crl/root/1.crl"])
def test_a_list_that_is_not_there_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/crl/issuing/-1.crl", "/crl/issuing/x.crl", f"/crl/issuing/{'9' * 40}.crl"])
def test_a_shard_that_is_no_number_is_an_invalid_request(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_openssl_ocsp_accepts_our_answer_over_the_network(served: str, house: House, tmp_path: Path) -> None:
    root, issuing, seal = pems(house, tmp_path)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(root.read_bytes() + issuing.read_bytes())
    said = run("openssl", "ocsp", "-issuer", issuing, "-cert", seal, "-url", f"{served}/ocsp", "-CAfile", chain, "-no_nonce")
    assert f"{seal}: good" in said
    assert "Response verify OK" in said
    with_nonce = run("openssl", "ocsp", "-issuer", issuing, "-cert", seal, "-url", f"{served}/ocsp", "-CAfile", chain)
    assert "Nonce" not in with_nonce
    assert f"{seal}: good" in with_nonce


def test_curl_gets_the_same_by_get(served: str, house: House, tmp_path: Path) -> None:
    root, issuing, seal = pems(house, tmp_path)
    request, answer = tmp_path / "request.der", tmp_path / "answer.der"
    run("openssl", "ocsp", "-issuer", issuing, "-cert", seal, "-no_nonce", "-reqout", request)
    path = base64.b64encode(request.read_bytes()).decode().replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
    run("curl", "-sf", "-o", answer, f"{served}/ocsp/{path}")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(root.read_bytes() + issuing.read_bytes())
    said = run("openssl", "ocsp", "-respin", answer, "-issuer", issuing, "-cert", seal, "-CAfile", chain, "-no_nonce")
    assert f"{seal}: good" in said


def test_openssl_ts_accepts_our_time_stamp_over_the_network(served: str, house: House, tmp_path: Path) -> None:
    root, issuing, _ = pems(house, tmp_path)
    data, query, reply = tmp_path / "data", tmp_path / "query.tsq", tmp_path / "reply.tsr"
    data.write_bytes(b"a record")
    run("openssl", "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
    run("curl", "-sf", "-H", "Content-Type: application/timestamp-query", "--data-binary", f"@{query}", "-o", reply, f"{served}/tsa")
    assert "Verification: OK" in run("openssl", "ts", "-verify", "-in", reply, "-queryfile", query, "-CAfile", root, "-untrusted", issuing)


def test_openssl_crl_accepts_our_list_over_the_network(served: str, house: House, tmp_path: Path) -> None:
    root, issuing, _ = pems(house, tmp_path)
    for name, issuer in (("issuing/0", issuing), ("root/0", root)):
        crl = tmp_path / "list.crl"
        run("curl", "-sf", "-o", crl, f"{served}/crl/{name}.crl")
        assert "verify OK" in run("openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", issuer, "-noout")


def test_the_authoritys_certificates_are_listed_with_their_fingerprints(client: httpx.Client, house: House) -> None:
    listed = {one["name"]: one for one in client.get("/ca").json()}
    assert listed["root"]["sha256"] == hashlib.sha256(house.authority.root_der).digest().hex(":").upper()
    assert (listed["root"]["root"], listed["issuing"]["root"]) == (True, False)
    assert client.get(listed["issuing"]["certificate"]).status_code == 200


def test_the_chain_of_the_issuing_authority_ends_with_the_root(client: httpx.Client, house: House) -> None:
    chain = x509.load_pem_x509_certificates(client.get("/ca/issuing.chain.pem").content)
    assert [one.public_bytes(Encoding.DER) for one in chain] == [house.authority.issuing_der, house.authority.root_der]
    assert len(x509.load_pem_x509_certificates(client.get("/ca/root.chain.pem").content)) == 1
    assert client.get("/ca/nobody.chain.pem").status_code == 404
