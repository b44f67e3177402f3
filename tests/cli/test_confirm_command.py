"""`eduseal confirm`: offline, without a home."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.identity.commitment import opening_text
from tests.support.authority import make_authority

CODE = "001212000001"


@pytest.fixture(scope="module")
def pupil():
    return make_authority().issue_student(CODE)


@pytest.fixture
def folder(tmp_path, monkeypatch, pupil) -> str:
    monkeypatch.chdir(tmp_path)
    Path("pupil.cer").write_bytes(pupil.certificate_der)
    Path("pupil.pem").write_bytes(x509.load_der_x509_certificate(pupil.certificate_der).public_bytes(Encoding.PEM))
    return opening_text(pupil.opening)


@pytest.mark.parametrize("file", ["pupil.cer", "pupil.pem"])
def test_the_right_code_is_confirmed(eduseal, folder, pupil, file):
    status, out, err = eduseal("confirm", file, "--code", CODE, "--opening", folder)
    assert (status, err) == (0, "Not checked: who issued the certificate, and whether it still stands.\n")
    assert out.startswith(f"Confirmed: the code is the one behind certificate {pupil.serial:x} (commitment ")


def test_another_code_is_not(eduseal, folder):
    assert eduseal("confirm", "pupil.pem", "--code", "001212000002", "--opening", folder) == (
        1,
        "Not confirmed: code and opening do not match the commitment in this certificate.\n",
        "",
    )


def test_code_and_opening_come_from_files(eduseal, folder):
    for name, text in (("code", CODE), ("opening", folder)):
        Path(name).write_text(text, encoding="utf-8")
        Path(name).chmod(0o600)
    assert eduseal("confirm", "pupil.pem", "--code-file", "code", "--opening-file", "opening")[0] == 0


def test_the_code_is_never_repeated(eduseal, folder):
    _, out, err = eduseal("confirm", "pupil.pem", "--code", CODE, "--opening", folder)
    assert CODE not in out + err
    assert folder not in out + err


def test_an_opening_that_is_none_is_refused(eduseal, folder):
    status, out, err = eduseal("confirm", "pupil.pem", "--code", CODE, "--opening", "ABC")
    assert (status, out) == (65, "")
    assert err == "eduseal: opening: expected 52 letters A-Z and digits 2-7, as given out with the certificate\n"


def test_an_empty_code_is_refused(eduseal, folder):
    status, _, err = eduseal("confirm", "pupil.pem", "--code", "  ", "--opening", folder)
    assert (status, err) == (65, "eduseal: identity code: expected 1 to 64 characters, got 0\n")


def test_a_certificate_without_a_commitment_is_refused(eduseal, folder):
    Path("root.cer").write_bytes(make_authority().root_der)
    status, _, err = eduseal("confirm", "root.cer", "--code", CODE, "--opening", folder)
    assert (status, err) == (65, "eduseal: certificate: carries no commitment to an identity code\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.7", "certificate: not a DER X.509 certificate"),
        (b"", "certificate: not a DER X.509 certificate"),
        (b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "broken is not a PEM certificate"),
        (b"0" * 70_000, "broken has more than the 65536 octets that are read"),
    ],
)
def test_a_file_that_is_no_certificate_is_one_line(eduseal, folder, content, message):
    Path("broken").write_bytes(content)
    assert eduseal("confirm", "broken", "--code", CODE, "--opening", folder) == (65, "", f"eduseal: {message}\n")


def test_a_code_given_twice_is_refused(eduseal, folder):
    status, _, err = eduseal("confirm", "pupil.pem", "--code", CODE, "--code-file", "-", "--opening", folder)
    assert (status, err) == (64, "eduseal: give the code, and the opening, once: by the option itself or by its file\n")
