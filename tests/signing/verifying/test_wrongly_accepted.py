"""What pyHanko lets pass and a verifier of records must refuse (`domain.md`): each by its name, and shown to pass there."""

from __future__ import annotations

import logging
from io import BytesIO

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import KeyUsageConstraints, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from signing.verdict import Changes, Indication, SubIndication, Verdict
from signing.verifying.engines import Engine
from tests.corpus import Case, all_cases
from tests.corpus.good import JUDGED, built, corpus_trust, judge_case
from tests.support.verify_cases import codes

CASES = {case.id: case for case in all_cases()}


def pyhanko_accepts(document: bytes) -> bool:
    """Whether `validate_pdf_signature`, with its default difference policy, is content with every signature that it sees."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    roots = [asn1_x509.Certificate.load(anchor.certificate_der) for anchor in corpus_trust().anchors]
    usage = KeyUsageConstraints(key_usage={"non_repudiation"})
    return all(
        validate_pdf_signature(
            signature, ValidationContext(trust_roots=roots, moment=JUDGED, allow_fetching=False), key_usage_settings=usage
        ).bottom_line
        for signature in PdfFileReader(BytesIO(document), strict=False).embedded_regular_signatures
    )


def refused(identifier: str) -> Verdict:
    """The verdict on a case that pyHanko lets pass, the same by every engine."""
    case: Case = CASES[identifier]
    assert pyhanko_accepts(built(case)), "pyHanko has learned to refuse this"
    verdicts = [judge_case(built(case), engine=engine) for engine in Engine]
    assert all(verdict.indication is not Indication.TOTAL_PASSED for verdict in verdicts)
    return verdicts[-1]


@pytest.mark.parametrize("identifier", ["07-trailing-bytes", "07-trailing-newline", "07-no-xref", "07-no-trailer"])
def test_bytes_after_the_last_end_of_file_are_refused(identifier: str) -> None:
    verdict = refused(identifier)
    assert (verdict.indication, verdict.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    assert "TRAILING_BYTES" in codes(verdict)


def test_shadow_replace_through_an_open_form_is_refused() -> None:
    verdict = refused("13-open-form")
    assert verdict.signatures[0].changes is Changes.UNDEFINED
    assert "FORM_FIELD_FILLED" in codes(verdict)


@pytest.mark.parametrize("identifier", ["18-information-changed", "18-metadata-changed"])
def test_changed_information_and_metadata_are_refused(identifier: str) -> None:
    assert "METADATA_CHANGED" in codes(refused(identifier))


def test_signature_without_signed_attributes_is_refused() -> None:
    assert "CMS_NO_SIGNED_ATTRIBUTES" in codes(refused("25-no-signed-attributes"))


def test_signature_without_the_ess_certificate_attribute_is_refused() -> None:
    assert "ESS_MISSING" in codes(refused("26-ess-missing"))


def test_certificate_for_web_servers_only_is_refused() -> None:
    assert "CHAIN_PURPOSE" in codes(refused("32-server-auth-only"))


def test_one_signature_value_in_two_fields_is_refused() -> None:
    assert "SIGNATURE_SHARED" in codes(refused("21-two-fields-at-once"))


def test_trailing_bytes_in_the_cms_are_refused() -> None:
    assert "CONTENTS_NOT_DER" in codes(refused("23-trailing-octets"))


def test_signature_on_sha_1_that_pyhanko_drops_without_a_word_is_refused() -> None:
    assert "SUBFILTER_REFUSED" in codes(refused("29-pkcs7-sha1"))


def test_unsorted_signed_attributes_are_refused() -> None:
    assert "CMS_MALFORMED" in codes(refused("23-attributes-signed-unsorted"))
