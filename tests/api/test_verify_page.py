from __future__ import annotations

import html
import http.client
import json
import time
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.middleware import MAX_BODY
from api.pages.verify import fingerprint
from config.house import House
from tests.api.conftest import FakeJudge

PDF = b"%PDF-1.7 anything"


def row(**changes: Any) -> dict[str, Any]:
    return {
        "sha256": "ab" * 32,
        "indication": "TOTAL-PASSED",
        "sub_indication": None,
        "entitlement": "complete",
        "signatures": [],
        "timestamps": [],
        "record": {"id": "r1", "version": 1, "status": None},
        "messages": [],
        "engine": "reference",
        "ms": 1.0,
        **changes,
    }


def signed_by(name: str) -> dict[str, Any]:
    return {
        "field": "F",
        "indication": "TOTAL-PASSED",
        "sub_indication": None,
        "level": "PAdES-BASELINE-LTA",
        "signer": {"name": name, "role": "teacher", "organization": "THCS Nguyễn Trãi", "identifier": None, "serial": "ab"},
        "claimed_time": None,
        "best_signature_time": "2026-05-29T08:30:01Z",
        "coverage": "entire-file",
        "changes": "none",
        "messages": [],
    }


def post(client: httpx.Client, data: bytes = PDF, *, name: str = "r.pdf", path: str = "/verify?lang=en") -> httpx.Response:
    return client.post(path, files={"file": (name, data)})


def test_the_address_leads_to_the_page(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/verify")


def test_the_page_tells_the_roots_fingerprint_and_the_right_address(client: httpx.Client, house: House) -> None:
    text = client.get("/verify", headers={"Host": "forger.example"}).text
    assert fingerprint(house.authority.root_der) in text
    assert "pki.eduseal.example" in text
    assert "forger.example" not in text


def test_the_page_speaks_the_browsers_language(client: httpx.Client) -> None:
    answer = client.get("/verify", headers={"Accept-Language": "zh-CN"})
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("zh", "Accept-Language")
    assert '<html lang="zh">' in answer.text


def test_nothing_is_cached_and_no_script_can_run(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row()
    for answer in (client.get("/verify"), post(client)):
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert "<script" not in answer.text
        assert " style=" not in answer.text


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    for path in ("/verify", "/static/pico.min.css", "/ca/root.cer", "/nothing", "/ocsp"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_the_judge_gets_the_file_the_moment_and_our_own_evidence(client: httpx.Client, judge: FakeJudge, house: House) -> None:
    judge.row = row()
    post(client, b"the bytes", name="học bạ.pdf")
    ((name, data, at, supplied),) = judge.asked
    assert (name, data, at) == ("học bạ.pdf", b"the bytes", house.clock())
    assert supplied.certificates == (house.authority.issuing_der,)
    assert len(supplied.crls) == 2


def test_a_record_that_the_books_do_not_know_is_not_called_current(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row()
    text = post(client).text
    assert 'data-outcome="undetermined"' in text
    assert "the books behind this page do not know the record" in text


def test_names_from_strangers_are_shown_as_text(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row(signatures=[signed_by("<img src=x onerror=alert(1)>")], messages=[{"code": "X", "text": "<b>bold</b>"}])
    text = post(client, name="../../<i>a</i>\u202e.pdf").text
    assert "<img" not in text
    assert "<b>bold" not in text
    assert html.escape("<img src=x onerror=alert(1)>") in text
    assert "\u202e" not in text


def test_a_file_that_is_no_pdf_is_said_to_be_none(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row(indication="NO-SIGNATURE", entitlement="unknown", record=None, messages=[{"code": "NOT_A_PDF", "text": "x"}])
    assert "This file is no PDF that can be read." in post(client).text


def test_the_api_answers_with_the_contracts_object(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row()
    for answer in (
        post(client, path="/api/v1/verify"),
        client.post("/api/v1/verify", content=PDF, headers={"Content-Type": "application/pdf"}),
    ):
        assert answer.json() == {**row(), "file": answer.json()["file"]}
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("arguments", "status", "detail"),
    [
        ({}, 415, "content type is missing"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "content type is text/plain"),
        ({"content": b"", "headers": {"Content-Type": "application/pdf"}}, 400, "the file is empty"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "the form cannot be read"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, ""),
        ({"content": b"--x\r\n\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, ""),
        ({"files": {"other": ("r.pdf", PDF)}}, 400, "expected a file in field 'file'"),
        ({"files": {"file": ("r.pdf", b"")}}, 400, "the file is empty"),
        ({"files": [("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))]}, 400, "the form cannot be read"),
        ({"files": {"file": ("r.pdf", PDF)}, "data": {"x": "y" * 20_000}}, 400, "the form cannot be read"),
    ],
)
def test_a_malformed_upload_is_a_problem_document(
    client: httpx.Client, judge: FakeJudge, arguments: dict[str, Any], status: int, detail: str
) -> None:
    answer = client.post("/api/v1/verify", **arguments)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert judge.asked == []


def test_a_missing_file_is_said_on_the_page_in_words(client: httpx.Client) -> None:
    answer = client.post("/verify?lang=en", files={"file": ("", b"")})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "No file came. Choose a PDF and try again." in answer.text


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(served: str) -> None:
    connection = http.client.HTTPConnection(served.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", "/api/v1/verify")
    connection.putheader("Content-Type", "application/pdf")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(answer.read())["detail"] == "the request is larger than the 32 MB that are accepted"
    connection.close()


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(client: httpx.Client, judge: FakeJudge) -> None:
    def chunks() -> Any:
        for _ in range(MAX_BODY // (1024 * 1024) + 1):
            yield bytes(1024 * 1024)

    answer = client.post("/api/v1/verify", content=chunks(), headers={"Content-Type": "application/pdf"})
    assert answer.status_code == 413
    assert judge.asked == []


def test_a_head_request_gets_the_headers_alone(client: httpx.Client) -> None:
    for path in ("/verify", "/ca/root.cer", "/crl/root/0.crl"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 0


def test_a_fault_of_ours_says_nothing_but_that_it_is_one(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = {"broken": "secret detail"}
    answer = post(client, path="/api/v1/verify")
    assert answer.status_code == 200
    judge.row = row(record={"id": "r1"}, secret="a pupil's marks")
    with capture_logs() as logs:
        answer = post(client, path="/api/v1/verify")
        deadline = time.monotonic() + 10
        while not logs and time.monotonic() < deadline:
            time.sleep(0.01)  # the answer leaves before the fault is noted
    assert [(entry["event"], entry["error"]) for entry in logs] == [("service.fault", "KeyError")]
    assert "marks" not in str(logs)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["detail"] == "the service failed; it has been noted"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_books_that_cannot_be_read_are_a_service_to_come_back_to(
    doomed_client: httpx.Client, doomed_house: House, judge: FakeJudge
) -> None:
    judge.row = row()
    with doomed_house.stores.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE documents")
        connection.exec_driver_sql("DROP TABLE record_versions")
    answer = post(doomed_client, path="/api/v1/verify")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "record_versions" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("DELETE", "/verify", 405, "GET, HEAD, POST"),
        ("GET", "/api/v1/verify", 405, "POST"),
        ("PUT", "/api/v1/certificates", 405, "GET, HEAD, POST"),
        ("GET", "/nothing", 404, None),
        ("GET", "/static/../app.py", 404, None),
        ("GET", "/static/%2e%2e/app.py", 404, None),
    ],
)
def test_what_is_not_there_or_not_allowed_is_a_problem_document(
    client: httpx.Client, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers.get("allow") == allow


def test_a_code_shows_the_status_alone_and_says_what_it_does_not_prove(client: httpx.Client) -> None:
    text = client.get("/verify", params={"lang": "en", "record": "<b>r9", "version": 1}).text
    assert "do not know this record and version" in text
    assert "A code proves nothing about the file" in text
    assert "<b>r9" not in text


def test_a_code_that_is_none_is_an_invalid_request(client: httpx.Client) -> None:
    assert client.get("/verify", params={"record": "r1", "version": "x"}).status_code == 422
    assert client.get("/verify", params={"record": "r" * 100, "version": 1}).status_code == 422


def test_the_interface_describes_itself_without_foreign_scripts(client: httpx.Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/verify", "/api/v1/sign", "/api/v1/certificates", "/ca/{name}.cer", "/crl/{issuer}/{shard}.crl"} <= set(paths)
    assert client.get("/docs").status_code == 404
