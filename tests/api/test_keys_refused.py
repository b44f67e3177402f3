"""Keys that the service certifies for nobody, over HTTP: weak ones, compromised ones, somebody else's, and anybody's who is suspended."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from api.app import create_app
from api.judge import ProcessJudge
from tests.api.conftest import serving
from tests.api.school import SchoolCase, make_school
from tests.support.weak_moduli import random_prime

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchoolCase]:
    made = make_school(tmp_path_factory.mktemp("school"))
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def client(case: SchoolCase) -> Iterator[httpx.Client]:
    with serving(create_app(case.house, ProcessJudge(case.house))) as url, httpx.Client(base_url=url, timeout=60) as opened:
        yield opened


def ask(client: httpx.Client, case: SchoolCase, key: PrivateKey, holder: str | None = None) -> httpx.Response:
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    order = {"holder": holder or case.teacher.id, "csr_pem": csr.public_bytes(Encoding.PEM).decode()}
    return client.post("/api/v1/certificates", json=order, headers={"Authorization": f"Bearer {case.token}"})


def on_curve() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def close_primes() -> rsa.RSAPrivateKey:
    p = random_prime(3)
    q = p + 2
    while pow(2, q - 1, q) != 1:
        q += 2
    e, phi = 65537, (p - 1) * (q - 1)
    d = pow(e, -1, phi)
    numbers = rsa.RSAPrivateNumbers(q, p, d, d % (q - 1), d % (p - 1), pow(p, -1, q), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key()


def test_weak_keys_are_refused_by_name(client: httpx.Client, case: SchoolCase) -> None:
    for key, weakness in ((close_primes(), "close-primes"), (rsa.generate_private_key(3, 2048), "exponent")):
        answer = ask(client, case, key)
        assert answer.status_code == 422, answer.text
        assert f"weak key ({weakness})" in answer.json()["detail"]


def test_a_compromised_key_is_never_certified_again(client: httpx.Client, case: SchoolCase) -> None:
    key = on_curve()
    view = ask(client, case, key).json()
    case.house.authority.issuing.revoke(int(view["serial"], 16), "keyCompromise")
    for holder in (case.teacher.id, case.principal.id):
        answer = ask(client, case, key, holder)
        assert answer.status_code == 422, answer.text
        assert "was reported as compromised and is never certified again" in answer.json()["detail"]


def test_a_key_serves_one_person(client: httpx.Client, case: SchoolCase) -> None:
    key = on_curve()
    assert ask(client, case, key).status_code == 201
    answer = ask(client, case, key, case.principal.id)
    assert (answer.status_code, "needs a key of their own" in answer.json()["detail"]) == (422, True)


def test_who_is_suspended_gets_no_certificate_over_another_key(client: httpx.Client, case: SchoolCase) -> None:
    view = ask(client, case, on_curve(), case.principal.id).json()
    issuing = case.house.authority.issuing
    issuing.suspend(int(view["serial"], 16))
    answer = ask(client, case, on_curve(), case.principal.id)
    issuing.release(int(view["serial"], 16))
    assert (answer.status_code, "is suspended; release it or revoke it first" in answer.json()["detail"]) == (422, True)
    assert ask(client, case, on_curve(), case.principal.id).status_code == 201
