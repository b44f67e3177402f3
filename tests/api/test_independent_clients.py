"""The running service with its keys in a token (SoftHSM), asked by programs that are not ours: openssl, curl, pkilint."""

from __future__ import annotations

import base64
import contextlib
import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint.bin import lint_crl, lint_ocsp_response

from api.app import create_app
from config.bootstrap import create_house
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import Organization
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from tests.api.conftest import Clock, FakeJudge, serving
from tests.support.softhsm import PIN, SoftHsm, softhsm

__all__ = ["softhsm"]

STATES = ("good", "revoked", "held", "unknown")
LISTS = ("root/0", "issuing/0", "issuing/1")


@dataclass(frozen=True)
class Site:
    """A service at `url`, and a folder with `root.pem`, `issuing.pem`, `chain.pem` and a seal's `STATE.pem` for each of :data:`STATES`."""

    url: str
    folder: Path
    house: House

    def run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=self.folder)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def ocsp(self, *states: str, nonce: bool = True, more: tuple[str, ...] = ()) -> str:
        """openssl asks about several certificates in one request, by POST."""
        asked = [part for state in states for part in ("-cert", f"{state}.pem")]
        quiet = () if nonce else ("-no_nonce",)
        return self.run(
            "openssl", "ocsp", "-issuer", "issuing.pem", *asked, "-url", f"{self.url}/ocsp", "-CAfile", "chain.pem", *quiet, *more
        )

    def get(self, path: str, to: str) -> None:
        self.run("curl", "-sf", "-o", to, f"{self.url}{path}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, softhsm: SoftHsm) -> Iterator[Site]:
    home, folder, clock = tmp_path_factory.mktemp("hsm-house"), tmp_path_factory.mktemp("clients"), Clock()
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
    settings = Settings.from_environment({}, home=home / "home", key_store=softhsm.token().uri("clients"))
    house = create_house(settings, plan, clock=clock, passphrase=PIN, lint_rate=0)
    issuing = house.authority.issuing
    ders = {"root": house.authority.root_der, "issuing": house.authority.issuing_der}
    for state in STATES:
        subject = legal_person(country="VN", name="Trường THCS Nguyễn Trãi", identifier="NTRVN-0100109106")
        prepared = issuing.prepare(CertificateRequest("school-seal", subject, SoftwareKey.generate("P-256").public_key(), f"seal/{state}"))
        issuing.record(prepared)
        if state == "unknown":
            ders[state] = issuing._press.sign(prepared.tbs_der)  # as a crash leaves it: signed, and never issued
            continue
        ders[state] = issuing.issue(prepared).certificate_der
        if state == "revoked":
            issuing.revoke(prepared.serial, "keyCompromise")
        if state == "held":
            issuing.suspend(prepared.serial)
    for name, der in ders.items():
        (folder / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    (folder / "chain.pem").write_bytes((folder / "root.pem").read_bytes() + (folder / "issuing.pem").read_bytes())
    house.publisher.publish_due()
    with serving(create_app(house, FakeJudge())) as url:
        yield Site(url, folder, house)
    house.close()


@pytest.mark.parametrize("nonce", [True, False])
def test_openssl_ocsp_asks_about_one(site: Site, nonce: bool) -> None:
    said = site.ocsp("good", nonce=nonce)
    assert "good.pem: good" in said
    assert "Response verify OK" in said
    assert "WARNING: no nonce" not in said


@pytest.mark.parametrize("nonce", [True, False])
def test_openssl_ocsp_asks_about_several_at_once(site: Site, nonce: bool) -> None:
    said = site.ocsp(*STATES, nonce=nonce)
    assert "Response verify OK" in said
    for state, status in (("good", "good"), ("revoked", "revoked"), ("held", "revoked"), ("unknown", "unknown")):
        assert f"{state}.pem: {status}" in said
    assert "Reason: keyCompromise" in said
    assert "Reason: certificateHold" in said


@pytest.mark.parametrize("state", STATES[:3])
def test_curl_gets_an_answer_by_path(site: Site, state: str) -> None:
    site.run("openssl", "ocsp", "-issuer", "issuing.pem", "-cert", f"{state}.pem", "-no_nonce", "-reqout", "request.der")
    path = base64.b64encode((site.folder / "request.der").read_bytes()).decode()
    site.get("/ocsp/" + path.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"), "answer.der")
    said = site.run(
        *("openssl", "ocsp", "-respin", "answer.der", "-issuer", "issuing.pem", "-cert", f"{state}.pem", "-CAfile", "chain.pem"),
        "-no_nonce",
    )
    assert "Response verify OK" in said
    assert f"{state}.pem: {'good' if state == 'good' else 'revoked'}" in said


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_ts_verifies_a_time_stamp(site: Site, digest: str) -> None:
    (site.folder / "data").write_bytes(b"a record")
    site.run("openssl", "ts", "-query", "-data", "data", f"-{digest}", "-cert", "-out", "query.tsq")
    kind = "Content-Type: application/timestamp-query"
    site.run("curl", "-sf", "-H", kind, "--data-binary", "@query.tsq", "-o", "reply.tsr", f"{site.url}/tsa")
    verify = ("openssl", "ts", "-verify", "-in", "reply.tsr", "-queryfile", "query.tsq", "-CAfile", "root.pem", "-untrusted", "issuing.pem")
    assert "Verification: OK" in site.run(*verify)
    assert "Accuracy: 0x01 seconds, 0x01F4 millis" in site.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-text")


@pytest.mark.parametrize("name", LISTS)
def test_openssl_crl_verifies_a_list(site: Site, name: str) -> None:
    site.get(f"/crl/{name}.crl", "list.crl")
    said = site.run("openssl", "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", f"{name.split('/')[0]}.pem", "-noout", "-text")
    assert "verify OK" in said


def test_openssl_verify_takes_the_lists_for_what_they_say(site: Site) -> None:
    lists = b""
    for name in LISTS:
        site.get(f"/crl/{name}.crl", "list.crl")
        lists += x509.load_der_x509_crl((site.folder / "list.crl").read_bytes()).public_bytes(Encoding.PEM)
    (site.folder / "lists.pem").write_bytes(lists)
    check = (
        "openssl",
        "verify",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "issuing.pem",
        "-CRLfile",
        "lists.pem",
        "-crl_check_all",
        "-extended_crl",
    )
    assert "good.pem: OK" in site.run(*check, "good.pem")
    for state in ("revoked", "held"):
        done = subprocess.run([*check, f"{state}.pem"], capture_output=True, text=True, check=False, timeout=60, cwd=site.folder)
        assert "certificate revoked" in done.stdout + done.stderr


class Input(io.BytesIO):
    """Standard input as pkilint reads it: given a path it opens the file and leaves it open."""

    name = "input"


def linted(linter: ModuleType, data: bytes, *arguments: str) -> str:
    """pkilint's findings at NOTICE and above, as it prints them."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr("sys.stdin", io.TextIOWrapper(Input(data)))
        status = linter.main(["lint", *arguments, "-s", "NOTICE", "-f", "TEXT", "-"])
    assert (status == 0) == (not said.getvalue().strip())
    return said.getvalue().strip()


def test_the_linters_find_what_is_wrong(site: Site) -> None:
    site.get("/crl/root/0.crl", "list.crl")
    good = (site.folder / "list.crl").read_bytes()
    number = bytes.fromhex("0603551d14")  # id-ce-cRLNumber becomes an extension that nobody knows
    assert "pkix.crl_number_missing" in linted(lint_crl, good.replace(number, bytes.fromhex("0603551d7f")), "-t", "ARL", "-p", "PKIX")


@pytest.mark.parametrize("name", LISTS)
def test_pkilint_finds_nothing_in_a_list(site: Site, name: str) -> None:
    site.get(f"/crl/{name}.crl", "list.crl")
    kind = "ARL" if name.startswith("root") else "CRL"
    assert linted(lint_crl, (site.folder / "list.crl").read_bytes(), "-t", kind, "-p", "PKIX") == ""


@pytest.mark.parametrize("nonce", [True, False])
@pytest.mark.parametrize("states", [("good",), ("revoked",), ("held",), ("unknown",), STATES])
def test_pkilint_finds_nothing_in_an_ocsp_answer(site: Site, states: tuple[str, ...], nonce: bool) -> None:
    site.ocsp(*states, nonce=nonce, more=("-respout", "answer.der"))
    assert linted(lint_ocsp_response, (site.folder / "answer.der").read_bytes()) == ""
