"""The service publishes its lists by itself: on time, and at once after a change of status, whoever made it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.app import create_app
from api.crl_shelf import CrlShelf, NoCurrentListError
from config.bootstrap import open_house
from config.house import House
from db.errors import DatabaseError
from pki.issuing.issue import IssuedCertificate
from pki.status.publication import Publisher
from tests.api.conftest import PASSPHRASE, Clock, FakeJudge, make_house, serving
from tests.api.test_authority_routes import issue

PATIENCE = 30  # seconds; a busy machine is not a wrong answer


def crl_at(client: httpx.Client, url: str) -> x509.CertificateRevocationList:
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pkix-crl")
    return x509.load_der_x509_crl(answer.content)


def path_of(house: House, issued: IssuedCertificate) -> str:
    """Where the certificate says that its list lies."""
    points = x509.load_der_x509_certificate(issued.certificate_der).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (name,) = points[0].full_name or []
    return str(name.value).removeprefix(house.plan.base_url)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_revocation_appears_where_the_certificate_points_to(client: httpx.Client, house: House) -> None:
    issued = issue(house)
    path = path_of(house, issued)
    before = number(crl_at(client, path))
    house.authority.issuing.revoke(issued.serial)
    wait_until(lambda: crl_at(client, path).get_revoked_certificate_by_serial_number(issued.serial) is not None)
    assert number(crl_at(client, path)) > before


def test_a_hold_appears_and_goes_again(client: httpx.Client, house: House) -> None:
    issued = issue(house)
    path = path_of(house, issued)
    house.authority.issuing.suspend(issued.serial)
    wait_until(lambda: crl_at(client, path).get_revoked_certificate_by_serial_number(issued.serial) is not None)
    house.authority.issuing.release(issued.serial)
    wait_until(lambda: crl_at(client, path).get_revoked_certificate_by_serial_number(issued.serial) is None)


def test_a_list_is_kept_by_caches_for_a_minute_and_known_by_its_tag(client: httpx.Client) -> None:
    first = client.get("/crl/root/0.crl")
    assert first.headers["cache-control"] == "public, max-age=60, must-revalidate"
    assert {"etag", "last-modified", "expires"} <= set(first.headers)
    again = client.get("/crl/root/0.crl", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get("/crl/root/0.crl", headers={"If-None-Match": '"other"'}).content == first.content


def test_every_process_hands_out_the_same_list(client: httpx.Client, house: House) -> None:
    served = client.get("/crl/issuing/0.crl").content
    other = CrlShelf(house.publisher, clock=house.clock).get("issuing", 0)
    assert other is not None
    assert other.der == served


def test_a_list_past_two_fifths_of_its_life_is_renewed(tmp_path: Path, shared_judge: FakeJudge) -> None:
    clock = Clock()
    house = make_house(tmp_path, clock)
    with serving(create_app(house, shared_judge)) as base, httpx.Client(base_url=base, timeout=30) as client:
        wait_until(lambda: client.get("/healthz").json() == {"status": "ok"})
        first = number(crl_at(client, "/crl/issuing/1.crl"))
        clock.moment += timedelta(days=3)
        wait_until(lambda: number(crl_at(client, "/crl/issuing/1.crl")) > first)
    house.close()


def test_the_list_of_a_root_whose_key_is_elsewhere_is_served_and_gives_way_to_a_newer_one(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, clock)
    first, second = (house.crl_signers[0].crl(0) for _ in range(2))
    house.close()
    brought = house.settings.home / "ca" / "root.crl"
    brought.write_bytes(first)
    (house.settings.keys / "root.key").unlink()
    house = open_house(house.settings, clock=clock, passphrase=PASSPHRASE)
    with serving(create_app(house, FakeJudge())) as base, httpx.Client(base_url=base, timeout=30) as client:
        wait_until(lambda: client.get("/crl/root/0.crl").content == first)
        brought.write_bytes(second)
        wait_until(lambda: client.get("/crl/root/0.crl").content == second)
        brought.write_bytes(first)
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/crl/root/0.crl").content == second
    house.close()


class BrokenPublisher(Publisher):
    """Its key has gone."""

    def publish(self, issuer: str, shard: int) -> None:
        raise RuntimeError("the token does not answer")

    def makes(self, issuer: str, shard: int) -> bool:
        return False


def broken(house: House) -> Publisher:
    return BrokenPublisher(sources=house.crl_signers, store=house.stores.publications, turns=None, clock=house.clock)  # type: ignore[arg-type]


def test_without_the_key_the_old_list_is_served_until_it_runs_out(doomed_house: House, clock: Clock) -> None:
    doomed_house.publisher.publish_due()
    shelf, began = CrlShelf(broken(doomed_house), clock=clock), clock.moment
    try:
        clock.moment += timedelta(days=6)
        assert shelf.get("issuing", 0) is not None
        clock.moment += timedelta(days=2)
        with pytest.raises(NoCurrentListError, match="the list of issuing, shard 0, ran out at"):
            shelf.get("issuing", 0)
    finally:
        clock.moment = began


def test_without_the_books_the_last_list_is_served_until_it_runs_out(doomed_house: House, clock: Clock) -> None:
    doomed_house.publisher.publish_due()
    shelf, began = CrlShelf(doomed_house.publisher, clock=clock), clock.moment
    last = shelf.get("issuing", 0)
    with doomed_house.stores.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE published_crls")
    try:
        clock.moment += timedelta(days=6)
        assert shelf.get("issuing", 0) == last
        with pytest.raises(DatabaseError):
            shelf.get("issuing", 1)  # that nobody asked for before
        clock.moment += timedelta(days=1)
        with pytest.raises(DatabaseError):
            shelf.get("issuing", 0)
    finally:
        clock.moment = began


def test_health_names_the_lists_that_are_overdue(doomed_house: House, clock: Clock) -> None:
    doomed_house.publisher.publish_due()
    assert doomed_house.publisher.overdue() == ()
    began = clock.moment
    try:
        clock.moment += timedelta(days=3.5)
        assert doomed_house.publisher.overdue() == (("root", 0), ("issuing", 0), ("issuing", 1))
    finally:
        clock.moment = began


def test_health_says_what_is_wrong(doomed_client: httpx.Client, doomed_house: House, clock: Clock) -> None:
    wait_until(lambda: doomed_client.get("/healthz").json() == {"status": "ok"})
    began = clock.moment
    try:
        clock.moment += timedelta(days=365 * 30)  # past the time-stamp authority's certificate
        found = doomed_client.get("/healthz")
    finally:
        clock.moment = began
    assert (found.status_code, found.json()["status"]) == (200, "degraded")
    assert "is outside the validity of the authority's certificate" in found.json()["time_stamps"]


def test_a_certificate_that_was_never_issued_is_revoked_by_the_service(doomed_house: House, clock: Clock) -> None:
    from pki.identity.subject import legal_person
    from pki.issuing.issue import CertificateRequest
    from pki.keys.softkey import SoftwareKey

    issuing = doomed_house.authority.issuing
    subject = legal_person(country="VN", name="Trường THCS Nguyễn Trãi", identifier="NTRVN-0100109106")
    prepared = issuing.prepare(CertificateRequest("school-seal", subject, SoftwareKey.generate("P-256").public_key(), "school/s1"))
    issuing.record(prepared)
    began = clock.moment
    try:
        clock.moment += timedelta(minutes=6)
        with serving(create_app(doomed_house, FakeJudge())) as base, httpx.Client(base_url=base, timeout=30) as client:
            shard = prepared.serial % doomed_house.plan.crl_shards
            wait_until(
                lambda: crl_at(client, f"/crl/issuing/{shard}.crl").get_revoked_certificate_by_serial_number(prepared.serial) is not None
            )
    finally:
        clock.moment = began


@pytest.mark.parametrize("name", ["issuing/0", "issuing/1", "root/0"])
def test_openssl_crl_accepts_every_list_of_the_service(served: str, house: House, tmp_path: Path, name: str) -> None:
    issuer, crl = tmp_path / "issuer.pem", tmp_path / "list.crl"
    der = house.authority.root_der if name.startswith("root") else house.authority.issuing_der
    issuer.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    crl.write_bytes(httpx.get(f"{served}/crl/{name}.crl").content)
    command = ["openssl", "crl", "-inform", "DER", "-in", str(crl), "-CAfile", str(issuer), "-noout"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "verify OK" in done.stderr + done.stdout
