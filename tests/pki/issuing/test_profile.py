"""Certificate profiles: what the shipped ones say, what a profile file may not say, and which requests do not fit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from certs.loader import load, names
from pki.identity.commitment import commit, identifier
from pki.identity.subject import Subject, person, pseudonymous
from pki.issuing.profile import CertificateProfile, ProfileError, profiles_from
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER, shipped_profiles

SIGNERS = ("teacher", "principal", "student", "school-seal")
TEACHER = person(
    country="VN",
    surname="Trần",
    given_name="Thị Hoa",
    identifier="PNOVN-001185000001",
    organization=SCHOOL,
    organization_identifier=SCHOOL_IDENTIFIER,
)
HIDDEN = identifier(commit("001212000001", bytes(32)), country="VN")


@pytest.fixture(scope="module")
def profiles() -> dict[str, CertificateProfile]:
    return shipped_profiles()


def test_the_profiles_are_shipped(profiles: dict[str, CertificateProfile]) -> None:
    assert set(profiles) == {"root", "cross", "issuing", "teacher", "principal", "student", "school-seal", "tsa", "ocsp", "report"}


@pytest.mark.parametrize("name", SIGNERS)
def test_signers_certificate_is_for_commitment_alone(profiles: dict[str, CertificateProfile], name: str) -> None:
    profile = profiles[name]
    assert profile.key_usage == ("nonRepudiation",)
    assert profile.extended_key_usage == ("1.3.6.1.5.5.7.3.36", "1.3.6.1.5.5.7.3.4")
    assert (profile.ca_issuers, profile.ocsp, profile.crl) == (True, True, True)


@pytest.mark.parametrize("policy", ["record", "ades"])
def test_each_role_has_the_policy_oid_that_verification_looks_for(profiles: dict[str, CertificateProfile], policy: str) -> None:
    roles = load("policies", policy)["roles"]
    assert {name: profiles[name].policies for name in SIGNERS} == {name: (roles[name],) for name in SIGNERS}


def test_time_stamping_is_sole_and_critical(profiles: dict[str, CertificateProfile]) -> None:
    assert profiles["tsa"].extended_key_usage == ("1.3.6.1.5.5.7.3.8",)
    assert profiles["tsa"].extended_key_usage_critical


def test_responder_is_short_lived_and_has_no_status_of_its_own(profiles: dict[str, CertificateProfile]) -> None:
    profile = profiles["ocsp"]
    assert (profile.ocsp_nocheck, profile.ocsp, profile.crl, profile.validity.days <= 90) == (True, False, False, True)


def test_each_issuer_outlives_what_it_issues(profiles: dict[str, CertificateProfile]) -> None:
    lives = {name: profile.validity.days for name, profile in profiles.items()}
    assert lives["root"] >= 25 * 365
    assert lives["root"] > lives["issuing"] > lives["tsa"] > lives["teacher"]


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data = copy.deepcopy(load("profiles", "teacher"))
    change(data)
    return data


BROKEN: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lambda d: d.pop("name"), r"profile\.name is missing"),
    (lambda d: d.update(name=""), r"profile\.name is empty"),
    (lambda d: d.update(name=7), r"profile\.name is missing or not a str"),
    (lambda d: d.update(colour="red"), r"unknown keys colour"),
    (lambda d: d["extensions"].update(extended_key_usages=[]), r"extensions has unknown keys extended_key_usages"),
    (lambda d: d["subject"].update(ou=True), r"subject has unknown keys ou"),
    (lambda d: d.pop("subject"), r"table \[subject\] is missing"),
    (lambda d: d.update(extensions=3), r"table \[extensions\] is missing"),
    (lambda d: d.update(validity_days=0), r"validity_days is 0, expected 1 to"),
    (lambda d: d.update(validity_days=36500), r"validity_days is 36500, expected 1 to"),
    (lambda d: d.update(validity_days=True), r"validity_days is missing or not a int"),
    (lambda d: d.update(lint="none"), r"lint is 'none', expected one of natural-person, legal-person, pkix"),
    (lambda d: d.update(keys=["P-521"]), r"keys holds 'P-521', expected some of P-256, P-384, RSA"),
    (lambda d: d.update(keys=[]), r"keys is empty or repeats"),
    (lambda d: d.update(keys=["RSA", "RSA"]), r"keys is empty or repeats"),
    (lambda d: d["subject"].update(required=["email"]), r"required holds 'email'"),
    (lambda d: d["subject"].update(optional=["surname"]), r"an attribute is both required and optional"),
    (lambda d: d["subject"].update(required=["country", "common_name"]), r"identity plain needs serial_number"),
    (lambda d: d["subject"].update(identity="hashed"), r"identity is 'hashed'"),
    (lambda d: d["extensions"].update(key_usage=["keyEncipherment"]), r"key_usage holds 'keyEncipherment'"),
    (lambda d: d["extensions"].update(key_usage=["keyCertSign"]), r"path_length and keyCertSign go together"),
    (lambda d: d["extensions"].update(path_length=0), r"path_length and keyCertSign go together"),
    (lambda d: d["extensions"].update(extended_key_usage=["1.3.6.1.5.5.7.3.1"]), r"extended_key_usage holds '1\.3\.6\.1\.5\.5\.7\.3\.1'"),
    (lambda d: d["extensions"].update(extended_key_usage=["1.3.6.1.5.5.7.3.8"]), r"timeStamping must be the sole"),
    (
        lambda d: d["extensions"].update(extended_key_usage=["1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.4"], extended_key_usage_critical=True),
        r"timeStamping must be the sole",
    ),
    (lambda d: d["extensions"].update(policies=["teacher"]), r"policies holds something that is not an object identifier"),
    (lambda d: d["extensions"].update(policies=[7]), r"policies holds something that is not an object identifier"),
    (lambda d: d["extensions"].update(semantics="eidas"), r"semantics is 'eidas'"),
    (lambda d: d["extensions"].update(ocsp="yes"), r"ocsp is missing or not a bool"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_profile_file_is_refused(change: Callable[[dict[str, Any]], None], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        CertificateProfile.from_mapping(changed(change))


@pytest.mark.parametrize("name", names("profiles"))
def test_no_shipped_file_has_a_key_that_nobody_reads(name: str) -> None:
    assert CertificateProfile.from_mapping(load("profiles", name)).name == name


def test_two_profiles_of_one_name_are_refused() -> None:
    with pytest.raises(ProfileError, match="profile teacher: defined twice"):
        profiles_from([load("profiles", "teacher")] * 2)


@pytest.mark.parametrize(
    ("profile", "subject", "message"),
    [
        ("teacher", Subject(country="VN", common_name="A"), "the subject lacks organization, organization_identifier, surname"),
        ("student", TEACHER, "the subject lacks pseudonym"),
        ("school-seal", TEACHER, "may not carry given_name, serial_number, surname"),
        (
            "teacher",
            person(
                country="VN",
                surname="A",
                given_name="B",
                identifier=HIDDEN,
                organization=SCHOOL,
                organization_identifier=SCHOOL_IDENTIFIER,
            ),
            "serial_number is not of kind plain",
        ),
        ("student", pseudonymous(country="VN", identifier="PNOVN-001212000001"), "serial_number is not of kind commitment"),
    ],
)
def test_subject_that_does_not_fit_is_refused(
    profiles: dict[str, CertificateProfile], profile: str, subject: Subject, message: str
) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        profiles[profile].check_subject(subject)
    assert "0012" not in str(caught.value)


def test_fitting_subjects_are_accepted(profiles: dict[str, CertificateProfile]) -> None:
    profiles["teacher"].check_subject(TEACHER)
    profiles["student"].check_subject(pseudonymous(country="VN", identifier=HIDDEN))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_p256_and_p384_are_accepted(profiles: dict[str, CertificateProfile], curve: ec.EllipticCurve) -> None:
    profiles["teacher"].check_key(ec.generate_private_key(curve).public_key())


def test_rsa_2048_is_accepted(profiles: dict[str, CertificateProfile]) -> None:
    profiles["teacher"].check_key(rsa.generate_private_key(65537, 2048).public_key())


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "RSA-1024"),
        (lambda: rsa.generate_private_key(3, 2048), "RSA-2048 with an unusual exponent"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "secp224r1"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "brainpoolP256r1"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "secp521r1"),
        (ed25519.Ed25519PrivateKey.generate, "Ed25519PublicKey"),
        (lambda: dsa.generate_private_key(1024), "DSAPublicKey"),
    ],
)
def test_weak_or_unnamed_key_is_refused(profiles: dict[str, CertificateProfile], make: Callable[[], Any], shown: str) -> None:
    with pytest.raises(ProfileError, match=f"got a {shown}.* key, expected P-256 or P-384 or RSA"):
        profiles["teacher"].check_key(make().public_key())
