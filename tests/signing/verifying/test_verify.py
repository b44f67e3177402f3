"""The verdict on whole documents: honest records, other people's signatures, hostile input, entitlement, the second opinion."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pikepdf
import pytest

from signing.applying.sign import sign
from signing.trust.store import NamedAnchor, TrustStore
from signing.verdict import Changes, Coverage, Entitlement, Indication, RecordStatus, SubIndication, Verdict
from signing.verifying.engines import Engine
from signing.verifying.opinion import Dissent, Question
from signing.verifying.verify import verify
from signing.workflow import Step, Workflow
from tests.support.authority import make_authority
from tests.support.signing_cases import foreign_pdf
from tests.support.verify_cases import ADES, RECORD, STEPS, codes, exported, good_record, make_record_house, standing_house

PASSED, FAILED, UNDETERMINED, UNSIGNED = Indication.TOTAL_PASSED, Indication.TOTAL_FAILED, Indication.INDETERMINATE, Indication.NO_SIGNATURE


def answer(verdict: Verdict) -> tuple[Indication, SubIndication | None]:
    return verdict.indication, verdict.sub_indication


# --- honest records


def test_record_signed_by_all_and_archived_passes_and_is_complete() -> None:
    document = good_record()
    verdict = standing_house().judge(document)
    assert answer(verdict) == (PASSED, None)
    assert verdict.entitlement is Entitlement.COMPLETE
    assert [signature.level for signature in verdict.signatures] == ["PAdES-BASELINE-LTA"] * 3
    assert [signature.signer.role for signature in verdict.signatures if signature.signer] == ["teacher", "principal", "school-seal"]
    assert [stamp.kind for stamp in verdict.timestamps] == ["signature", "signature", "signature", "document"]
    assert codes(verdict) == set()


def test_signatures_tell_what_they_cover_and_what_came_after() -> None:
    document = good_record()
    verdict = standing_house().judge(document)
    assert [signature.coverage for signature in verdict.signatures] == [Coverage.ENTIRE_REVISION] * 3
    assert [signature.changes for signature in verdict.signatures] == [Changes.FORM_FILLING, Changes.FORM_FILLING, Changes.LTA]
    assert verdict.timestamps[-1].coverage is Coverage.ENTIRE_FILE


def test_record_names_itself_and_its_status_comes_from_the_books() -> None:
    class Book:
        def status(self, record_id: str, version: int) -> RecordStatus | None:
            return RecordStatus.SUPERSEDED if version == 1 else None

    document = good_record()
    house = standing_house()
    verdict = verify(document, RECORD, trust=house.trust, at=house.now, records=Book())
    assert verdict.record is not None
    assert (verdict.record.id, verdict.record.version, verdict.record.status) == ("HB-2026-SM-9A-01", 1, RecordStatus.SUPERSEDED)


def test_each_earlier_signature_still_verifies_after_each_later_one() -> None:
    house = make_record_house()
    document = exported()
    for count, step in enumerate(STEPS, start=1):
        document = house.sign(document, step)
        verdict = house.judge(house.archive(document))
        assert len(verdict.signatures) == count
        assert verdict.entitlement is (Entitlement.COMPLETE if count == 3 else Entitlement.INCOMPLETE)
        assert verdict.sub_indication is (None if count == 3 else SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_signer_is_the_certificates_subject_whatever_the_pdf_claims() -> None:
    house = make_record_house()
    document = house.sign(exported(), "homeroom", reason="Signed by the Minister", location="Ministry")
    signer = house.judge(document).signatures[0].signer
    assert signer is not None
    assert signer.name == "Nguyễn Thị Ánh"


# --- trust


def test_without_an_anchor_nothing_passes() -> None:
    verdict = standing_house().judge(good_record(), trust=TrustStore())
    assert answer(verdict) == (UNDETERMINED, SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.entitlement is Entitlement.UNKNOWN


def test_rogue_authority_of_the_same_name_is_not_trusted() -> None:
    rogue = TrustStore((NamedAnchor(make_authority().root_der, "rogue.pem"),))
    verdict = standing_house().judge(good_record(), trust=rogue)
    assert answer(verdict) == (UNDETERMINED, SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_role_of_a_stranger_is_not_shown() -> None:
    verdict = standing_house().judge(good_record(), trust=TrustStore())
    assert [signature.signer.role for signature in verdict.signatures if signature.signer] == [None, None, None]


@pytest.mark.parametrize("credential", ["tsa", "ocsp"])
def test_certificate_for_another_purpose_does_not_sign_documents(credential: str) -> None:
    house = make_record_house()
    authority = house.house.authority
    der = authority.tsa_der if credential == "tsa" else authority.ocsp_der
    key = authority.tsa_key if credential == "tsa" else authority.ocsp_key
    request = replace(house.house.request("homeroom"), certificate_der=der, key=key)
    verdict = house.judge(house.archive(sign(exported(), request, time_stamper=house.house.tsa)))
    assert answer(verdict) == (UNDETERMINED, SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    assert "CHAIN_PURPOSE" in codes(verdict)


# --- entitlement (attack classes 41 and 42)


def test_pupils_own_valid_certificate_is_not_entitled() -> None:
    house = make_record_house()
    pupil = house.house.authority.issue_student()
    verdict = house.judge(house.archive(house.sign(exported(), "homeroom", by=pupil)))
    assert answer(verdict) == (UNDETERMINED, SubIndication.SIG_CONSTRAINTS_FAILURE)
    assert verdict.entitlement is Entitlement.NOT_ENTITLED
    assert "ROLE_MISMATCH" in codes(verdict)


def test_pupil_signing_every_step_is_not_entitled() -> None:
    house = make_record_house()
    pupil = house.house.authority.issue_student()
    document = exported()
    for step in STEPS:
        document = house.sign(document, step, by=pupil)
    verdict = house.judge(house.archive(document))
    assert (verdict.indication, verdict.entitlement) == (UNDETERMINED, Entitlement.NOT_ENTITLED)


def test_teacher_of_another_school_is_not_entitled() -> None:
    house = make_record_house()
    other = house.house.authority.issue_teacher("Phạm Thị Lan", school="Trường khác", school_identifier="NTRVN-0199999999")
    document = house.sign(exported(), "homeroom", by=other)
    verdict = house.judge(house.archive(house.sign(house.sign(document, "principal"), "seal")))
    assert (verdict.indication, verdict.entitlement) == (UNDETERMINED, Entitlement.NOT_ENTITLED)
    assert "SCHOOL_MISMATCH" in codes(verdict)


def test_seal_of_another_school_is_not_entitled() -> None:
    house = make_record_house()
    other = house.house.authority.issue_seal("Trường khác", "NTRVN-0199999999")
    document = house.sign(house.sign(exported(), "homeroom"), "principal")
    verdict = house.judge(house.archive(house.sign(document, "seal", by=other)))
    assert (verdict.indication, verdict.entitlement) == (UNDETERMINED, Entitlement.NOT_ENTITLED)


@pytest.mark.parametrize("kept", [1, 2])
def test_record_cut_back_to_an_earlier_signature_is_incomplete(kept: int) -> None:
    house = make_record_house()
    stages = [exported()]
    for step in STEPS:
        stages.append(house.sign(stages[-1], step))
    whole = house.archive(stages[-1])
    verdict = house.judge(whole[: len(stages[kept])])
    assert answer(verdict) == (UNDETERMINED, SubIndication.SIG_CONSTRAINTS_FAILURE)
    assert verdict.entitlement is Entitlement.INCOMPLETE
    assert "STEPS_MISSING" in codes(verdict)


def test_workflow_of_a_pupils_own_making_does_not_entitle() -> None:
    house = make_record_house()
    own = Workflow(id="mine/1", steps=(Step("homeroom", "student", "Signature-Homeroom", seal=True),))
    document = house.archive(house.sign(exported(workflow=own), "homeroom", by=house.house.authority.issue_student()))
    verdict = house.judge(document)
    assert (verdict.indication, verdict.entitlement) == (UNDETERMINED, Entitlement.NOT_ENTITLED)
    assert "WORKFLOW_UNKNOWN" in codes(verdict)


def test_our_certificate_on_any_other_file_is_no_record() -> None:
    house = make_record_house()
    document = house.archive(house.sign(foreign_pdf(), "homeroom", create=True, appearance=None))
    verdict = house.judge(document)
    assert (verdict.indication, verdict.entitlement) == (UNDETERMINED, Entitlement.NOT_ENTITLED)
    assert "NO_RECORD_MANIFEST" in codes(verdict)


def test_ades_policy_asks_no_entitlement() -> None:
    house = make_record_house()
    document = house.archive(house.sign(exported(), "homeroom", by=house.house.authority.issue_student()))
    verdict = house.judge(document, policy=ADES)
    assert (verdict.indication, verdict.entitlement) == (PASSED, Entitlement.UNKNOWN)


# --- files that are no signed record


def _encrypted(document: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="x", user="y"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("document", "indication", "code", "advice"),
    [
        (b"", UNSIGNED, "EMPTY_FILE", "send it again"),
        (b"\x89PNG\r\n", UNSIGNED, "NOT_A_PDF", "give the PDF file as the school issued it"),
        (b"not a PDF with a /ByteRange", FAILED, "PDF_BROKEN", "ask the issuer for it anew"),
        (b"%PDF-1.7\n" + b"[" * 100_000, UNSIGNED, "NOT_A_PDF", "give the PDF file"),
    ],
    ids=["empty", "picture", "claims a signature", "nonsense"],
)
def test_file_that_is_no_pdf_is_a_verdict_that_says_what_to_do(document: bytes, indication: Indication, code: str, advice: str) -> None:
    verdict = standing_house().judge(document)
    assert verdict.indication is indication
    assert verdict.messages[0].code == code
    assert advice in verdict.messages[0].text
    assert "\n" not in verdict.messages[0].text


def test_encrypted_document_is_undetermined_and_asks_for_another_copy() -> None:
    verdict = standing_house().judge(_encrypted(foreign_pdf()))
    assert answer(verdict) == (UNDETERMINED, SubIndication.SIGNED_DATA_NOT_FOUND)
    assert "without a password" in verdict.messages[0].text


def test_document_with_empty_fields_is_unsigned() -> None:
    verdict = standing_house().judge(exported())
    assert (verdict.indication, verdict.signatures) == (UNSIGNED, ())
    assert verdict.messages[0].text == "the document carries no signature (3 empty signature fields)"


def test_truncated_record_fails() -> None:
    document = good_record()
    assert standing_house().judge(document[:-2000]).indication is not PASSED


def test_signature_whose_form_was_rewritten_away_is_removed_and_not_unsigned() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_record())) as pdf:
        remains = pdf.make_indirect(pdf.Root.AcroForm.Fields[0].V)
        del pdf.Root.AcroForm
        for page in pdf.pages:
            page.Annots = pikepdf.Array()
        pdf.Root.Remains = remains
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    verdict = standing_house().judge(out.getvalue())
    assert answer(verdict) == (FAILED, SubIndication.FORMAT_FAILURE)
    assert codes(verdict) == {"SIGNATURE_REMOVED"}


def test_document_time_stamp_alone_is_no_signature() -> None:
    house = make_record_house()
    verdict = house.judge(house.archive(exported()))
    assert verdict.indication is UNSIGNED
    assert [stamp.kind for stamp in verdict.timestamps] == ["document"]


def test_flipped_bit_in_signed_bytes_is_a_hash_failure() -> None:
    document = bytearray(good_record())
    place = document.index(b"stream") + 40
    document[place] ^= 1
    verdict = standing_house().judge(bytes(document))
    assert verdict.indication is FAILED
    assert "DIGEST_MISMATCH" in codes(verdict)


# --- engines and the second opinion


@dataclass
class Contrarian:
    """A second verifier that lets nothing pass in one field; remembers what it was asked."""

    wrong: str
    asked: list[tuple[Question, tuple[str, ...]]] = field(default_factory=list)

    def dissents(self, question: Question, fields: Sequence[str]) -> Mapping[str, Dissent]:
        self.asked.append((question, tuple(fields)))
        return {self.wrong: Dissent(SubIndication.HASH_FAILURE, "other bytes")}


def test_second_opinion_that_disagrees_takes_the_signature_down() -> None:
    document, house = good_record(), standing_house()
    other = Contrarian("Signature-Principal")
    verdict = verify(document, RECORD, trust=house.trust, at=house.now, second_opinion=other)
    assert answer(verdict) == (FAILED, SubIndication.HASH_FAILURE)
    assert [signature.indication for signature in verdict.signatures] == [PASSED, FAILED, PASSED]
    assert "SECOND_OPINION_DISAGREES" in codes(verdict)


def test_second_opinion_is_asked_about_what_passed_and_told_of_a_lenient_tsa() -> None:
    document, house = good_record(), standing_house()
    other = Contrarian("none of them")
    verify(document, RECORD, trust=house.trust, at=house.now, second_opinion=other)
    verify(document, ADES, trust=house.trust, at=house.now, second_opinion=other)
    assert [(question.unrevoked_tsa, len(fields)) for question, fields in other.asked] == [(True, 3), (False, 3)]


def test_second_opinion_is_not_asked_about_what_failed_already() -> None:
    document, house = good_record(), standing_house()
    other = Contrarian("Signature-Seal")
    verify(document, RECORD, trust=TrustStore(), at=house.now, second_opinion=other)
    assert other.asked == []


def test_fast_engine_hands_over_all_that_it_does_not_pass() -> None:
    verdict = standing_house().judge(good_record()[:-1] + b"x", engine=Engine.FAST)
    assert (verdict.indication, verdict.engine) == (FAILED, "reference")


def test_verdict_says_the_same_twice_with_warm_caches() -> None:
    document, house = good_record(), standing_house()
    first = house.judge(document)
    second = house.judge(document)
    assert replace(first, ms=0) == replace(second, ms=0)


def test_future_beyond_every_certificate_is_undetermined() -> None:
    document = good_record()
    verdict = standing_house().judge(document, later=timedelta(days=40 * 365))
    assert verdict.indication is UNDETERMINED
