"""`eduseal certificates` and `eduseal revoke`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from pki.ports import CertificateState


@pytest.fixture
def serial(desk) -> str:
    with desk.books() as books:
        return f"{books.certificates.of_holder('SM-GV05')[0].serial:x}"


def test_certificates_are_listed_by_holder(desk):
    status, out, err = desk("certificates")
    assert (status, err) == (0, "")
    found = [line.split()[1:5] for line in out.splitlines()]
    assert found[0] == ["ISSUER", "PROFILE", "HOLDER", "STATE"]
    assert ["issuing", "teacher", "SM-GV04", "issued"] in found
    assert {line[0] for line in found[1:]} == {"root", "issuing"}
    assert [line[2] for line in found[1:]] == sorted(line[2] for line in found[1:])


def test_one_holders_certificate(desk, serial):
    lines = desk("certificates", "--holder", "SM-GV05")[1].splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [[serial, "issuing", "teacher", "SM-GV05"]]


def test_a_certificate_is_written_as_pem(desk, serial):
    assert desk("certificates", "--holder", "SM-GV05", "--to", "one.pem") == (0, "Written: one.pem\n", "")
    assert f"{x509.load_pem_x509_certificate(Path('one.pem').read_bytes()).serial_number:x}" == serial


def test_whoever_has_no_certificate_gets_no_file(desk):
    assert desk("certificates", "--holder", "SM-GV06", "--to", "one.pem") == (65, "", "eduseal: SM-GV06 has no certificate\n")
    assert not Path("one.pem").exists()


def test_to_needs_a_holder(desk):
    assert desk("certificates", "--to", "x.pem")[2] == "eduseal: --to writes one holder's certificate; name them with --holder ID\n"


def test_a_certificate_is_revoked(desk, serial):
    assert desk("revoke", serial, "--reason", "keyCompromise", "--yes") == (
        0,
        f"Certificate {serial} (teacher) of SM-GV05 is revoked: keyCompromise.\n",
        "",
    )
    with desk.books() as books:
        (entry,) = books.certificates.of_holder("SM-GV05")
        assert (entry.state, entry.revocation_reason) == (CertificateState.REVOKED, "keyCompromise")
    assert desk("certificates", "--state", "revoked")[1].count("revoked: keyCompromise") == 1


def test_a_serial_may_be_written_with_colons(desk, serial):
    padded = serial.zfill(40).upper()
    colons = ":".join(padded[at : at + 2] for at in range(0, 40, 2))
    assert desk("revoke", colons, "--reason", "superseded", "--yes")[0] == 0


def test_a_revocation_is_final(desk, serial):
    desk("revoke", serial, "--reason", "superseded", "--yes")
    assert desk("revoke", serial, "--reason", "keyCompromise", "--yes") == (
        65,
        "",
        f"eduseal: certificate {serial} of SM-GV05 is revoked already; a revocation is final\n",
    )


def test_nothing_is_revoked_unasked(desk, serial):
    assert desk("revoke", serial, "--reason", "superseded") == (
        64,
        "",
        "eduseal: nobody is here to ask whether it is meant; say --yes\n",
    )


@pytest.mark.parametrize("text", ["xyz", "0", "-1", "1" * 60, "0x", "١٢"])
def test_a_serial_that_is_none_is_refused(desk, text):
    status, _, err = desk("revoke", "--reason", "superseded", "--yes", "--", text)
    assert status == 64
    assert err.startswith("eduseal: SERIAL is ")


def test_an_unknown_serial_is_refused(desk):
    assert desk("revoke", "abc", "--reason", "superseded", "--yes") == (
        65,
        "",
        "eduseal: no issuer of this house has a certificate abc; `eduseal certificates` lists them\n",
    )


def test_a_reason_that_is_none_is_refused(desk, serial):
    status, _, err = desk("revoke", serial, "--reason", "boredom", "--yes")
    assert (status, "'boredom' is not one of 'unspecified', 'keyCompromise'" in err) == (64, True)
