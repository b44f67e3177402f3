"""`eduseal certificates suspend | release | due | renew | rekey | expiring | compromised-key`, as transcripts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateEntry, CertificateState
from tests.support.school_home import PIN, roster_files
from tests.support.signing_cases import foreign_pdf

SIGNING = ("record", "sign", "--step", "homeroom", "--by", "SM-GV04", "--all", "--pin-file", "-")
NEW_PIN = "chim sẻ nâu 42"


def entries(desk, holder: str = "SM-GV04") -> tuple[CertificateEntry, ...]:
    with desk.books() as books:
        return books.certificates.of_holder(holder)


def states(desk, holder: str = "SM-GV04") -> list[tuple[str, str | None]]:
    return [(entry.state.value, entry.revocation_reason) for entry in entries(desk, holder)]


@pytest.fixture
def serial(desk) -> str:
    return f"{entries(desk)[0].serial:x}"


@pytest.fixture
def renamed(desk):
    """The school's home after a roster import that gives SM-GV04 a new name."""
    Path("teachers.csv").write_bytes(roster_files()["teachers.csv"].replace("Hoàng Nam".encode(), "Hoàng Năm".encode()))
    assert desk("roster", "import", "teachers.csv")[0] == 0
    return desk


def common_name(entry: CertificateEntry) -> str:
    assert entry.certificate_der is not None
    (part,) = x509.load_der_x509_certificate(entry.certificate_der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(part.value)


# --- on hold ----------------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_suspended_and_released(desk, serial):
    assert desk("certificates", "suspend", serial, "--yes") == (
        0,
        f"Certificate {serial} (teacher) of SM-GV04 is suspended; `eduseal certificates release` ends it.\n",
        "",
    )
    assert states(desk) == [("suspended", "certificateHold")]
    assert desk("certificates", "release", serial) == (0, f"Certificate {serial} (teacher) of SM-GV04 is good again.\n", "")
    assert states(desk) == [("issued", None)]
    with desk.books() as books:
        told = [entry.kind for entry in books.log.of_subject(f"certificate/issuing/{serial}")]
    assert told[-2:] == ["certificate.suspended", "certificate.released"]


def test_nothing_is_signed_with_a_suspended_certificate(desk, serial):
    assert desk("certificates", "suspend", serial, "--yes")[0] == 0
    status, _, err = desk(*SIGNING, typed=f"{PIN}\n")
    assert (status, "the certificate of SM-GV04 is suspended; `eduseal certificates release " in err) == (65, True)


def test_a_released_certificate_signs_again(desk, serial):
    assert desk("certificates", "suspend", serial, "--yes")[0] == 0
    assert desk("certificates", "release", serial)[0] == 0
    assert desk(*SIGNING, typed=f"{PIN}\n")[0] == 0


def test_a_suspended_seal_is_not_in_force(desk):
    (seal,) = entries(desk, "seal/SM")
    assert desk("certificates", "suspend", f"{seal.serial:x}", "--yes")[0] == 0
    Path("letter.pdf").write_bytes(foreign_pdf())
    status, _, err = desk("sign", "letter.pdf", "--seal", "SM", "--to", "sealed.pdf")
    assert (status, "has no seal in force" in err) == (65, True)


def test_suspending_asks_first(desk, serial):
    assert desk("certificates", "suspend", serial)[::2] == (64, "eduseal: nobody is here to ask whether it is meant; say --yes\n")
    assert states(desk) == [("issued", None)]


def test_only_what_is_suspended_is_released(desk, serial):
    assert desk("certificates", "release", serial) == (
        65,
        "",
        f"eduseal: issuing: serial {serial} is issued; only a suspended certificate can be released\n",
    )


def test_a_suspended_certificate_can_be_revoked_for_good(desk, serial):
    assert desk("certificates", "suspend", serial, "--yes")[0] == 0
    since = entries(desk)[0].revoked_at
    assert desk("revoke", serial, "--reason", "affiliationChanged", "--yes")[0] == 0
    (entry,) = entries(desk)
    assert (entry.state, entry.revocation_reason, entry.revoked_at) == (CertificateState.REVOKED, "affiliationChanged", since)


def test_an_unknown_serial_is_refused(desk):
    assert desk("certificates", "suspend", "abc", "--yes") == (
        65,
        "",
        "eduseal: no issuer of this house has a certificate abc; `eduseal certificates` lists them\n",
    )


# --- reissued ---------------------------------------------------------------------------------------------------------------------


def test_nothing_is_due_while_certificates_say_what_the_roster_says(desk):
    assert desk("certificates", "due") == (0, "Every certificate says what the roster says.\n", "")


def test_a_new_name_makes_a_certificate_due(renamed, serial):
    status, out, _ = renamed("certificates", "due", "--format", "jsonl")
    assert (status, [json.loads(line) for line in out.splitlines()]) == (
        1,
        [{"holder": "SM-GV04", "school": "SM", "profile": "teacher", "serial": serial, "why": "new name"}],
    )


def test_renewing_keeps_key_and_pin_and_supersedes_the_old_name(renamed):
    assert renamed("certificates", "renew", "SM-GV04")[0] == 0
    old, new = entries(renamed)
    assert (old.state, old.revocation_reason, new.state) == (CertificateState.REVOKED, "superseded", CertificateState.ISSUED)
    assert old.public_key_sha256 == new.public_key_sha256
    assert (common_name(old), common_name(new)) == ("Đỗ Hoàng Nam", "Đỗ Hoàng Năm")
    assert renamed(*SIGNING, typed=f"{PIN}\n")[0] == 0
    assert renamed("certificates", "due")[0] == 0


def test_renewing_without_a_change_supersedes_nothing(desk):
    assert desk("certificates", "renew", "SM-GV04")[0] == 0
    assert states(desk) == [("issued", None), ("issued", None)]


def test_a_renewed_pupil_keeps_commitment_and_opening(desk):
    with desk.books() as books:
        before = books.holder_keys.get("SM-9A-01")
    if not before.activated:
        typed = f"{desk.codes['SM-9A-01']}\n{NEW_PIN}\n"
        assert desk("activate", "SM-9A-01", "--code-file", "-", "--pin-file", "-", typed=typed)[0] == 0
    assert desk("certificates", "renew", "SM-9A-01")[0] == 0
    with desk.books() as books:
        after = books.holder_keys.get("SM-9A-01")
    assert (after.commitment, after.serial == before.serial) == (before.commitment, False)
    assert states(desk, "SM-9A-01") == [("issued", None), ("issued", None)]


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        ("SM-GV05", "SM-GV05 has not chosen a PIN yet; there is nothing to renew: rekey"),
        ("SM-9A-12", "SM-9A-12 is blocked; see `eduseal roster blocked`"),
        ("SM-GV99", "SM-GV99 is not in the roster; `eduseal roster show --school SCHOOL` lists who is"),
    ],
)
def test_some_cannot_be_renewed(desk, holder, text):
    assert desk("certificates", "renew", holder) == (65, "", f"eduseal: {text}\n")


def test_a_suspended_certificate_is_neither_renewed_nor_rekeyed(desk, serial):
    assert desk("certificates", "suspend", serial, "--yes")[0] == 0
    for command in (("renew", "SM-GV04"), ("rekey", "SM-GV04", "--sheet", "sheet.csv")):
        status, _, err = desk("certificates", *command)
        assert (status, err) == (65, "eduseal: the certificate of SM-GV04 is suspended; release it or revoke it first\n")
    _, _, err = desk("enrol", "--again", "SM-GV04", "--sheet", "sheet.csv")
    assert err == "SM-GV04 was not enrolled: the certificate of SM-GV04 is suspended; release it or revoke it first\n"
    assert not Path("sheet.csv").exists()


def test_wrong_pins_are_not_forgotten_by_a_renewal(desk):
    assert desk(*SIGNING, typed="không phải nó 1\n")[0] == 65
    status, _, err = desk("certificates", "renew", "SM-GV04")
    assert (status, err) == (65, "eduseal: wrong PINs are counted for SM-GV04; their right PIN clears them, then renew\n")


def test_a_new_key_leaves_no_gap(renamed):
    """The teacher signs with the old key until the new one is activated; that moment the old certificate is superseded."""
    assert renamed("certificates", "rekey", "SM-GV04", "--sheet", "sheet.csv")[0] == 0
    assert states(renamed) == [("issued", None), ("issued", None)]
    assert renamed("certificates", "due")[0] == 0
    assert renamed(*SIGNING, typed=f"{PIN}\n")[0] == 0
    (row,) = csv.DictReader(Path("sheet.csv").read_text(encoding="utf-8-sig").splitlines())
    typed = f"{row['activation_code']}\n{NEW_PIN}\n"
    assert renamed("activate", "SM-GV04", "--code-file", "-", "--pin-file", "-", typed=typed)[0] == 0
    assert states(renamed) == [("revoked", "superseded"), ("issued", None)]
    old, new = entries(renamed)
    assert old.public_key_sha256 != new.public_key_sha256


# --- what ends --------------------------------------------------------------------------------------------------------------------


def test_nothing_ends_soon_in_a_new_house(desk):
    assert desk("certificates", "expiring", "--days", "7") == (0, "Nothing ends within 7 days.\n", "")
    assert desk("certificates", "expiring", "--new") == (0, "Nothing new ends soon.\n", "")


def test_what_ends_is_listed_by_school_with_the_authoritys_own(desk):
    status, out, _ = desk("certificates", "expiring", "--days", "3650", "--format", "jsonl")
    found = {(row["holder"], row["school"]) for row in map(json.loads, out.splitlines())}
    assert status == 1
    assert {("SM-GV04", "SM"), ("seal/SM", "SM"), ("authority/tsa", ""), ("authority/ocsp", "")} <= found


def test_of_a_school_only_its_own_is_listed(desk):
    status, out, _ = desk("certificates", "expiring", "--days", "3650", "--school", "SM", "--format", "csv")
    rows = list(csv.DictReader(out.splitlines()))
    assert (status, {row["school"] for row in rows}, rows[0]["state"]) == (0, {"SM"}, "issued")


# --- compromised keys -------------------------------------------------------------------------------------------------------------


def request(key: SoftwareKey, name: str = "compromised key") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key.private_key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


@pytest.fixture
def seal_key(desk) -> Path:
    """The school's seal key as a thief would have it."""
    from config.bootstrap import open_house, utc_now
    from config.settings import Settings
    from records.enrolment import seal_label
    from tests.support.school_home import PASSPHRASE

    house = open_house(Settings.from_environment({}, home=desk.home), clock=utc_now, passphrase=PASSPHRASE)
    key = house.keys.open(seal_label(house.stores.roster.school("SM")))
    house.close()
    assert isinstance(key, SoftwareKey)
    path = Path("stolen.pem")
    path.write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_a_stolen_key_revokes_its_certificates(desk, seal_key):
    (seal,) = entries(desk, "seal/SM")
    status, out, err = desk("certificates", "compromised-key", seal_key, "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"Certificate {seal.serial:x} (school-seal) of seal/SM is revoked: keyCompromise.",
        f"1 revoked. The key {seal.public_key_sha256.hex()[:16]}… is never certified again.",
    ]
    assert states(desk, "seal/SM") == [("revoked", "keyCompromise")]


def test_a_school_whose_seal_was_stolen_gets_a_new_key(desk, seal_key):
    from config.bootstrap import open_house, utc_now
    from config.settings import Settings
    from config.signers import seal_signer
    from tests.support.registration import issue_seal
    from tests.support.school_home import PASSPHRASE

    assert desk("certificates", "compromised-key", seal_key, "--yes")[0] == 0
    house = open_house(Settings.from_environment({}, home=desk.home), clock=utc_now, passphrase=PASSPHRASE)
    school = house.stores.roster.school("SM")
    issue_seal(house, school)
    signer = seal_signer(house, school)
    house.close()
    old, new = entries(desk, "seal/SM")
    assert (old.state, new.state, new.certificate_der) == (CertificateState.REVOKED, CertificateState.ISSUED, signer.certificate_der)
    assert old.public_key_sha256 != new.public_key_sha256


def test_a_request_signed_for_this_purpose_proves_it_too(desk):
    Path("proof.csr").write_bytes(request(SoftwareKey.generate()))
    status, out, _ = desk("certificates", "compromised-key", "proof.csr", "--yes")
    assert (status, out.startswith("0 revoked. The key ")) == (0, True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (request(SoftwareKey.generate(), "Trần Thị Hoa"), "the request's common name must be 'compromised key'"),
        (b"no key at all", "neither an unencrypted private key nor a PKCS#10 request, in PEM"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "not a PKCS#10 request (RFC 2986) in DER"),
    ],
)
def test_what_proves_nothing_revokes_nothing(desk, content, text):
    Path("proof").write_bytes(content)
    status, _, err = desk("certificates", "compromised-key", "proof", "--yes")
    assert (status, text in err) == (65, True)


def test_a_report_that_nobody_meant_revokes_nothing(desk, seal_key):
    assert desk("certificates", "compromised-key", seal_key)[0] == 64
    assert states(desk, "seal/SM") == [("issued", None)]
