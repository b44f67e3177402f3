"""Two processes of one service, each with its own house over the same books: their services' certificates change without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from config.bootstrap import create_house, open_house
from config.house import House
from config.house_file import HousePlan
from config.rekey import BusyServiceError, rekey_service
from config.settings import Settings
from db.leases import Leases
from pki.authority.establish import Organization
from pki.authority.renew import RENEWAL_WINDOW
from pki.errors import PkiError
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from pki.structures.tsp import parse_time_stamp_token
from tests.support.authority import MOMENT, StandingClock

PASSPHRASE = "a passphrase for tests"
DUE = timedelta(days=90) - RENEWAL_WINDOW


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(MOMENT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({}, home=tmp_path / "home")


@pytest.fixture
def first(settings: Settings, clock: StandingClock) -> Iterator[House]:
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example")
    house = create_house(settings, plan, clock=clock, passphrase=PASSPHRASE, lint_rate=0)
    yield house
    house.close()


@pytest.fixture
def second(first: House, settings: Settings, clock: StandingClock) -> Iterator[House]:
    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    yield house
    house.close()


def seal(house: House) -> bytes:
    subject = legal_person(country="VN", name="Trường THCS Nguyễn Trãi", identifier="NTRVN-0100109106")
    request = CertificateRequest("school-seal", subject, SoftwareKey.generate("P-256").public_key(), "school/s1")
    return house.authority.issuing.certify(request).certificate_der


def responder_certificate(house: House, certificate_der: bytes) -> x509.Certificate:
    """The certificate that an answer carries, whose signature holds."""
    answer = ocsp.load_der_ocsp_response(house.evidence.gather((certificate_der,))[2][0])
    (certificate,) = answer.certificates
    key, algorithm = certificate.public_key(), answer.signature_hash_algorithm
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert algorithm is not None
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
    return certificate


def issued(house: House) -> int:
    return len(house.stores.certificates.of_holder("authority/ocsp"))


def test_nothing_changes_before_it_is_due(first: House, clock: StandingClock) -> None:
    clock.moment += DUE - timedelta(minutes=1)
    assert first.rotation.run() == ()
    assert issued(first) == 1


def test_one_process_issues_and_the_other_finds_it_in_the_books(first: House, second: House, clock: StandingClock) -> None:
    clock.moment += DUE
    assert first.rotation.run() == ("ocsp",)
    assert second.rotation.run() == ("ocsp",)
    assert issued(first) == 2
    holder = seal(first)
    assert responder_certificate(first, holder) == responder_certificate(second, holder)
    assert second.rotation.run() == ()


def test_there_is_never_a_gap_in_either_process(first: House, second: House, clock: StandingClock) -> None:
    for _ in range(20):  # a year and a half
        clock.moment += timedelta(days=29)
        for house in (first, second):
            house.rotation.run()
            certificate = responder_certificate(house, seal(house))
            assert certificate.not_valid_before_utc <= clock.moment < certificate.not_valid_after_utc - timedelta(days=1)


def test_while_another_process_is_at_it_nobody_else_issues(first: House, second: House, clock: StandingClock) -> None:
    clock.moment += DUE
    with Leases(second.stores.database, clock=clock).turn("rotation/ocsp", at_most=timedelta(minutes=1)):
        assert first.rotation.run() == ()
    assert issued(first) == 1
    assert first.rotation.run() == ("ocsp",)


def test_the_time_stamping_certificate_changes_too(first: House, clock: StandingClock) -> None:
    before = first.tsa.certificates[0]
    clock.moment = x509.load_der_x509_certificate(before).not_valid_after_utc - RENEWAL_WINDOW
    assert set(first.rotation.run()) == {"ocsp", "tsa"}
    after = first.tsa.certificates
    assert after[0] != before
    assert after[1:] == (first.authority.issuing_der,)
    assert after[0] in parse_time_stamp_token(first.tsa.stamp(bytes(32))).cms.certificates


def test_a_service_goes_on_with_what_it_has_where_another_certificate_will_not_do(first: House) -> None:
    before = first.responder.certificate_der  # type: ignore[union-attr]  # one issuing authority, one responder
    with pytest.raises(PkiError, match="key"):
        first.responder.adopt(first.authority.tsa.certificate_der, first.authority.ocsp.key)  # type: ignore[union-attr]
    assert first.responder.certificate_der == before  # type: ignore[union-attr]


def rekeyed(house: House, label: str, reason: str | None = None) -> bytes:
    """Another key, as `eduseal certificates rekey-service` makes it beside the running service."""
    done = rekey_service(house.settings, label, reason=reason, clock=house.clock, passphrase=PASSPHRASE)
    return done.issued[0].certificate_der


def test_services_that_run_change_to_another_key(first: House, second: House, clock: StandingClock) -> None:
    clock.moment += timedelta(minutes=1)
    ocsp, tsa = rekeyed(first, "ocsp", "keyCompromise"), rekeyed(first, "tsa")
    for house in (first, second):
        assert set(house.rotation.run()) == {"ocsp", "tsa"}
        assert responder_certificate(house, seal(house)) == x509.load_der_x509_certificate(ocsp)
        assert tsa in parse_time_stamp_token(house.tsa.stamp(bytes(32))).cms.certificates
        assert house.rotation.run() == ()


def test_a_certificate_over_the_old_key_is_not_renewed_after_another_took_its_place(first: House, clock: StandingClock) -> None:
    clock.moment += timedelta(minutes=1)
    new = x509.load_der_x509_certificate(rekeyed(first, "ocsp")).public_key()
    clock.moment += DUE
    first.rotation.run()
    assert responder_certificate(first, seal(first)).public_key() == new


def test_a_revoked_certificate_without_successor_is_told(first: House) -> None:
    (entry,) = first.stores.certificates.of_holder("authority/ocsp")
    first.authority.issuing.revoke(entry.serial, "keyCompromise")
    with pytest.raises(PkiError, match="no certificate of ocsp under issuing is in force; `eduseal certificates rekey-service ocsp`"):
        first.rotation.run()


def test_nobody_makes_another_key_while_the_certificate_is_being_renewed(first: House, second: House, clock: StandingClock) -> None:
    other = Leases(second.stores.database, clock=clock)
    with other.turn("rotation/ocsp", at_most=timedelta(minutes=1)), pytest.raises(BusyServiceError, match="being renewed at this moment"):
        rekeyed(first, "ocsp")
    assert issued(first) == 1


def test_a_key_that_a_crash_left_without_certificate_is_used(first: House, clock: StandingClock) -> None:
    left = first.keys.generate("tsa-2")
    clock.moment += timedelta(minutes=1)
    assert x509.load_der_x509_certificate(rekeyed(first, "tsa")).public_key() == left.public_key()
