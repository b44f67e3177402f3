"""The structural lint: whatever differs between a to-be-signed certificate and its plan is seen, down to a single bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat import asn1

from pki.issuing.profile import Identity, Semantics
from pki.issuing.structural import Seen, StructureError, check_structure
from pki.issuing.structural_asn1 import Head
from pki.issuing.tbs import Plan, build, key_identifier, throwaway_key
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from tests.support.authority import Credential, TestAuthority, make_authority


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return make_authority()


def plan_of(authority: TestAuthority, profile: str, credential: Credential) -> Plan:
    certificate = x509.load_der_x509_certificate(credential.certificate_der)
    return Plan(
        profile=authority.profiles[profile],
        issuer=authority.established.issuing.issuer,
        subject=credential.subject,
        public_key=credential.key.public_key(),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        urls=authority.urls,
        crl_shards=4,
    )


@pytest.fixture(scope="module")
def teacher(authority: TestAuthority) -> Plan:
    return plan_of(authority, "teacher", authority.issue_teacher())


def tbs(plan: Plan) -> bytes:
    return build(plan, throwaway_key(plan.issuer.public_key)).tbs_certificate_bytes


def test_what_was_built_to_plan_passes(teacher: Plan) -> None:
    check_structure(tbs(teacher), teacher)


def in_profile(**changes: object) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, profile=replace(plan.profile, **changes))  # type: ignore[arg-type]


DIFFERENCES: list[tuple[str, Callable[[Plan], Plan]]] = [
    ("serial number", lambda p: replace(p, serial=p.serial + 4)),
    ("issuer", lambda p: replace(p, issuer=replace(p.issuer, subject=p.subject.x509_name()))),
    ("signature algorithm", lambda p: replace(p, issuer=replace(p.issuer, public_key=SoftwareKey.generate("P-384").public_key()))),
    ("subject encoding", lambda p: replace(p, subject=replace(p.subject, given_name="Khác"))),
    ("subject encoding", lambda p: replace(p, subject=replace(p.subject, organization_identifier="NTRVN-0100109107"))),
    ("validity", lambda p: replace(p, not_after=p.not_after + timedelta(seconds=1))),
    ("validity", lambda p: replace(p, not_before=p.not_before + timedelta(seconds=1))),
    ("public key", lambda p: replace(p, public_key=SoftwareKey.generate().public_key())),
    ("key usage", in_profile(key_usage=("digitalSignature",))),
    ("key usage", in_profile(key_usage=("nonRepudiation", "digitalSignature"))),
    ("extended key usage", in_profile(extended_key_usage=("1.3.6.1.5.5.7.3.36",))),
    ("set of extensions", in_profile(extended_key_usage_critical=True)),
    ("set of extensions", in_profile(extended_key_usage=())),
    ("set of extensions", in_profile(policies=())),
    ("policies", in_profile(policies=("1.3.6.1.4.1.32473.1.1.2",))),
    ("set of extensions", in_profile(path_length=0)),
    ("set of extensions", in_profile(crl=False)),
    ("set of extensions", in_profile(ocsp_nocheck=True)),
    ("authority information access", in_profile(ocsp=False)),
    ("authority key identifier", lambda p: replace(p, issuer=replace(p.issuer, key_identifier=bytes(20)))),
    ("authority information access", lambda p: replace(p, urls=AuthorityUrls("http://pki.example.net"))),
    ("CRL distribution point", lambda p: replace(p, crl_shards=1_000_003)),
    ("semantics identifier", in_profile(semantics=Semantics.LEGAL)),
    ("set of extensions", in_profile(semantics=Semantics.NONE)),
]


@pytest.mark.parametrize(("field", "change"), DIFFERENCES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(DIFFERENCES)])
def test_certificate_built_to_another_plan_is_refused(teacher: Plan, field: str, change: Callable[[Plan], Plan]) -> None:
    with pytest.raises(StructureError, match=f"{field} is not what the profile and request ask for"):
        check_structure(tbs(change(teacher)), teacher)


def test_certificate_beyond_its_profiles_validity_is_refused(teacher: Plan) -> None:
    long = replace(teacher, not_after=teacher.not_before + teacher.profile.validity)
    with pytest.raises(StructureError, match="validity period is not"):
        check_structure(tbs(long), long)


def test_certificate_that_outlives_its_issuer_is_refused(teacher: Plan) -> None:
    short = replace(teacher, issuer=replace(teacher.issuer, not_after=teacher.not_after - timedelta(seconds=1)))
    with pytest.raises(StructureError, match="validity within the issuer's is not"):
        check_structure(tbs(short), short)


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_serial_outside_its_bounds_is_refused_even_if_planned(teacher: Plan, serial: int) -> None:
    head = asn1.decode_der(Head, tbs(teacher))
    octets = asn1.encode_der(
        Head(
            version=2,
            serial=serial,
            signature=head.signature,
            issuer=head.issuer,
            validity=head.validity,
            subject=head.subject,
            public_key=head.public_key,
            extensions=head.extensions,
        )
    )
    with pytest.raises(StructureError, match="serial number is not"):
        check_structure(octets, replace(teacher, serial=serial))


def test_weak_key_is_refused_even_if_it_was_asked_for(teacher: Plan) -> None:
    key = SoftwareKey.generate("P-521").public_key()
    plan = replace(teacher, public_key=key)
    with pytest.raises(StructureError, match="got a secp521r1 key"):
        check_structure(tbs(plan), plan)


def test_local_scheme_without_its_registration_authority_is_refused(authority: TestAuthority, teacher: Plan) -> None:
    student = plan_of(authority, "student", authority.issue_student())
    plain = replace(student.profile, identity=Identity.PLAIN)
    named = replace(student, profile=plain, subject=replace(student.subject, serial_number="PNOVN-" + "1" * 12))
    # the same certificate, but for the identifier: what is right for one scheme is wrong for the other
    local = b"http://pki.example.org/ca/identifiers"
    assert local in tbs(student)
    assert local not in tbs(named)


def test_subject_key_identifier_is_method_1(teacher: Plan) -> None:
    built = build(teacher, throwaway_key(teacher.issuer.public_key))
    found = built.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert found == key_identifier(teacher.public_key)
    assert tbs(teacher).count(found) == 1


@pytest.mark.parametrize("octets", [b"", b"0", bytes(800), b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 500])
def test_garbage_is_refused(teacher: Plan, octets: bytes) -> None:
    with pytest.raises(StructureError, match="cannot be read back"):
        check_structure(octets, teacher)


def test_trailing_octets_are_refused(teacher: Plan) -> None:
    with pytest.raises(StructureError, match="cannot be read back"):
        check_structure(tbs(teacher) + b"\x05\x00", teacher)


@pytest.mark.parametrize("profile", ["teacher", "student", "school-seal"])
@pytest.mark.filterwarnings("ignore")  # `cryptography` warns of what some of the flipped bits make
def test_every_single_flipped_bit_is_refused(authority: TestAuthority, profile: str) -> None:
    issue = {"teacher": authority.issue_teacher, "student": authority.issue_student, "school-seal": authority.issue_seal}[profile]
    plan = plan_of(authority, profile, issue())
    octets, seen = tbs(plan), Seen()
    check_structure(octets, plan, seen)  # from here on extensions are known that are right
    missed = []
    for position in range(len(octets)):
        for bit in range(8):
            flipped = bytearray(octets)
            flipped[position] ^= 1 << bit
            missed += [(position, bit) for known in (Seen(), seen) if passes(bytes(flipped), plan, known)]
    assert missed == []


def passes(tbs_der: bytes, plan: Plan, seen: Seen) -> bool:
    try:
        check_structure(tbs_der, plan, seen)
    except StructureError:
        return False
    return True


@pytest.mark.parametrize(("field", "change"), DIFFERENCES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(DIFFERENCES)])
def test_what_is_known_to_be_right_for_one_plan_is_not_so_for_another(teacher: Plan, field: str, change: Callable[[Plan], Plan]) -> None:
    seen, other = Seen(), change(teacher)
    check_structure(tbs(teacher), teacher, seen)
    if passes(tbs(other), other, Seen()):
        check_structure(tbs(other), other, seen)
    with pytest.raises(StructureError, match=f"{field} is not what the profile and request ask for"):
        check_structure(tbs(other), teacher, seen)


def test_another_keys_identifier_is_refused_among_known_extensions(teacher: Plan) -> None:
    seen, other = Seen(), replace(teacher, public_key=SoftwareKey.generate().public_key())
    check_structure(tbs(teacher), teacher, seen)
    octets = tbs(teacher).replace(key_identifier(teacher.public_key), key_identifier(other.public_key))
    with pytest.raises(StructureError, match="subject key identifier is not"):
        check_structure(octets, teacher, seen)
