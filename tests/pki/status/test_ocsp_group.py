"""Several authorities behind one address: each answers for its own, and a question about certificates of two is answered as well."""

from __future__ import annotations

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from pki.status.ocsp_answer import ResponseStatus
from pki.status.ocsp_group import OcspResponders
from pki.structures.cert_id import cert_id
from pki.structures.ocsp_asn1 import CertID
from tests.pki.status.test_ocsp import ask_all, statuses
from tests.support.status_house import House, make_house


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(tmp_path_factory.mktemp("newer"))


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(tmp_path_factory.mktemp("older"))


@pytest.fixture(scope="module")
def group(newer: House, older: House) -> OcspResponders:
    return OcspResponders([newer.responder(), older.responder()])


def named(house: House) -> CertID:
    return cert_id(house.teacher.certificate, house.issuing.certificate)


@pytest.mark.parametrize("which", ["newer", "older"])
def test_each_authority_answers_for_its_own(group: OcspResponders, newer: House, older: House, which: str) -> None:
    house = newer if which == "newer" else older
    answer = group.respond(ask_all(named(house)))
    assert (answer.status, answer.states) == (ResponseStatus.SUCCESSFUL, ("good",))


def test_of_certificates_of_two_authorities_the_newer_ones_are_answered(group: OcspResponders, newer: House, older: House) -> None:
    answer = group.respond(ask_all(named(older), named(newer)))
    assert statuses(answer.der) == [OCSPCertStatus.UNKNOWN, OCSPCertStatus.GOOD]
    assert newer.ocsp_party.der in answer.der
    assert not answer.cacheable


def test_requests_taken_together_keep_their_order(group: OcspResponders, newer: House, older: House) -> None:
    answers = group.respond_all([ask_all(named(older)), b"no request", ask_all(named(newer)), ask_all(named(older), named(newer))])
    assert [answer.states for answer in answers] == [("good",), (), ("good",), ("unknown", "good")]
