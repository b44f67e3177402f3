"""PAdES with keys in a token: the school's seal and the time stamps of a whole record; our verdict, and those of independent programs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.identity.subject import Subject
from pki.keys.key_stores import open_key_store
from pki.keys.pkcs11.store import Pkcs11Key
from records.enrolment import enrol_seal, seal_label, seal_request
from records.person import School
from signing.verdict import Indication
from signing.verifying.engines import Engine
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER, Credential
from tests.support.registration import approved, memory_registration
from tests.support.signing_cases import make_signing_house
from tests.support.softhsm import PIN, SoftHsm
from tests.support.verify_cases import RecordHouse


@pytest.fixture(scope="module")
def house(softhsm: SoftHsm) -> RecordHouse:
    """On the machine's own clock: that is the one that pdfsig and openssl look at."""
    keys = open_key_store(softhsm.token().uri(), PIN, create=True)
    made = make_signing_house((datetime.now(UTC) - timedelta(minutes=30)).replace(microsecond=0), keys)
    school = School("SM", SCHOOL_IDENTIFIER, SCHOOL, SCHOOL, "Hà Nội")
    authority, registration = made.authority.established.issuing, memory_registration(keys, made.authority.clock)
    approval = approved(registration, seal_request(school, authority=authority))
    key, issued = enrol_seal(school, authority=authority, keys=keys, approval=approval, registration=registration)
    assert isinstance(key, Pkcs11Key)
    assert seal_label(school) in keys.labels()
    subject = Subject.from_x509(x509.load_der_x509_certificate(issued.certificate_der).subject)
    return RecordHouse(replace(made, seal=Credential(issued.certificate_der, key, issued.serial, subject)))


@pytest.fixture(scope="module")
def record(house: RecordHouse) -> bytes:
    return house.record()


@pytest.mark.parametrize("engine", [Engine.REFERENCE, Engine.AUTO])
def test_a_record_sealed_in_the_token_passes(house: RecordHouse, record: bytes, engine: Engine) -> None:
    verdict = house.judge(record, engine=engine)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert len(verdict.signatures) == 3


def test_a_record_altered_after_sealing_does_not_pass(house: RecordHouse, record: bytes) -> None:
    position = record.index(b"stream") + 40
    altered = record[:position] + bytes([record[position] ^ 1]) + record[position + 1 :]
    assert house.judge(altered).indication is not Indication.TOTAL_PASSED


def test_pdfsig_finds_every_signature_valid_and_trusted(house: RecordHouse, record: bytes, tmp_path: Path) -> None:
    root, file = tmp_path / "root.der", tmp_path / "signed.pdf"
    root.write_bytes(house.house.authority.root_der)
    file.write_bytes(record)
    subprocess.run(["certutil", "-N", "-d", str(tmp_path), "--empty-password"], check=True)
    subprocess.run(["certutil", "-A", "-d", str(tmp_path), "-n", "root", "-t", "CT,C,C", "-i", str(root)], check=True)
    command = ["pdfsig", "-no-ocsp", "-nssdir", str(tmp_path), str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert told.count("Signature is Valid.") == 3
    assert told.count("Certificate is Trusted.") == 3


def test_openssl_verifies_the_seals_signature(house: RecordHouse, record: bytes, tmp_path: Path) -> None:
    """The CMS of the closing seal, cut out of the file with the octets that its ByteRange names."""
    seal = [found for found in re.finditer(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)\s*\]", record) if found][2]
    start, length, after, rest = map(int, seal.groups())
    container = bytes.fromhex(record[start + length + 1 : after - 1].decode())
    (tmp_path / "seal.der").write_bytes(container)
    (tmp_path / "content").write_bytes(record[start : start + length] + record[after : after + rest])
    for name, der in (("root", house.house.authority.root_der), ("issuing", house.house.authority.issuing_der)):
        (tmp_path / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    command = "openssl cms -verify -binary -inform DER -in seal.der -content content -CAfile root.pem -certfile issuing.pem -purpose any"
    done = subprocess.run([*command.split(), "-out", "/dev/null"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert "Verification successful" in done.stderr
