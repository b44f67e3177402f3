"""`eduseal certificates rekey-service`, and what it is needed for: the authority's own services lose a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.bootstrap import open_house, utc_now
from config.house import House
from config.report_seal import report_signer
from config.settings import Settings
from pki.ports import CertificateEntry, CertificateState
from tests.support.school_home import PASSPHRASE

SERVICES = ("tsa", "ocsp")


@contextmanager
def house_of(desk) -> Iterator[House]:
    house = open_house(Settings.from_environment({}, home=desk.home), clock=utc_now, passphrase=PASSPHRASE)
    yield house
    house.close()


def entries(desk, service: str) -> tuple[CertificateEntry, ...]:
    with desk.books() as books:
        return books.certificates.of_holder(f"authority/{service}")


def states(desk, service: str) -> list[tuple[str, str | None]]:
    return [(entry.state.value, entry.revocation_reason) for entry in entries(desk, service)]


def stolen(desk, label: str) -> Path:
    with house_of(desk) as house:
        key = house.keys.open(label)
        Path("found.pem").write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Path("found.pem")


USED: dict[str, Callable[[House], bytes]] = {
    "tsa": lambda house: house.tsa.certificates[0],
    "ocsp": lambda house: house.responder.certificate_der,  # type: ignore[union-attr]  # one issuing authority, one responder
    "report": lambda house: report_signer(house).certificate_der,
}


@pytest.mark.parametrize("service", USED)
def test_a_service_gets_another_key_and_works_with_it(desk, service):
    if service == "report":
        with house_of(desk) as house:
            report_signer(house)
    status, out, err = desk("certificates", "rekey-service", service, "--yes")
    old, new = entries(desk, service)
    assert (status, err) == (0, "")
    assert out == f"{service} has certificate {new.serial:x} of issuing until {new.not_after:%Y-%m-%d}, over a new key.\n"
    assert (old.state, new.state) == (CertificateState.ISSUED, CertificateState.ISSUED)
    assert old.public_key_sha256 != new.public_key_sha256
    with house_of(desk) as house:
        assert USED[service](house) == new.certificate_der


def test_after_a_compromise_the_old_certificate_is_revoked_and_its_key_blocked(desk):
    status, out, _ = desk("certificates", "rekey-service", "tsa", "--reason", "keyCompromise", "--yes")
    old, new = entries(desk, "tsa")
    assert (status, out.splitlines()[1]) == (0, f"Certificate {old.serial:x} of issuing is revoked: keyCompromise.")
    assert states(desk, "tsa") == [("revoked", "keyCompromise"), ("issued", None)]
    with desk.books() as books:
        assert set(books.certificates.refused_keys({old.public_key_sha256: old.holder, new.public_key_sha256: new.holder})) == {
            old.public_key_sha256
        }


def test_the_time_stamping_certificate_is_not_revoked_for_less_than_a_compromise(desk):
    status, _, err = desk("certificates", "rekey-service", "tsa", "--reason", "superseded", "--yes")
    assert (status, "would keep every document that it stamped from being renewed" in err) == (65, True)
    assert states(desk, "tsa") == [("issued", None)]


def test_another_service_may_be_given_up_for_any_reason(desk):
    assert desk("certificates", "rekey-service", "ocsp", "--reason", "superseded", "--yes")[0] == 0
    assert states(desk, "ocsp") == [("revoked", "superseded"), ("issued", None)]


def test_time_stamps_of_either_key_can_be_proven_good(desk):
    assert desk("certificates", "rekey-service", "tsa", "--yes")[0] == 0
    with house_of(desk) as house:
        old, new = (entry.certificate_der for entry in house.stores.certificates.of_holder("authority/tsa"))
        assert house.evidence.gather((old, new))[2]  # both are good


def test_a_planned_change_spares_what_an_earlier_key_signed(desk):
    assert desk("certificates", "rekey-service", "tsa", "--yes")[0] == 0
    assert desk("certificates", "rekey-service", "tsa", "--reason", "keyCompromise", "--yes")[0] == 0
    assert states(desk, "tsa") == [("issued", None), ("revoked", "keyCompromise"), ("issued", None)]


@pytest.mark.parametrize("service", SERVICES)
def test_a_compromised_key_of_a_service_is_refused_with_what_to_do(desk, service):
    status, _, err = desk("certificates", "compromised-key", stolen(desk, service), "--yes")
    assert (status, f"`eduseal certificates rekey-service {service} --reason keyCompromise` puts another in its place" in err) == (64, True)
    assert states(desk, service) == [("issued", None)]


@pytest.mark.parametrize("authority", ["root", "issuing"])
def test_the_key_of_a_certification_authority_is_refused_with_what_to_do(desk, authority):
    status, _, err = desk("certificates", "compromised-key", stolen(desk, authority), "--yes")
    assert (status, err.rstrip()) == (
        64,
        f"eduseal: this is the key of the certification authority {authority}; a rollover comes first, see docs/ceremony.md",
    )


def test_the_key_of_a_service_that_has_another_is_blocked_as_any_other(desk):
    found = stolen(desk, "tsa")
    assert desk("certificates", "rekey-service", "tsa", "--yes")[0] == 0
    assert desk("certificates", "compromised-key", found, "--yes")[0] == 0
    assert states(desk, "tsa") == [("revoked", "keyCompromise"), ("issued", None)]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("command", [("revoke", "--reason", "superseded"), ("certificates", "suspend")])
def test_a_certificate_that_a_service_works_with_is_neither_revoked_nor_suspended(desk, service, command):
    (entry,) = entries(desk, service)
    status, _, err = desk(*command, f"{entry.serial:x}", "--yes")
    assert (status, f"is what {service} works with; `eduseal certificates rekey-service {service} --reason REASON`" in err) == (64, True)
    assert states(desk, service) == [("issued", None)]


@pytest.mark.parametrize("service", SERVICES)
def test_a_house_whose_service_lost_its_certificate_says_what_to_do_and_gets_well(desk, service):
    (entry,) = entries(desk, service)
    with house_of(desk) as house:
        house.authority.issuing.revoke(entry.serial, "keyCompromise")
    status, _, err = desk("certificates", "reconcile")
    assert (status, f"`eduseal certificates rekey-service {service}` makes one" in err) == (65, True)
    assert desk("certificates", "rekey-service", service, "--yes")[0] == 0
    assert desk("certificates", "reconcile") == (0, "0 revoked.\n", "")


def test_a_report_is_sealed_with_another_key_after_a_compromise(desk):
    with house_of(desk) as house:
        report_signer(house)
    assert desk("certificates", "compromised-key", stolen(desk, "report"), "--yes")[0] == 0
    with house_of(desk) as house:
        signer = report_signer(house)
        assert x509.load_der_x509_certificate(signer.certificate_der).public_key() == signer.key.public_key()
    assert states(desk, "report") == [("revoked", "keyCompromise"), ("issued", None)]


def test_nobody_who_meant_it_nothing_changed(desk):
    assert desk("certificates", "rekey-service", "ocsp")[0] == 64
    assert states(desk, "ocsp") == [("issued", None)]


def test_a_certificate_is_revoked_whoever_of_the_house_issued_it(desk):
    with desk.books() as books:
        (entry,) = books.certificates.of_holder("authority/issuing")
    status, _, err = desk("revoke", f"{entry.serial:x}", "--reason", "superseded")
    assert (status, "nobody is here to ask" in err) == (64, True)
