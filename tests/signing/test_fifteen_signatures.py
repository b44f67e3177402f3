"""A record certified by the school and signed by fifteen, at B-LTA: three programs accept every signature, and the first one's status
never changes as later ones are added."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffPolicy, ModificationLevel
from pyhanko.sign.validation import KeyUsageConstraints, async_validate_pdf_signature
from pyhanko.sign.validation.ades import AdESLTAValidationResult, ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.registry import SimpleTrustManager

from signing.applying.batch import BatchItem, BatchSigner, sign_batch
from signing.applying.locks import LockedError
from signing.applying.sign import sign
from signing.coverage.structure import read_structure
from signing.errors import SigningError
from signing.pdf.document import Document
from signing.trust.store import Supplied
from signing.verdict import Entitlement, Indication, SignatureVerdict
from signing.verifying.engines import Engine
from signing.workflow import Manifest
from tests.support.subject_cases import SUBJECTS, SubjectHouse, make_subject_house
from tests.support.verify_cases import RECORD, RecordHouse, codes, exported

REQUIRED = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
USAGE = KeyUsageConstraints({"non_repudiation"})


@pytest.fixture(scope="module")
def house() -> SubjectHouse:
    """On the machine's own clock, which pdfsig looks at; it stands still, so that every time stamp lies in the past."""
    return make_subject_house(datetime.now(UTC) - timedelta(minutes=5), minutes=False)


@pytest.fixture(scope="module")
def stages(house: SubjectHouse) -> list[bytes]:
    """After each of the sixteen signatures, and after archiving."""
    signed = [document for _, document in house.stages()]
    return [*signed, house.archive(signed[-1])]


@pytest.fixture(scope="module")
def nss(house: SubjectHouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nss")
    root = folder / "root.der"
    root.write_bytes(house.house.authority.root_der)
    subprocess.run(["certutil", "-N", "-d", str(folder), "--empty-password"], check=True)
    subprocess.run(["certutil", "-A", "-d", str(folder), "-n", "root", "-t", "CT,C,C", "-i", str(root)], check=True)
    return folder


@pytest.mark.parametrize("engine", [Engine.FAST, Engine.REFERENCE])
def test_eduseal_accepts_every_signature(house: SubjectHouse, stages: list[bytes], engine: Engine) -> None:
    verdict = RecordHouse(house.house).judge(stages[-1], engine=engine)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert verdict.entitlement is Entitlement.COMPLETE
    assert [one.field for one in verdict.signatures] == [step.field for step in SUBJECTS.steps]
    assert {(one.indication, one.level) for one in verdict.signatures} == {(Indication.TOTAL_PASSED, "PAdES-BASELINE-LTA")}


def test_pdfsig_accepts_every_signature(stages: list[bytes], nss: Path, tmp_path: Path) -> None:
    file = tmp_path / "signed.pdf"
    file.write_bytes(stages[-1])
    command = ["pdfsig", "-no-ocsp", "-nssdir", str(nss), str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert told.count("Signature is Valid.") == 16
    assert told.count("Certificate is Trusted.") == 16


def test_qpdf_finds_no_error(stages: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "signed.pdf"
    file.write_bytes(stages[-1])
    checked = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def lta_results(house: SubjectHouse, document: bytes, diff_policy: DiffPolicy | None) -> list[AdESLTAValidationResult]:
    trust = SimpleTrustManager.build(trust_roots=[asn1_x509.Certificate.load(house.house.authority.root_der)])
    checking = RevocationCheckingPolicy(ee_certificate_rule=REQUIRED, intermediate_ca_cert_rule=REQUIRED)
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(trust_manager=trust, revinfo_policy=CertRevTrustPolicy(checking)),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY),
        key_usage_settings=USAGE,
    )
    policy = PdfSignatureValidationSpec(spec, diff_policy=diff_policy)
    reader = PdfFileReader(io.BytesIO(document))
    return [asyncio.run(ades_lta_validation(signature, policy)) for signature in reader.embedded_regular_signatures]


def test_pyhankos_ades_validation_accepts_every_signature(house: SubjectHouse, stages: list[bytes]) -> None:
    results = lta_results(house, stages[-1], None)
    assert [result.ades_subindic for result in results] == [AdESPassed.OK] * 16


@pytest.mark.long
def test_pyhankos_change_analysis_finds_only_permitted_changes(house: SubjectHouse, stages: list[bytes]) -> None:
    results = lta_results(house, stages[-1], DEFAULT_DIFF_POLICY)
    assert [result.ades_subindic for result in results] == [AdESPassed.OK] * 16
    levels = [result.api_status.modification_level for result in results]
    assert levels == [ModificationLevel.FORM_FILLING] * 15 + [ModificationLevel.LTA_UPDATES]
    assert all(result.api_status.docmdp_ok and result.api_status.bottom_line for result in results)


def test_pyhankos_plain_validation_accepts_every_signature(house: SubjectHouse, stages: list[bytes]) -> None:
    reader = PdfFileReader(io.BytesIO(stages[-1]))
    root = asn1_x509.Certificate.load(house.house.authority.root_der)
    statuses = [
        asyncio.run(
            async_validate_pdf_signature(
                signature, ValidationContext(trust_roots=[root], allow_fetching=False), key_usage_settings=USAGE, skip_diff=True
            )
        )
        for signature in reader.embedded_regular_signatures
    ]
    assert [status.intact and status.valid and status.trusted for status in statuses] == [True] * 16


def test_the_first_signatures_status_does_not_change_as_later_ones_are_added(house: SubjectHouse, stages: list[bytes]) -> None:
    signed = house.house
    certificates = {one.certificate_der for one in house.signers.values()} | {signed.authority.issuing_der, *signed.tsa.certificates}
    supplied = Supplied(*signed.evidence.gather(tuple(certificates)))
    people_aside = replace(RECORD, entitlement=False)  # a record is incomplete until its seal, which is no status of the first signature

    def first(document: bytes) -> SignatureVerdict:
        return RecordHouse(signed).judge(document, engine=Engine.FAST, policy=people_aside, supplied=supplied).signatures[0]

    seen = [first(document) for document in stages]
    assert {(one.indication, one.signer, one.best_signature_time, one.messages) for one in seen} == {
        (Indication.TOTAL_PASSED, seen[0].signer, signed.authority.clock().replace(microsecond=0), ())
    }
    assert [one.level for one in seen] == ["PAdES-BASELINE-T"] * 16 + ["PAdES-BASELINE-LTA"]
    assert [one.changes.value for one in seen] == ["none"] + ["form-filling"] * 16


def test_the_certification_stands_in_the_catalog_and_permits_form_filling(stages: list[bytes]) -> None:
    document = Document.parse(stages[-1])
    permissions = document.root["Perms"]
    (first, *others) = read_structure(document).signed
    assert isinstance(permissions, dict)
    assert permissions["DocMDP"] == first.signature_ref
    assert (first.lock.certifies, first.lock.permissions) == (True, 2)
    assert not any(one.lock.certifies for one in others)


def chained_orders() -> Iterator[tuple[str, ...]]:
    yield ("export", "homeroom")  # before the subjects
    yield ("export", "music", "music")
    yield ("music",)  # before the certification
    yield ("export", "music", "export")


@pytest.mark.parametrize("order", list(chained_orders()), ids=lambda order: "-".join(order))
def test_a_step_out_of_order_or_twice_is_refused(house: SubjectHouse, order: tuple[str, ...]) -> None:
    document = exported(workflow=SUBJECTS)
    manifest = Manifest("R", 1, "S", SUBJECTS)
    other = house.house.authority.issue_teacher("Người Khác")
    for position, name in enumerate(order):
        step = SUBJECTS.step(name)
        assert step is not None
        request = house.request(step)
        signer = BatchSigner(request.certificate_der, request.chain, request.key)
        if name in order[:position]:
            signer = replace(signer, certificate_der=other.certificate_der, key=other.key)
        (result,) = sign_batch(
            [BatchItem("x", document, manifest, name)], signer=signer, time_stamper=house.house.tsa, clock=house.house.authority.clock
        )
        document = result.document or document
    assert isinstance(result.error, SigningError)
    assert "is signed already" in str(result.error) or "is not signed yet" in str(result.error)


def test_a_step_signed_by_the_wrong_role_makes_no_official_record(house: SubjectHouse) -> None:
    document = exported(workflow=SUBJECTS)
    for step in SUBJECTS.steps:
        request = house.request(step)
        if step.id == "principal":
            teacher = house.signers["music"]
            request = replace(request, certificate_der=teacher.certificate_der, key=teacher.key)
        document = sign(document, request, time_stamper=house.house.tsa, renderer=house.renderer)
    verdict = RecordHouse(house.house).judge(house.archive(document))
    assert verdict.entitlement is Entitlement.NOT_ENTITLED
    assert "ROLE_MISMATCH" in codes(verdict)


def test_an_opening_signature_that_only_approves_makes_no_official_record(house: SubjectHouse) -> None:
    document = exported(workflow=SUBJECTS)
    for step in SUBJECTS.steps:
        document = sign(document, replace(house.request(step), certifies=False), time_stamper=house.house.tsa, renderer=house.renderer)
    verdict = RecordHouse(house.house).judge(house.archive(document))
    assert verdict.entitlement is Entitlement.NOT_ENTITLED
    assert "CERTIFICATION_MISMATCH" in codes(verdict)


def test_a_certification_over_a_signed_document_is_refused(house: SubjectHouse, stages: list[bytes]) -> None:
    music = SUBJECTS.step("music")
    assert music is not None
    with pytest.raises(LockedError, match="a certification comes first, but field 'Certification-Export' is signed already"):
        sign(stages[0], replace(house.request(music), certifies=True), time_stamper=None)


def test_no_field_is_added_to_a_certified_record(house: SubjectHouse, stages: list[bytes]) -> None:
    music = SUBJECTS.step("music")
    assert music is not None
    with pytest.raises(LockedError, match="permits no new signature fields"):
        sign(stages[0], replace(house.request(music), field="Extra", create=True), time_stamper=None)
