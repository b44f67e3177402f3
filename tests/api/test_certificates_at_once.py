"""Fifty identical requests at once are one certificate, over HTTP and in the service, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from api.app import create_app
from pki.ports import CertificateState
from pki.registration.policy import RegistrationPolicy, RequestKind
from records.enrolment import enrol_seal, seal_holder, seal_request
from records.own_keys import KeyApplication, OwnKeys
from tests.api.conftest import FakeJudge, serving
from tests.api.school import SchoolCase, make_school
from tests.postgres import postgres_server, postgres_url
from tests.support.registration import PINS, SECOND, approved, house_registration

__all__ = ["postgres_server", "postgres_url"]

AT_ONCE = 50
THREADS = 16


@pytest.fixture(params=["sqlite", "postgresql"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SchoolCase]:
    made = make_school(tmp_path, request.getfixturevalue("postgres_url") if request.param == "postgresql" else None)
    yield made
    made.house.close()


def csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def test_fifty_identical_requests_over_http_are_one_certificate(case: SchoolCase) -> None:
    order = {"holder": case.principal.id, "csr_pem": csr()}
    before = len(case.house.stores.certificates.of_holder(case.principal.id))
    with serving(create_app(case.house, FakeJudge())) as base, httpx.Client(base_url=base, timeout=60) as client:

        def ask(_: int) -> httpx.Response:
            return client.post("/api/v1/certificates", json=order, headers={"Authorization": f"Bearer {case.token}"})

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(ask, range(AT_ONCE)))
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers if answer.status_code > 201][:1]
    assert len({answer.json()["serial"] for answer in answers}) == 1
    assert len(case.house.stores.certificates.of_holder(case.principal.id)) == before + 1
    (request,) = [each for each in case.house.stores.requests.list() if each.order.reference == case.principal.id]
    assert request.requested_by.startswith("api-key/")


def test_fifty_identical_requests_of_the_service_are_one_certificate(case: SchoolCase) -> None:
    issuing, books = case.house.authority.issuing, case.house.stores.certificates
    own_keys = OwnKeys(issuing, case.house.stores.roster, case.house.services.registration)
    who = case.house.services.roster.person(case.teacher.id)
    application = KeyApplication(who, case.school, ec.generate_private_key(ec.SECP256R1()).public_key())
    before, start = len(books.of_holder(who.id)), Barrier(AT_ONCE)

    def ask(_: int) -> int:
        start.wait()
        found = own_keys.look(application)
        if found.entry is not None:
            return found.entry.serial
        entry = own_keys.issue(application, own_keys.registration.open_for_program(found.order, key_id="test"))
        assert entry is not None
        return entry.serial

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert len(set(pool.map(ask, range(AT_ONCE)))) == 1
    assert len(books.of_holder(who.id)) == before + 1


def test_one_approval_shown_fifty_times_at_once_is_one_seal(case: SchoolCase) -> None:
    house, school = case.house, case.house.stores.roster.school("BL")
    registration, authority = house_registration(house), house.authority.issuing
    approval = approved(registration, seal_request(school, authority=authority))

    def issue(_: int) -> int:
        return enrol_seal(school, authority=authority, keys=house.keys, approval=approval, registration=registration)[1].serial

    with ThreadPoolExecutor(THREADS) as pool:
        serials = set(pool.map(issue, range(AT_ONCE)))
    assert [(entry.serial, entry.state) for entry in house.stores.certificates.of_holder(seal_holder(school))] == [
        (serials.pop(), CertificateState.ISSUED)
    ]
    assert not serials


def test_where_the_policy_asks_for_a_second_person_the_program_waits_for_them(case: SchoolCase) -> None:
    house = case.house
    strict = house_registration(house)
    rules = {**strict.policy.rules, RequestKind.PERSON: replace(strict.policy.rule(RequestKind.PERSON), approvals=1)}
    strict = replace(strict, policy=RegistrationPolicy(rules))
    house = replace(house, services=replace(house.services, registration=strict))
    order = {"holder": case.principal.id, "csr_pem": csr()}
    with serving(create_app(house, FakeJudge())) as base, httpx.Client(base_url=base, timeout=60) as client:
        access = {"Authorization": f"Bearer {case.token}"}
        first, second = (client.post("/api/v1/certificates", json=order, headers=access) for _ in range(2))
        assert (first.status_code, first.json()["state"], first.json()) == (202, "open", second.json())
        strict.approve(first.json()["request"], by=SECOND, secret=PINS[SECOND])
        issued, again = (client.post("/api/v1/certificates", json=order, headers=access) for _ in range(2))
    assert (issued.status_code, again.status_code) == (201, 200)
    assert issued.json()["serial"] == again.json()["serial"]
