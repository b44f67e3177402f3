"""`eduseal serve --workers`, and several services over one database: what each of the processes knows, says and leaves behind."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.rekey import rekey_service
from config.settings import Settings
from pki.authority.establish import Organization
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

PASSPHRASE = "a passphrase that nobody else may see"
PATIENCE = 40.0  # seconds

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks Linux about processes")


@dataclass(frozen=True)
class Service:
    process: subprocess.Popen[str]
    url: str

    def workers(self) -> set[int]:
        """Processes that run the service, without the one that watches over them and multiprocessing's own helper."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        found = (int(child) for thread in threads for child in (thread / "children").read_text().split())
        return {pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def made(home: Path, **environment: str) -> House:
    settings = Settings.from_environment(environment, home=home)
    plan = HousePlan(Organization("VN", "Sở Giáo dục (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=1)
    return create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)


@contextmanager
def serving(home: Path, *arguments: str, **environment: str) -> Iterator[Service]:
    command = [sys.executable, "-m", "cli.main", "serve", "--home", str(home), "--port", "0", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDUSEAL_")}
    given = {**kept, "EDUSEAL_PASSPHRASE": PASSPHRASE, **environment}
    with (home / "serve.log").open("ab") as notes:
        process = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=notes, text=True, start_new_session=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/verify", line)
        assert found, (line, (home / "serve.log").read_text())
        service = Service(process, found.group(1))
        until(lambda: answers(service.url))
        yield service
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own, started here
            raise
        finally:
            process.stdout.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ca/root.cer").status_code == 200
    except httpx.TransportError:
        return False


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def certificate_and_request(house: House) -> tuple[int, bytes]:
    subject = legal_person(country="VN", name="Trường THCS Nguyễn Trãi", identifier="NTRVN-0100109106")
    request = CertificateRequest("school-seal", subject, SoftwareKey.generate("P-256").public_key(), "school/s1")
    issued = house.authority.issuing.certify(request)
    certificate = x509.load_der_x509_certificate(issued.certificate_der)
    issuer = x509.load_der_x509_certificate(house.authority.issuing_der)
    built = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()
    return issued.serial, built.public_bytes(Encoding.DER)


def by_get(url: str, request: bytes) -> str:
    return said(httpx.get(f"{url}/ocsp/{base64.b64encode(request).decode()}"))


def by_post(url: str, request: bytes) -> str:
    return said(httpx.post(f"{url}/ocsp", content=request, headers={"Content-Type": "application/ocsp-request"}))


def said(answer: httpx.Response) -> str:
    return ocsp.load_der_ocsp_response(answer.content).certificate_status.name


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = made(tmp_path_factory.mktemp("workers") / "home")
    yield house
    house.close()


@contextmanager
def two_workers(house: House) -> Iterator[Service]:
    with serving(house.settings.home, "--workers", "2") as service:
        until(lambda: len(service.workers()) == 2)
        yield service


@pytest.fixture(scope="module")
def service(house: House) -> Iterator[Service]:
    with two_workers(house) as service:
        yield service


@pytest.fixture
def doomed(house: House) -> Iterator[Service]:
    with two_workers(house) as service:
        yield service


def test_a_revocation_shows_within_a_second_in_every_process(tmp_path: Path, postgres_url: str) -> None:
    house = made(tmp_path / "home", EDUSEAL_DATABASE_URL=postgres_url)
    home, named = house.settings.home, {"EDUSEAL_DATABASE_URL": postgres_url}
    serial, request = certificate_and_request(house)
    with serving(home, **named) as one, serving(home, **named) as other:
        urls = (one.url, other.url)
        for _ in range(3):  # the second and third are kept answers
            assert [by_get(url, request) for url in urls] == ["GOOD", "GOOD"]
        house.authority.issuing.revoke(serial, "keyCompromise")
        assert [by_post(url, request) for url in urls] == ["REVOKED", "REVOKED"]
        time.sleep(1)
        assert [by_get(url, request) for url in urls] == ["REVOKED", "REVOKED"]
    house.close()


def test_every_worker_of_a_service_says_revoked_within_a_second(service: Service, house: House) -> None:
    serial, request = certificate_and_request(house)
    assert {by_get(service.url, request) for _ in range(20)} == {"GOOD"}
    house.authority.issuing.revoke(serial)
    assert {by_post(service.url, request) for _ in range(10)} == {"REVOKED"}
    time.sleep(1)
    assert {by_get(service.url, request) for _ in range(20)} == {"REVOKED"}


def test_every_worker_changes_to_another_key_of_a_service(service: Service, house: House) -> None:
    _, request = certificate_and_request(house)
    assert by_get(service.url, request) == "GOOD"
    done = rekey_service(house.settings, "ocsp", reason="keyCompromise", clock=utc_now, passphrase=PASSPHRASE)
    new = x509.load_der_x509_certificate(done.issued[0].certificate_der)

    def signer(answer: httpx.Response) -> x509.Certificate:
        return ocsp.load_der_ocsp_response(answer.content).certificates[0]

    def signers() -> set[x509.Certificate]:
        path = f"{service.url}/ocsp/{base64.b64encode(request).decode()}"
        return {signer(httpx.get(path)) for _ in range(20)}

    until(lambda: signers() == {new})


def test_no_worker_shows_the_passphrase_in_its_environment_or_command_line(service: Service) -> None:
    shown = [Path(f"/proc/{pid}/{name}").read_bytes() for pid in service.workers() for name in ("environ", "cmdline")]
    assert len(shown) == 4
    assert not any(PASSPHRASE.encode() in each for each in shown)


def test_a_worker_judges_what_strangers_send(service: Service) -> None:
    row = httpx.post(f"{service.url}/api/v1/verify", files={"file": ("x.pdf", b"no PDF")}, timeout=PATIENCE).json()
    assert row["indication"] == "NO-SIGNATURE"


def test_a_worker_that_dies_is_replaced(service: Service) -> None:
    before = service.workers()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(service.workers() - before) == 1 and len(service.workers()) == 2)
    until(lambda: answers(service.url))


def test_the_service_ends_with_all_its_workers_when_asked(doomed: Service, house: House) -> None:
    workers = doomed.workers()
    doomed.process.send_signal(signal.SIGTERM)
    assert doomed.process.wait(PATIENCE) == 0
    assert not any(runs(pid) for pid in workers)
    assert "Traceback" not in (house.settings.home / "serve.log").read_text()


def test_workers_do_not_outlive_whoever_watches_over_them(doomed: Service) -> None:
    workers = doomed.workers()
    doomed.process.kill()
    until(lambda: not any(runs(pid) for pid in workers))
