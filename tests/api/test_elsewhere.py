"""Two steps over HTTP: a teacher's key on their own machine, a seal of another authority; and everything that is refused between them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from api.app import create_app
from api.judge import ProcessJudge
from config.bootstrap import utc_now
from pki.identity.subject import person
from pki.keys.key_store_uri import parse_key_store_uri
from pki.keys.pkcs11.store import Pkcs11KeyStore
from pki.keys.pkcs11.token import Token
from pki.keys.softkey import SoftwareKey
from tests.api.conftest import serving
from tests.api.school import SchoolCase, make_school
from tests.support.authority import TestAuthority, make_authority
from tests.support.registration import issue_for_own_key
from tests.support.signing_cases import encrypted_pdf, foreign_pdf
from tests.support.softhsm import PIN as TOKEN_PIN
from tests.support.softhsm import softhsm

__all__ = ["softhsm"]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, outside: TestAuthority) -> Iterator[SchoolCase]:
    made = make_school(tmp_path_factory.mktemp("school"))
    trust = made.house.settings.home / "trust"
    trust.mkdir()
    (trust / "government.pem").write_bytes(pem(outside.root_der))
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def outside() -> TestAuthority:
    """Another authority, which the operator trusts."""
    return make_authority(utc_now().replace(microsecond=0) - timedelta(hours=1), base_url="http://ca.gov.example")


@pytest.fixture(scope="module")
def client(case: SchoolCase) -> Iterator[httpx.Client]:
    with serving(create_app(case.house, ProcessJudge(case.house))) as url, httpx.Client(base_url=url, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def own_key() -> ec.EllipticCurvePrivateKey:
    """On the teacher's token: the service never sees it."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificate(client: httpx.Client, case: SchoolCase, own_key: ec.EllipticCurvePrivateKey) -> str:
    """Our authority's, over the teacher's own key."""
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(own_key, hashes.SHA256())
    order = {"holder": case.teacher.id, "csr_pem": csr.public_bytes(Encoding.PEM).decode()}
    answer = client.post("/api/v1/certificates", json=order, headers=bearer(case.token))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["certificate_pem"])


@pytest.fixture
def fresh(case: SchoolCase) -> bytes:
    """A record of its own for each test, opened in the books."""
    opened = set(case.house.stores.records.ids())
    index = next(n for n, record in enumerate(case.records) if record.id not in opened)
    return case.export(case.open(index))


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def prepare(client: httpx.Client, token: str, pdf: bytes, certificate: str | bytes, **fields: str) -> httpx.Response:
    data = {"certificate": certificate if isinstance(certificate, str) else certificate.decode(), **fields}
    return client.post("/api/v1/sign/prepare", files={"file": ("r.pdf", pdf)}, data=data, headers=bearer(token))


def prepared(client: httpx.Client, token: str, pdf: bytes, certificate: str | bytes, **fields: str) -> dict[str, Any]:
    answer = prepare(client, token, pdf, certificate, **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def complete(client: httpx.Client, token: str, name: str, signature: bytes, **more: str) -> httpx.Response:
    body = {"prepared": name, "signature": base64.b64encode(signature).decode(), **more}
    return client.post("/api/v1/sign/complete", json=body, headers=bearer(token))


def by_hash(key: ec.EllipticCurvePrivateKey, waiting: dict[str, Any]) -> bytes:
    """As a token that signs a hash does."""
    return key.sign(base64.b64decode(waiting["hash"]), ec.ECDSA(Prehashed(hashes.SHA256())))


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def judged(client: httpx.Client, pdf: bytes) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/api/v1/verify", files={"file": ("r.pdf", pdf)}).json()
    return found


def test_teacher_signs_a_record_of_the_books_with_a_key_of_their_own(client, case, certificate, own_key, fresh):
    waiting = prepared(client, case.token, fresh, certificate, step="homeroom")
    assert (waiting["algorithm"], waiting["digest_algorithm"]) == ("ecdsa-with-SHA256", "sha256")
    assert hashlib.sha256(base64.b64decode(waiting["signed_attributes"])).digest() == base64.b64decode(waiting["hash"])
    answer = complete(client, case.token, waiting["prepared"], by_hash(own_key, waiting))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    (signature,) = judged(client, answer.content)["signatures"]
    assert (signature["level"], signature["signer"]["role"]) == ("PAdES-BASELINE-T", "teacher")
    record_id = judged(client, answer.content)["record"]["id"]
    state = case.house.stores.records.load(record_id)
    assert [(done.step, done.by) for done in state.working.signed] == [("homeroom", case.teacher.id)]
    assert case.house.services.records.document(record_id) == answer.content


def test_key_that_hashes_by_itself_signs_the_attributes(client, case, certificate, own_key, fresh):
    waiting = prepared(client, case.token, fresh, certificate, step="homeroom")
    signature = own_key.sign(base64.b64decode(waiting["signed_attributes"]), ec.ECDSA(hashes.SHA256()))
    assert complete(client, case.token, waiting["prepared"], signature, certificate_pem=certificate).status_code == 200


def test_key_in_a_token_signs_the_hash(client, case, softhsm, fresh):
    place = parse_key_store_uri(softhsm.token().uri())
    key = Pkcs11KeyStore.open_or_create(place, pin=TOKEN_PIN).generate("teacher")
    who = case.house.services.roster.person(case.teacher.id)
    issued = issue_for_own_key(case.house, who, case.school, key.public_key())
    waiting = prepared(client, case.token, fresh, pem(issued.certificate_der), step="homeroom")
    rs = Token(place, TOKEN_PIN).sign("eduseal/teacher", base64.b64decode(waiting["hash"]))
    signature = encode_dss_signature(int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big"))
    answer = complete(client, case.token, waiting["prepared"], signature)
    assert answer.status_code == 200, answer.text
    assert judged(client, answer.content)["signatures"][0]["level"] == "PAdES-BASELINE-T"


def test_any_document_is_signed_and_archived_with_our_certificate(client, case, certificate, own_key):
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Letter", reason="Gửi phụ huynh")
    answer = complete(client, case.token, waiting["prepared"], by_hash(own_key, waiting))
    assert answer.status_code == 200, answer.text
    (signature,) = judged(client, answer.content)["signatures"]
    assert (signature["field"], signature["level"]) == ("Letter", "PAdES-BASELINE-LTA")


def test_seal_of_another_authority_signs_a_letter_and_is_known_in_verification(client, case, outside):
    seal = outside.issue_seal(case.school.short_name, case.school.identifier)
    chain = pem(seal.certificate_der) + pem(outside.issuing_der) + pem(outside.root_der)
    waiting = prepared(client, case.token, foreign_pdf(), chain, field="Seal")
    signature = seal.key.sign(base64.b64decode(waiting["signed_attributes"]))
    answer = complete(client, case.token, waiting["prepared"], signature)
    assert answer.status_code == 200, answer.text
    row = judged(client, answer.content)
    messages = {message["code"] for message in row["signatures"][0]["messages"]}
    assert row["signatures"][0]["signer"]["identifier"] == case.school.identifier
    assert not messages & {"NO_CERTIFICATE_CHAIN_FOUND", "CHAIN_NOT_TRUSTED"}, messages


def test_teacher_with_another_authoritys_certificate_is_held_against_the_roster(client, case, outside, fresh):
    key = SoftwareKey.generate()
    answers = []
    for name in (case.teacher.name.upper(), "Ai Đó"):
        subject = person(
            country="VN", surname="X", given_name="Y", common_name=name, identifier="PNOVN-001185000009",
            organization=case.school.short_name, organization_identifier=case.school.identifier,
        )  # fmt: skip
        issued = outside.certify("teacher", subject, key, holder="one-and-the-same")
        chain = pem(issued.certificate_der) + pem(outside.issuing_der)
        answers.append(prepare(client, case.token, fresh, chain, step="homeroom", holder=case.teacher.id))
        answers.append(prepare(client, case.token, fresh, chain, step="homeroom"))
    assert [answer.status_code for answer in answers] == [200, 403, 403, 403]
    assert "is not in the name that the roster has" in answers[2].json()["detail"]
    assert "name its holder" in answers[1].json()["detail"]


def test_preparation_is_good_once(client, case, certificate, own_key):
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Once")
    signature = by_hash(own_key, waiting)
    assert complete(client, case.token, waiting["prepared"], signature).status_code == 200
    assert problem(complete(client, case.token, waiting["prepared"], signature)) == (409, "preparation-used")


def test_preparation_is_over_after_some_minutes(client, case, certificate, own_key):
    store = case.house.stores.prepared
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Late")
    key_id = case.token.split("_")[1]
    long_past = case.house.clock() - timedelta(hours=1)
    signature = store.get(waiting["prepared"], api_key_id=key_id, at=case.house.clock()).signature
    late = store.put(signature, api_key_id=key_id, purpose={"original": 0}, at=long_past, lifetime=timedelta(minutes=10))
    answer = complete(client, case.token, late.id, by_hash(own_key, waiting))
    assert problem(answer) == (410, "preparation-expired")


def test_preparation_of_another_key_is_as_good_as_none(client, case, certificate, own_key):
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Mine")
    for token, name in ((case.other_token, waiting["prepared"]), (case.token, "0" * 48), (case.token, "' OR 1=1")):
        assert problem(complete(client, token, name, by_hash(own_key, waiting))) == (404, "unknown-preparation")


def test_tampered_signature_is_refused_and_the_right_one_still_completes(client, case, certificate, own_key):
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Tampered")
    good = by_hash(own_key, waiting)
    other = ec.generate_private_key(ec.SECP256R1())
    for wrong in (b"", b"\x00", good[:-1] + bytes((good[-1] ^ 1,)), by_hash(other, waiting), b"0" * 3000):
        assert problem(complete(client, case.token, waiting["prepared"], wrong))[0] == 422
    assert problem(complete(client, case.token, waiting["prepared"], by_hash(other, waiting))) == (422, "signature-mismatch")
    assert complete(client, case.token, waiting["prepared"], good).status_code == 200


def test_signature_of_one_document_does_not_complete_another(client, case, certificate, own_key):
    first = prepared(client, case.token, foreign_pdf(), certificate, field="A")
    second = prepared(client, case.token, foreign_pdf(), certificate, field="B")
    assert problem(complete(client, case.token, second["prepared"], by_hash(own_key, first))) == (422, "signature-mismatch")


def test_another_certificate_than_the_prepared_one_is_refused(client, case, certificate, own_key, outside):
    waiting = prepared(client, case.token, foreign_pdf(), certificate, field="Certificate")
    other = pem(outside.issue_teacher().certificate_der).decode()
    answer = complete(client, case.token, waiting["prepared"], by_hash(own_key, waiting), certificate_pem=other)
    assert problem(answer) == (422, "unfit-certificate")


def test_certificate_below_no_trusted_authority_is_refused(client, case, fresh):
    stranger = make_authority(case.house.clock() - timedelta(hours=1))
    chain = pem(stranger.issue_teacher().certificate_der) + pem(stranger.issuing_der) + pem(stranger.root_der)
    assert problem(prepare(client, case.token, fresh, chain, step="homeroom", holder=case.teacher.id)) == (
        422,
        "path-signature",
    )  # ours bears the same name


def test_certificate_that_is_not_for_documents_is_refused(client, case):
    tsa = pem(case.house.authority.tsa.certificate_der)
    assert problem(prepare(client, case.token, foreign_pdf(), tsa, field="F")) == (422, "purpose")


def test_revoked_certificate_is_refused_in_either_step(client, case):
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    order = {"holder": case.principal.id, "csr_pem": csr.public_bytes(Encoding.PEM).decode()}
    view = client.post("/api/v1/certificates", json=order, headers=bearer(case.token)).json()
    waiting = prepared(client, case.token, foreign_pdf(), view["certificate_pem"], field="F")
    case.house.authority.issuing.revoke(int(view["serial"], 16), "keyCompromise")
    assert problem(complete(client, case.token, waiting["prepared"], by_hash(key, waiting))) == (403, "not-entitled")
    assert problem(prepare(client, case.token, foreign_pdf(), view["certificate_pem"], field="F")) == (403, "not-entitled")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("principal", (409, "workflow")),
        ("seal", (409, "workflow")),
        ("nothing", (409, "workflow")),
        ("", (422, "invalid-request")),
    ],
)
def test_step_that_is_not_next_is_refused(client, case, certificate, fresh, step, expected):
    assert problem(prepare(client, case.token, fresh, certificate, step=step)) == expected


def test_teachers_certificate_does_not_sign_for_a_principal(client, case, certificate, own_key, fresh):
    waiting = prepared(client, case.token, fresh, certificate, step="homeroom")
    signed = complete(client, case.token, waiting["prepared"], by_hash(own_key, waiting)).content
    answer = prepare(client, case.token, signed, certificate, step="principal")
    assert problem(answer) == (403, "not-entitled")
    assert "the certificate is a teacher's; step principal is for a principal" in answer.json()["detail"]


def test_record_of_another_school_is_refused(client, case, certificate, fresh):
    assert problem(prepare(client, case.other_token, fresh, certificate, step="homeroom")) == (403, "not-entitled")


def test_record_that_was_signed_meanwhile_is_not_completed(client, case, certificate, own_key, fresh):
    first, second = (prepared(client, case.token, fresh, certificate, step="homeroom") for _ in range(2))
    assert complete(client, case.token, first["prepared"], by_hash(own_key, first)).status_code == 200
    assert problem(complete(client, case.token, second["prepared"], by_hash(own_key, second))) == (409, "stale-document")


def test_document_that_no_signing_takes_is_not_prepared(client, case, certificate):
    hidden = foreign_pdf().replace(b"0.5 g", b"0.5 g").rpartition(b"startxref")[0]
    script = foreign_pdf(form="direct").replace(b"/Type /Catalog", b"/AA << >> /Type /Catalog")
    for pdf in (encrypted_pdf(), b"a,b\n", hidden, script):
        assert problem(prepare(client, case.token, pdf, certificate, field="F"))[0] == 422


def test_certificate_that_is_none_is_refused(client, case):
    for text in ("", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        assert problem(prepare(client, case.token, foreign_pdf(), text, field="F"))[0] == 422


def test_both_steps_need_an_api_key(client, case, certificate):
    assert problem(prepare(client, "eduseal_0_0", foreign_pdf(), certificate, field="F")) == (401, "no-access")
    assert problem(complete(client, "eduseal_0_0", "0" * 48, b"0")) == (401, "no-access")


def test_no_route_takes_a_bare_hash(client, case):
    """A hash that no preparation of ours made is signed by nobody: there is no way to hand one in."""
    paths = client.get("/api/v1/openapi.json").json()
    schemas = {name: set(schema.get("properties", {})) for name, schema in paths["components"]["schemas"].items()}
    forms = [
        set(content["schema"]["properties"])
        for path in paths["paths"].values()
        for verb in path.values()
        for content in verb.get("requestBody", {}).get("content", {}).values()
        if "properties" in content.get("schema", {})
    ]
    sent = [members for name, members in schemas.items() if not name.endswith("View")] + forms
    assert len(sent) > 4
    for members in sent:
        assert not {name for name in members if any(word in name for word in ("hash", "digest", "attributes", "tbs"))}


def test_persons_key_signs_documents_alone(client, case):
    """With a holder and a PIN, what is signed is an uploaded record: a hash in its place, or beside it, signs nothing."""
    fields = {"holder": case.teacher.id, "pin": "con mèo béo 7", "step": "homeroom", "hash": "00" * 32, "prepared": "0" * 48}
    form = client.post("/api/v1/sign", data=fields, headers=bearer(case.token))
    assert form.status_code in (400, 415)
    as_file = client.post("/api/v1/sign", files={"file": ("h", bytes(32))}, data=fields, headers=bearer(case.token))
    assert problem(as_file)[0] == 422
