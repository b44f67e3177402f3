"""Independent programs agree about everything that the demo made: pdfsig, qpdf, pdftotext, openssl, pkilint, pyHanko."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from config.house import House
from pki.issuing.lint import findings
from pki.issuing.profile import LintKind
from pki.ports import CertificateEntry, CertificateState
from tests.demo.conftest import Demo, run


@pytest.fixture(scope="module")
def nss(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nss")
    assert run("certutil", "-N", "-d", folder, "--empty-password").returncode == 0
    assert run("certutil", "-A", "-d", folder, "-n", "root", "-t", "CT,C,C", "-a", "-i", demo.root_pem).returncode == 0
    return folder


@pytest.fixture(scope="module")
def issued(house: House) -> list[CertificateEntry]:
    found = [entry for name in ("root", "issuing") for entry in house.stores.certificates.entries(name)]
    assert {entry.state for entry in found} == {CertificateState.ISSUED}
    assert len(found) > 150
    return found


def test_pdfsig_finds_every_untouched_signature_valid_and_trusted(demo: Demo, nss: Path) -> None:
    for file in demo.genuine:
        told = run("pdfsig", "-no-ocsp", "-nssdir", nss, file).stdout
        assert told.count("Signature is Valid.") == 3, file.name
        assert told.count("Certificate is Trusted.") == 3, file.name


def test_pdfsig_finds_the_altered_page(demo: Demo, nss: Path) -> None:
    told = run("pdfsig", "-no-ocsp", "-nssdir", nss, demo.folder / "forged" / "altered-in-place.pdf").stdout
    assert "Signature is Valid." not in told
    assert told.count("Digest Mismatch.") == 3


def test_qpdf_finds_no_error(demo: Demo) -> None:
    for file in demo.genuine:
        done = run("qpdf", "--check", file)
        assert done.returncode == 0, done.stdout + done.stderr


def test_pdftotext_gives_every_pupils_name_back(demo: Demo) -> None:
    with (demo.folder / "roster" / "students.csv").open(encoding="utf-8-sig", newline="") as file:
        names = {row["student_id"]: f"{row['surname']} {row['given_name']}" for row in csv.DictReader(file)}
    for file in demo.genuine:
        student = file.name.removeprefix("HB-2026-").partition(".")[0]
        assert names[student] in run("pdftotext", "-layout", file, "-").stdout


def test_pdftotext_gives_the_signers_names_back(demo: Demo) -> None:
    _, rows = demo.verify(demo.genuine[0], "--trust", demo.root_pem)
    (row,) = rows.values()
    text = " ".join(run("pdftotext", demo.genuine[0], "-").stdout.split())
    for signature in row["signatures"]:
        assert signature["signer"]["name"] in text


def test_pyhanko_finds_only_permitted_changes_in_a_plain_validation(demo: Demo) -> None:
    context = ValidationContext(trust_roots=[load_cert_from_pemder(str(demo.root_pem))], allow_fetching=False)
    with demo.genuine[0].open("rb") as file:
        statuses = [validate_pdf_signature(found, context) for found in PdfFileReader(file).embedded_regular_signatures]
        assert all(status.bottom_line for status in statuses)
        assert [status.modification_level for status in statuses] == [
            ModificationLevel.FORM_FILLING,
            ModificationLevel.FORM_FILLING,
            ModificationLevel.LTA_UPDATES,
        ]


def test_openssl_verifies_the_chain_of_every_issued_certificate(
    demo: Demo, house: House, issued: list[CertificateEntry], tmp_path: Path
) -> None:
    issuing = tmp_path / "issuing.pem"
    issuing.write_bytes(_pem(house.authority.issuing_der))
    leaves = [_written(entry, tmp_path) for entry in issued if entry.issuer == "issuing"]
    done = run("openssl", "verify", "-x509_strict", "-CAfile", demo.root_pem, "-untrusted", issuing, *leaves)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(leaves)


def test_openssl_accepts_every_crl(demo: Demo, house: House, tmp_path: Path) -> None:
    issuing = tmp_path / "issuing.pem"
    issuing.write_bytes(_pem(house.authority.issuing_der))
    for signer, authority in zip(house.crl_signers, (demo.root_pem, issuing), strict=True):
        for shard in range(signer.shards):
            file = tmp_path / "shard.crl"
            file.write_bytes(signer.crl(shard))
            done = run("openssl", "crl", "-inform", "DER", "-in", file, "-CAfile", authority, "-noout")
            assert "verify OK" in done.stderr


def test_openssl_accepts_an_ocsp_response(demo: Demo, house: House, issued: list[CertificateEntry], tmp_path: Path) -> None:
    issuing = tmp_path / "issuing.pem"
    issuing.write_bytes(_pem(house.authority.issuing_der))
    entry = next(entry for entry in issued if entry.profile == "teacher")
    answer = tmp_path / "answer.der"
    answer.write_bytes(house.responder.status_response(entry.certificate_der or b""))
    leaf = _written(entry, tmp_path)
    done = run(
        *("openssl", "ocsp", "-respin", answer, "-issuer", issuing, "-cert", leaf, "-CAfile", demo.root_pem, "-verify_other", issuing),
    )
    assert "Response verify OK" in done.stderr
    assert f"{leaf}: good" in done.stdout


def test_openssl_accepts_a_time_stamp(demo: Demo, house: House, tmp_path: Path) -> None:
    issuing, data, query, reply = (tmp_path / name for name in ("issuing.pem", "data", "query.tsq", "reply.tsr"))
    issuing.write_bytes(_pem(house.authority.issuing_der))
    data.write_bytes(b"a record")
    assert run("openssl", "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query).returncode == 0
    reply.write_bytes(house.tsa.respond(query.read_bytes()))
    done = run("openssl", "ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", demo.root_pem, "-untrusted", issuing)
    assert "Verification: OK" in done.stdout, done.stdout + done.stderr


def test_pkilint_finds_nothing_grave_in_any_issued_certificate(house: House, issued: list[CertificateEntry]) -> None:
    found = [
        (entry.profile, finding.code)
        for entry in issued
        for finding in findings(entry.certificate_der or b"", _kind(house, entry))
        if finding.grave
    ]
    assert found == []


def _kind(house: House, entry: CertificateEntry) -> LintKind:
    return house.profiles[entry.profile].lint


def _pem(certificate_der: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM)


def _written(entry: CertificateEntry, folder: Path) -> Path:
    der = entry.certificate_der or b""
    file = folder / f"{hashlib.sha256(der).hexdigest()[:16]}.pem"
    file.write_bytes(_pem(der))
    return file
