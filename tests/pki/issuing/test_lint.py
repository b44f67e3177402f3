"""pkilint finds nothing at WARNING or above in any profile and shape of name, and does find what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import EncodingError
from pki.identity.commitment import commit, identifier
from pki.identity.subject import Subject, legal_person, person, pseudonymous
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.lint import Finding, LintError, findings, lint
from pki.issuing.profile import Identity, LintKind
from pki.issuing.tbs import Plan, build, throwaway_key
from pki.keys.softkey import SoftwareKey
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER, TestAuthority, make_authority


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return make_authority()


def grave(certificate_der: bytes, kind: LintKind) -> list[Finding]:
    return [finding for finding in findings(certificate_der, kind) if finding.grave]


def of_school(country: str, surname: str, given_name: str, identifier: str, common_name: str | None = None) -> Subject:
    return person(
        country=country,
        surname=surname,
        given_name=given_name,
        identifier=identifier,
        common_name=common_name,
        organization=SCHOOL,
        organization_identifier=SCHOOL_IDENTIFIER,
    )


NAMES = {
    "vietnamese": of_school("VN", "Nguyễn", "Thị Ánh Tuyết", "PNOVN-001185000001"),
    "64-characters": of_school("VN", "Ư" * 31, "Ợ" * 32, "PNOVN-001185000001"),
    "chinese": of_school("CN", "欧阳", "娜娜", "PNOCN-11010519491231002X"),
    "apostrophe": of_school("IE", "O'Brien-Ó Súilleabháin", "Seán", "PASIE-PA1234567"),
    "one-letter": of_school("VN", "Ê", "Y", "IDCVN-1"),
    "local-scheme": of_school("CN", "王", "小明", "XJ:CN-G11010519491231002X"),
    "longest-identifier": of_school("VN", "Lò", "Văn", "AB:VN-" + "9" * 58),
    "other-common-name": of_school("VN", "Trần", "Hoa", "TINVN-8012345678", "Cô Trần Hoa, 9A (Toán & Lý)"),
}


@pytest.mark.parametrize("profile", ["teacher", "principal"])
@pytest.mark.parametrize("shape", sorted(NAMES))
def test_pkilint_accepts_staff(authority: TestAuthority, profile: str, shape: str) -> None:
    assert grave(authority.issue(profile, NAMES[shape]).certificate_der, LintKind.NATURAL_PERSON) == []


@pytest.mark.parametrize("country", ["VN", "CN"])
@pytest.mark.parametrize("pseudonym", [None, "Học sinh Ếch Ộp", "学生 17"])
def test_pkilint_accepts_pupils(authority: TestAuthority, country: str, pseudonym: str | None) -> None:
    hidden = identifier(commit("001212000001", bytes(32)), country=country)
    subject = pseudonymous(country=country, identifier=hidden, pseudonym=pseudonym)
    assert grave(authority.issue("student", subject).certificate_der, LintKind.NATURAL_PERSON) == []


def test_pkilint_accepts_pupils_named_plainly_where_a_profile_says_so(authority: TestAuthority) -> None:
    required = ("country", "surname", "given_name", "serial_number", "common_name")
    plain = replace(authority.profiles["student"], identity=Identity.PLAIN, required=required)
    issuing = authority.established.issuing
    other = Authority(
        name="issuing",
        certificate_der=authority.issuing_der,
        key=issuing.key,
        profiles={"student": plain},
        store=authority.store,
        clock=authority.clock,
        urls=authority.urls,
        lint_rate=1,
    )
    subject = person(country="VN", surname="Lê", given_name="An", identifier="PNOVN-001212000001")
    request = CertificateRequest(profile="student", subject=subject, public_key=SoftwareKey.generate().public_key(), holder="s/1")
    assert grave(other.certify(request).certificate_der, LintKind.NATURAL_PERSON) == []


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (SCHOOL, "NTRVN-0100109106"),
        ("Ư" * 64, "VATVN-0100109106"),
        ("北京市第一中学", "NTRCN-91110000600037341L"),
        ("École française «Marguerite Duras»", "XS:VN-HCM-0017"),
    ],
)
def test_pkilint_accepts_seals(authority: TestAuthority, name: str, number: str) -> None:
    subject = legal_person(country=number[3:5], name=name, identifier=number)
    assert grave(authority.issue("school-seal", subject).certificate_der, LintKind.LEGAL_PERSON) == []


@pytest.mark.parametrize("profile", ["root", "issuing", "tsa", "ocsp"])
def test_pkilint_accepts_the_authoritys_own(authority: TestAuthority, profile: str) -> None:
    der = {"root": authority.root_der, "issuing": authority.issuing_der, "tsa": authority.tsa_der, "ocsp": authority.ocsp_der}[profile]
    assert grave(der, authority.profiles[profile].lint) == []


@pytest.mark.parametrize("profile", ["teacher", "student", "school-seal"])
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_pkilint_accepts_every_curve(authority: TestAuthority, profile: str, curve: str) -> None:
    subject = {"teacher": authority.issue_teacher, "student": authority.issue_student, "school-seal": authority.issue_seal}[
        profile
    ]().subject
    assert grave(authority.issue(profile, subject, curve=curve).certificate_der, authority.profiles[profile].lint) == []


def test_pkilint_accepts_rsa(authority: TestAuthority) -> None:
    key = SoftwareKey(rsa.generate_private_key(65537, 2048))
    issued = authority.certify("teacher", NAMES["vietnamese"], key)
    assert grave(issued.certificate_der, LintKind.NATURAL_PERSON) == []


def flawed(authority: TestAuthority) -> bytes:
    """A teacher's certificate that also signs connections: a mixed usage that EN 319 412-2 warns of."""
    credential = authority.issue_teacher()
    profile = replace(authority.profiles["teacher"], key_usage=("nonRepudiation", "digitalSignature"))
    issuer = authority.established.issuing.issuer
    now = authority.clock()
    plan = Plan(profile, issuer, credential.subject, credential.key.public_key(), 17, now, now + profile.validity / 2, authority.urls, 4)
    return build(plan, throwaway_key(issuer.public_key)).public_bytes(Encoding.DER)


def test_flaw_is_found_and_named_by_its_code(authority: TestAuthority) -> None:
    with pytest.raises(LintError, match=r"pkilint: WARNING etsi.*mixed_key_usage") as caught:
        lint(flawed(authority), LintKind.NATURAL_PERSON)
    assert "001185" not in str(caught.value)


def test_waived_code_passes(authority: TestAuthority) -> None:
    der = flawed(authority)
    lint(der, LintKind.NATURAL_PERSON, waived=frozenset(finding.code for finding in grave(der, LintKind.NATURAL_PERSON)))


@pytest.mark.parametrize("der", [b"", b"\x30\x00", bytes(100)])
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(EncodingError, match="pkilint cannot decode it"):
        findings(der, LintKind.PKIX)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "http://eduseal.school.internal"])
def test_pilot_on_an_internal_address_can_still_issue(base_url: str) -> None:
    authority = make_authority(base_url=base_url, lint_rate=1)
    found = {finding.code for finding in grave(authority.issue_teacher().certificate_der, LintKind.NATURAL_PERSON)}
    assert found <= {"etsi.internal_domain_name", "etsi.internal_ip_address"}


def test_sample_that_fails_stops_the_certificate_before_it_is_recorded(authority: TestAuthority) -> None:
    wrong = replace(authority.profiles["teacher"], key_usage=("nonRepudiation", "digitalSignature"))
    issuing = Authority(
        name="issuing",
        certificate_der=authority.issuing_der,
        key=authority.issuing_key,
        profiles={"teacher": wrong},
        store=authority.store,
        clock=authority.clock,
        urls=authority.urls,
        lint_rate=1,
    )
    before = len(authority.store.entries)
    request = CertificateRequest(
        profile="teacher", subject=NAMES["vietnamese"], public_key=SoftwareKey.generate().public_key(), holder="t/1"
    )
    with pytest.raises(LintError, match="mixed_key_usage"):
        issuing.certify(request)
    assert len(authority.store.entries) == before
