"""`eduseal outside` as transcripts, and a record whose seal is another authority's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.bootstrap import utc_now
from records.ports import DocumentKind
from signing.applying.sign import SignatureRequest, sign
from tests.cli.conftest import Desk
from tests.support.authority import Credential, TestAuthority, make_authority
from tests.support.registration import OFFICER, PINS, SECOND
from tests.support.school_home import IDENTIFIER

Run = Callable[..., tuple[int, str, str]]

TOML = """
name = "Government CA"
certificates = ["government.pem"]
roles = ["school-seal", "teacher"]
[constraints]
organizations = ["NTRVN-0109"]
countries = ["VN"]
path_length = 1
"""


@pytest.fixture(scope="module")
def government() -> TestAuthority:
    return make_authority(utc_now().replace(microsecond=0) - timedelta(hours=1), base_url="http://ca.gov.example")


@pytest.fixture(scope="module")
def seal(government: TestAuthority) -> Credential:
    return government.issue_seal("Trường THCS Sao Mai", IDENTIFIER)


@pytest.fixture
def trusting(desk: Desk, government: TestAuthority) -> Desk:
    folder = desk.home / "trust"
    folder.mkdir()
    (folder / "government.toml").write_text(TOML, encoding="utf-8")
    (folder / "government.pem").write_bytes(pem(government.root_der))
    return desk


def pem(*certificates: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates)


def held(government: TestAuthority, credential: Credential, name: str = "seal.pem") -> str:
    Path(name).write_bytes(pem(credential.certificate_der, government.issuing_der))
    return name


def register_seal(desk: Desk, file: str) -> tuple[int, str, str]:
    status, out, err = desk("outside", "register", file, "--school", "SM", "--by", OFFICER, "--pin-file", "-", typed=PINS[OFFICER] + "\n")
    assert (status, err) == (0, ""), err
    request = out.split()[1]
    assert desk("request", "approve", request, "--by", SECOND, "--pin-file", "-", typed=PINS[SECOND] + "\n")[0] == 0
    return desk("outside", "register", file, "--school", "SM")


def test_without_a_trusted_authority_nothing_is_registered(desk: Desk, government: TestAuthority, seal: Credential) -> None:
    assert desk("outside", "authorities") == (
        0,
        "No other authority is trusted: lay its certificate into HOME/trust (docs/signing-elsewhere.md).\n",
        "",
    )
    status, _, err = desk("outside", "register", held(government, seal), "--school", "SM")
    assert (status, "no other authority is trusted here" in err) == (65, True)


def test_authorities_are_listed_with_what_they_are_trusted_for(trusting: Desk, government: TestAuthority) -> None:
    status, out, err = trusting("outside", "authorities")
    assert (status, err) == (0, "")
    lines = [line.split(maxsplit=1) for line in out.splitlines()[1:]]
    assert out.startswith("Government CA\n")
    assert ["roles", "school-seal, teacher"] in lines
    assert ["organizations", "NTRVN-0109"] in lines
    assert hashlib.sha256(government.root_der).hexdigest() in out


def test_a_seal_wants_a_second_person(trusting: Desk, government: TestAuthority, seal: Credential) -> None:
    file = held(government, seal)
    status, _, err = trusting("outside", "register", file, "--school", "SM")
    assert status == 65
    assert "a second person must approve this seal first" in err
    status, out, err = register_seal(trusting, file)
    fingerprint = hashlib.sha256(seal.certificate_der).hexdigest()
    assert (status, out, err) == (0, f"Certificate {fingerprint[:16]} of Government CA counts as school-seal for seal/SM.\n", "")
    assert trusting("outside", "register", file, "--school", "SM")[0] == 0  # again: no harm
    assert fingerprint[:16] in trusting("outside", "list")[1]


def test_the_officer_who_asks_does_not_approve(trusting: Desk, government: TestAuthority, seal: Credential) -> None:
    file = held(government, seal)
    _, out, _ = trusting("outside", "register", file, "--school", "SM", "--by", OFFICER, "--pin-file", "-", typed=PINS[OFFICER] + "\n")
    status, _, err = trusting("request", "approve", out.split()[1], "--by", OFFICER, "--pin-file", "-", typed=PINS[OFFICER] + "\n")
    assert status == 65
    assert "who asked" in err or "asked for" in err


def test_another_schools_seal_is_refused_before_anybody_is_asked(trusting: Desk, government: TestAuthority) -> None:
    file = held(government, government.issue_seal("Trường khác", "NTRVN-0109999777"))
    status, _, err = trusting("outside", "register", file, "--school", "SM", "--by", OFFICER, "--pin-file", "-", typed="x\n")
    assert (status, err) == (65, "eduseal: the certificate names NTRVN-0109999777; school SM is NTRVN-0109999001\n")


def test_a_certificate_beyond_the_authoritys_bounds_is_refused(trusting: Desk, government: TestAuthority) -> None:
    file = held(government, government.issue_seal("Trường khác", "NTRCN-1"))
    status, _, err = trusting("outside", "register", file, "--school", "SM")
    assert status == 65
    assert "organizationIdentifier is none of those that its authority is trusted for" in err


def test_a_person_is_registered_by_their_name_in_the_roster(trusting: Desk, government: TestAuthority) -> None:
    with trusting.books() as books:
        (teacher,) = [who for who in books.roster.teachers() if who.id == "SM-GV04"]
    file = held(government, government.issue_teacher(teacher.name.upper(), school_identifier="NTRVN-0109000000"), "teacher.pem")
    status, out, err = trusting("outside", "register", file, "--holder", "SM-GV04")
    # the certificate carries a personal code of its own, and it is another one
    assert (status, out) == (65, "")
    assert "another personal code than the roster has for SM-GV04" in err
    other = held(government, government.issue_teacher("Nguyễn Văn Khác", school_identifier="NTRVN-0109000000"), "other.pem")
    assert "not in the name that the roster has for SM-GV04" in trusting("outside", "register", other, "--holder", "SM-GV04")[2]


def test_an_authority_not_trusted_for_the_role_registers_nobody_in_it(trusting: Desk, government: TestAuthority) -> None:
    file = held(government, government.issue_principal(school_identifier="NTRVN-0109000000"), "principal.pem")
    status, _, err = trusting("outside", "register", file, "--holder", "SM-GV01")
    assert (status, "is trusted for school-seal, teacher, not for a principal" in err) == (65, True)


@pytest.mark.parametrize("arguments", [(), ("--school", "SM", "--holder", "SM-GV04")])
def test_whose_it_is_must_be_said_once(trusting: Desk, government: TestAuthority, seal: Credential, arguments: tuple[str, ...]) -> None:
    status, _, err = trusting("outside", "register", held(government, seal), *arguments)
    assert (status, "whose certificate is it?" in err) == (64, True)


def test_withdrawing_ends_it(trusting: Desk, government: TestAuthority, seal: Credential) -> None:
    register_seal(trusting, held(government, seal))
    fingerprint = hashlib.sha256(seal.certificate_der).hexdigest()
    status, out, _ = trusting("outside", "withdraw", fingerprint[:8])
    assert (status, out.startswith(f"Certificate {fingerprint[:16]} counts for seal/SM until ")) == (0, True)
    assert "withdrawn" in trusting("outside", "list", "--school", "SM")[1]
    status, _, err = trusting("outside", "withdraw", "00")
    assert (status, "0 registered certificates begin with '00', expected one" in err) == (64, True)


def test_a_registered_seal_is_told_by_its_role(trusting: Desk, government: TestAuthority, seal: Credential) -> None:
    with trusting.books() as books:
        document = books.documents.get("R-2", 1, DocumentKind.SIGNED).pdf
    request = SignatureRequest(
        field="Signature-Seal",
        certificate_der=seal.certificate_der,
        chain=(government.issuing_der,),
        key=seal.key,
        claimed_time=utc_now(),
    )
    Path("sealed.pdf").write_bytes(sign(document, request, time_stamper=None))
    verify = ("verify", "sealed.pdf", "--home", trusting.home, "--trust", trusting.home / "trust" / "government.toml", "--format", "jsonl")
    assert _seal_role(trusting(*verify)[1]) is None
    register_seal(trusting, held(government, seal))
    assert _seal_role(trusting(*verify)[1]) == "school-seal"


def _seal_role(line: str) -> str | None:
    (found,) = [one for one in json.loads(line)["signatures"] if one["field"] == "Signature-Seal"]
    role = found["signer"]["role"]
    assert role is None or isinstance(role, str)
    return role
