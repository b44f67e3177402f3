"""The service as a school's program and an outsider meet it, over the network, with the real verifier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import sync_playwright

from api.app import create_app
from api.judge import ProcessJudge
from records.export import Exporter
from tests.api.conftest import serving
from tests.api.school import PIN, SchoolCase, make_school

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchoolCase]:
    made = make_school(tmp_path_factory.mktemp("school"))
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def base(case: SchoolCase) -> Iterator[str]:
    with serving(create_app(case.house, ProcessJudge(case.house))) as url:
        yield url


@pytest.fixture(scope="module")
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=60) as opened:
        yield opened


def sign(client: httpx.Client, token: str, pdf: bytes, **fields: str) -> httpx.Response:
    return client.post("/api/v1/sign", files={"file": ("r.pdf", pdf)}, data=fields, headers={"Authorization": f"Bearer {token}"})


def by_person(client: httpx.Client, case: SchoolCase, pdf: bytes, step: str, *, pin: str = PIN, holder: str = "") -> httpx.Response:
    who = case.teacher if step == "homeroom" else case.principal
    return sign(client, case.token, pdf, holder=holder or who.id, pin=pin, step=step)


def judge(client: httpx.Client, pdf: bytes) -> dict[str, object]:
    answer = client.post("/api/v1/verify", files={"file": ("transcript.pdf", pdf)})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def page(client: httpx.Client, pdf: bytes) -> str:
    return client.post("/verify?lang=en", files={"file": ("transcript.pdf", pdf)}).text


@pytest.fixture(scope="module")
def sealed(client: httpx.Client, case: SchoolCase) -> bytes:
    """A record that the books keep, signed by teacher and principal with their PINs and sealed by the API key."""
    pdf = case.export(case.open(0))
    for step in ("homeroom", "principal"):
        answer = by_person(client, case, pdf, step)
        assert answer.status_code == 200, answer.text
        pdf = answer.content
    answer = sign(client, case.token, pdf)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    return answer.content


def test_a_genuine_record_is_genuine_and_current(client: httpx.Client, sealed: bytes) -> None:
    row = judge(client, sealed)
    assert (row["indication"], row["entitlement"], row["file"]) == ("TOTAL-PASSED", "complete", "transcript.pdf"), row
    assert row["record"] == {"id": "HB-2026-SM-9A-01", "version": 1, "status": "current"}
    assert 'data-outcome="current"' in page(client, sealed)


def test_a_tampered_record_is_altered(client: httpx.Client, sealed: bytes) -> None:
    at = len(sealed) // 4
    tampered = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    assert judge(client, tampered)["indication"] == "TOTAL-FAILED"
    assert 'data-outcome="altered"' in page(client, tampered)


def test_bytes_after_the_end_are_an_alteration(client: httpx.Client, sealed: bytes) -> None:
    assert 'data-outcome="altered"' in page(client, sealed + b"\n1 0 obj\n<<>>\nendobj\n")


def test_an_unfinished_record_is_not_official(client: httpx.Client, case: SchoolCase) -> None:
    signed = by_person(client, case, case.export(case.open(1)), "homeroom")
    assert 'data-outcome="not-official"' in page(client, signed.content)


def test_an_unsigned_export_has_no_signature(client: httpx.Client, case: SchoolCase) -> None:
    export = case.export(case.open(2))
    assert judge(client, export)["indication"] == "NO-SIGNATURE"
    assert 'data-outcome="no-signature"' in page(client, export)


@pytest.mark.parametrize("junk", [b"not a PDF at all", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"[" * 200_000, b"\x00" * 1000])
def test_what_is_no_record_gets_an_answer_and_no_error(client: httpx.Client, junk: bytes) -> None:
    assert judge(client, junk)["indication"] in ("TOTAL-FAILED", "INDETERMINATE", "NO-SIGNATURE")
    assert 'data-outcome="current"' not in page(client, junk)


def test_a_browser_without_script_reads_the_verdict(base: str, sealed: bytes) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        view = browser.new_page(java_script_enabled=False, locale="en-US")
        view.goto(f"{base}/")
        view.set_input_files("#file", {"name": "học bạ.pdf", "mimeType": "application/pdf", "buffer": sealed})
        view.get_by_role("button", name="Verify").click()
        assert view.get_by_role("heading", level=1).inner_text() == "Genuine and current"
        assert view.get_by_text("You can accept it.").is_visible()
        assert view.get_by_text("học bạ.pdf", exact=True).is_visible()
        assert view.locator("html").get_attribute("lang") == "en"
        browser.close()


def test_a_record_of_another_system_is_sealed_as_it_came(client: httpx.Client, case: SchoolCase) -> None:
    pdf = Exporter(verify_url="http://elsewhere.example/verify").export(case.records[3], case.house.policy.workflows[0])
    for step in ("homeroom", "principal"):
        pdf = by_person(client, case, pdf, step).content
    row = judge(client, sign(client, case.token, pdf).content)
    assert (row["indication"], row["entitlement"]) == ("TOTAL-PASSED", "complete"), row


def test_a_seal_before_the_people_is_refused(client: httpx.Client, case: SchoolCase) -> None:
    answer = sign(client, case.token, case.export(case.open(4)))
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["detail"] == "step seal is out of order: step homeroom is not signed yet"


def test_a_record_signed_by_a_revoked_teacher_is_not_sealed(tmp_path: Path) -> None:
    other = make_school(tmp_path)
    with serving(create_app(other.house, ProcessJudge(other.house))) as base, httpx.Client(base_url=base, timeout=60) as there:
        pdf = other.export(other.open(0))
        for step in ("homeroom", "principal"):
            pdf = by_person(there, other, pdf, step).content
        (teacher,) = other.house.stores.certificates.of_holder(other.teacher.id)
        other.house.authority.issuing.revoke(teacher.serial, "keyCompromise")
        answer = sign(there, other.token, pdf)
    other.house.close()
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"certificate {teacher.serial:x} is revoked, expected good"


def test_what_the_people_signed_and_somebody_changed_is_not_sealed(client: httpx.Client, case: SchoolCase) -> None:
    pdf = Exporter(verify_url="http://elsewhere.example/verify").export(case.records[12], case.house.policy.workflows[0])
    for step in ("homeroom", "principal"):
        pdf = by_person(client, case, pdf, step).content
    at = pdf.index(b"stream") + 40
    answer = sign(client, case.token, pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :])
    assert answer.status_code in (409, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_schools_key_seals_nothing_of_this_school(client: httpx.Client, case: SchoolCase) -> None:
    answer = sign(client, case.other_token, case.export(case.open(5)))
    assert (answer.status_code, answer.json()["type"]) == (403, "https://eduseal.example/problems/not-entitled")


def test_another_schools_key_opens_no_ones_key_here(client: httpx.Client, case: SchoolCase) -> None:
    pdf = case.export(case.open(6))
    answer = sign(client, case.other_token, pdf, holder=case.teacher.id, pin=PIN, step="homeroom")
    assert answer.status_code == 403


def test_a_wrong_pin_signs_nothing_and_is_not_repeated(client: httpx.Client, case: SchoolCase) -> None:
    answer = by_person(client, case, case.export(case.open(7)), "homeroom", pin="a wrong PIN 9")
    assert answer.status_code == 403
    assert "a wrong PIN 9" not in answer.text


def test_the_wrong_role_is_refused_before_any_pin_is_tried(client: httpx.Client, case: SchoolCase) -> None:
    answer = by_person(client, case, case.export(case.open(8)), "homeroom", holder=case.principal.id, pin="x")
    assert (answer.status_code, answer.json()["detail"]) == (403, f"{case.principal.id} is a principal; step homeroom is for a teacher")


def test_a_changed_copy_of_a_record_in_the_books_is_not_signed(client: httpx.Client, case: SchoolCase) -> None:
    pdf = case.export(case.open(9))
    answer = by_person(client, case, pdf + b"\n", "homeroom")
    assert (answer.status_code, answer.json()["type"]) == (409, "https://eduseal.example/problems/stale-document")


@pytest.mark.parametrize("token", ["", "eduseal_00_x", "Bearer"])
def test_without_a_key_nothing_is_signed(client: httpx.Client, token: str) -> None:
    answer = sign(client, token, b"%PDF") if token else client.post("/api/v1/sign", files={"file": ("r.pdf", b"%PDF")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="eduseal"')


NO_REQUEST = "certificate request: neither DER nor PEM; expected -----BEGIN CERTIFICATE REQUEST-----"


def csr(*, tamper: bool = False) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Somebody Else")])
    )
    der = bytearray(builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER))
    if tamper:
        der[der.index(b"Somebody")] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()


def order(client: httpx.Client, token: str, holder: str, csr_pem: str) -> httpx.Response:
    return client.post("/api/v1/certificates", json={"holder": holder, "csr_pem": csr_pem}, headers={"Authorization": f"Bearer {token}"})


def staff(case: SchoolCase, index: int) -> str:
    return case.house.stores.roster.teachers(school_id="SM")[index].id


def test_a_certificate_says_what_the_roster_says(client: httpx.Client, case: SchoolCase) -> None:
    answer = order(client, case.token, staff(case, 5), csr())
    assert answer.status_code == 201, answer.text
    subject = x509.load_pem_x509_certificate(answer.json()["certificate_pem"].encode()).subject.rfc4514_string()
    assert "Somebody" not in subject
    assert case.school.identifier in subject
    assert (answer.json()["state"], answer.json()["profile"]) == ("issued", "teacher")


def test_the_same_key_gets_the_same_certificate(client: httpx.Client, case: SchoolCase) -> None:
    request = csr()
    first, second = order(client, case.token, staff(case, 6), request), order(client, case.token, staff(case, 6), request)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_possession_of_the_key_must_be_proven(client: httpx.Client, case: SchoolCase) -> None:
    answer = order(client, case.token, staff(case, 5), csr(tamper=True))
    assert (answer.status_code, answer.json()["type"]) == (422, "https://eduseal.example/problems/signature")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("x", NO_REQUEST),
        ("é" * 100, NO_REQUEST),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            "certificate request: not a PKCS#10 request (RFC 2986) in DER",
        ),
    ],
    ids=["text", "accents", "empty"],
)
def test_a_request_that_is_none_is_refused(client: httpx.Client, case: SchoolCase, text: str, detail: str) -> None:
    answer = order(client, case.token, staff(case, 5), text)
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


def test_a_key_orders_for_its_own_school_only(client: httpx.Client, case: SchoolCase) -> None:
    assert order(client, case.other_token, staff(case, 5), csr()).status_code == 404


def test_a_blocked_person_gets_no_certificate(client: httpx.Client, case: SchoolCase) -> None:
    (blocked,) = [entry for entry in case.house.stores.roster.blocked(school_id="BL") if entry.person.id.startswith("BL-GV")]
    answer = order(client, case.other_token, blocked.person.id, csr())
    assert (answer.status_code, answer.json()["type"]) == (422, "https://eduseal.example/problems/enrolment")


def test_certificates_are_looked_up_by_the_own_school_alone(client: httpx.Client, case: SchoolCase) -> None:
    def get(path: str, token: str) -> httpx.Response:
        return client.get(f"/api/v1/certificates{path}", headers={"Authorization": f"Bearer {token}"})

    (seal,) = get("?holder=seal", case.token).json()
    assert (seal["profile"], seal["state"]) == ("school-seal", "issued")
    assert get(f"/{seal['serial']}", case.token).json() == seal
    assert get(f"/{seal['serial']}", case.other_token).status_code == 404
    assert get("/ab", case.token).json()["detail"] == get(f"/{seal['serial']}", case.other_token).json()["detail"]
    assert get("", case.token).status_code == 422


def test_an_invalid_order_says_where_and_repeats_nothing(client: httpx.Client, case: SchoolCase) -> None:
    answer = client.post("/api/v1/certificates", json={"holder": 5, "pin": "a secret"}, headers={"Authorization": f"Bearer {case.token}"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert {error["where"] for error in answer.json()["errors"]} == {"body/holder", "body/csr_pem", "body/pin"}
    assert "a secret" not in answer.text


def test_five_wrong_pins_lock_the_key(client: httpx.Client, case: SchoolCase) -> None:
    # the last test of this file: it locks the principal's key out
    pdf = by_person(client, case, case.export(case.open(10)), "homeroom").content
    codes = [by_person(client, case, pdf, "principal", pin="a wrong PIN 9").status_code for _ in range(6)]
    assert codes == [403] * 4 + [423] * 2
    assert by_person(client, case, pdf, "principal").status_code == 423  # the right PIN, too
