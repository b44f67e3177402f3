"""Independent programs agree: pdfsig with our root in its NSS database, qpdf, and pyHanko's AdES validation."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffPolicy, ModificationLevel
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.registry import SimpleTrustManager

from records.export import export_record
from signing.applying.archive import archive
from signing.applying.sign import sign
from tests.support.record_cases import make_record
from tests.support.signing_cases import WORKFLOW, SigningHouse, canonical_pdf, foreign_pdf, make_signing_house

STEPS = ("homeroom", "principal", "seal")
REQUIRED = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    """On the machine's own clock: that is the one that these programs look at."""
    return make_signing_house(datetime.now(UTC) - timedelta(minutes=5))


@pytest.fixture(scope="module")
def nss(house: SigningHouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nss")
    root = folder / "root.der"
    root.write_bytes(house.authority.root_der)
    subprocess.run(["certutil", "-N", "-d", str(folder), "--empty-password"], check=True)
    subprocess.run(["certutil", "-A", "-d", str(folder), "-n", "root", "-t", "CT,C,C", "-i", str(root)], check=True)
    return folder


def stages(house: SigningHouse, document: bytes) -> Iterator[tuple[int, bytes]]:
    """(number of signatures, document) after each signature and after archiving."""
    for count, step in enumerate(STEPS, 1):
        document = sign(document, house.request(step), time_stamper=house.tsa)
        yield count, document
    yield len(STEPS), archive(document, time_stamper=house.tsa, validation=house.evidence)


DOCUMENTS = {
    "canonical": canonical_pdf,
    "export": lambda: export_record(make_record(), WORKFLOW, verify_url="https://school.example/verify"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pdfsig_finds_every_signature_valid_and_trusted_after_each_step(house: SigningHouse, nss: Path, tmp_path: Path, name: str) -> None:
    for count, document in stages(house, DOCUMENTS[name]()):
        file = tmp_path / "signed.pdf"
        file.write_bytes(document)
        command = ["pdfsig", "-no-ocsp", "-nssdir", str(nss), str(file)]  # poppler would ask the address in the certificate
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        assert told.count("Signature is Valid.") == count
        assert told.count("Certificate is Trusted.") == count


@pytest.mark.parametrize("name", DOCUMENTS)
def test_qpdf_finds_no_error_after_each_step(house: SigningHouse, tmp_path: Path, name: str) -> None:
    for _, document in stages(house, DOCUMENTS[name]()):
        file = tmp_path / "signed.pdf"
        file.write_bytes(document)
        checked = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "No syntax or stream encoding errors found" in checked.stdout


def lta_results(house: SigningHouse, document: bytes, diff_policy: DiffPolicy | None) -> list[ades.AdESLTAValidationResult]:
    trust = SimpleTrustManager.build(trust_roots=[asn1_x509.Certificate.load(house.authority.root_der)])
    checking = RevocationCheckingPolicy(ee_certificate_rule=REQUIRED, intermediate_ca_cert_rule=REQUIRED)
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(trust_manager=trust, revinfo_policy=CertRevTrustPolicy(checking)),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY),
        key_usage_settings=KeyUsageConstraints({"non_repudiation"}),
    )
    reader = PdfFileReader(io.BytesIO(document))
    policy = PdfSignatureValidationSpec(spec, diff_policy=diff_policy)
    return [asyncio.run(ades.ades_lta_validation(signature, policy)) for signature in reader.embedded_regular_signatures]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pyhanko_finds_the_archive_level_passed(house: SigningHouse, name: str) -> None:
    *_, (_, document) = stages(house, DOCUMENTS[name]())
    results = lta_results(house, document, None)
    assert [result.ades_subindic for result in results] == [AdESPassed.OK] * 3


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pyhanko_finds_only_permitted_changes(house: SigningHouse, name: str) -> None:
    *_, (_, document) = stages(house, DOCUMENTS[name]())
    results = lta_results(house, document, DEFAULT_DIFF_POLICY)
    assert [result.ades_subindic for result in results] == [AdESPassed.OK] * 3
    levels = [result.api_status.modification_level for result in results]
    assert levels == [ModificationLevel.FORM_FILLING, ModificationLevel.FORM_FILLING, ModificationLevel.LTA_UPDATES]
    assert all(result.api_status.bottom_line for result in results)


@pytest.mark.parametrize("shape", ["table", "cross-reference stream", "form in the catalog", "form by reference"])
def test_pyhanko_and_qpdf_accept_a_sealed_foreign_document(house: SigningHouse, tmp_path: Path, shape: str) -> None:
    document = {
        "table": foreign_pdf(),
        "cross-reference stream": foreign_pdf(object_streams=True),
        "form in the catalog": foreign_pdf(form="direct"),
        "form by reference": foreign_pdf(form="indirect", object_streams=True),
    }[shape]
    sealed = sign(document, house.request("seal", field="Seal", create=True), time_stamper=house.tsa)
    archived = archive(sealed, time_stamper=house.tsa, validation=house.evidence)
    file = tmp_path / "sealed.pdf"
    file.write_bytes(archived)
    assert subprocess.run(["qpdf", "--check", str(file)], capture_output=True, check=False).returncode == 0
    (result,) = lta_results(house, archived, DEFAULT_DIFF_POLICY)
    assert result.ades_subindic is AdESPassed.OK
    assert result.api_status.modification_level is ModificationLevel.LTA_UPDATES


def test_pyhanko_notices_a_changed_octet(house: SigningHouse) -> None:
    *_, (_, document) = stages(house, canonical_pdf())
    changed = bytearray(document)
    changed[document.index(b"/MediaBox") + 1] ^= 0x20
    logging.disable(logging.CRITICAL)
    try:
        results = lta_results(house, bytes(changed), None)
    finally:
        logging.disable(logging.NOTSET)
    assert all(result.ades_subindic is not AdESPassed.OK for result in results)
