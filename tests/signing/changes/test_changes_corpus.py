"""Every case of the corpus is seen by structure and changes, for its own reason and in bounded time."""

from __future__ import annotations

import time

import pytest

from signing.changes.analysis import ChangeAnalysis
from signing.coverage.structure import read_structure
from signing.errors import PdfError
from signing.pdf.document import Document
from signing.verdict import Changes
from tests.corpus import Case, all_cases, build_updates
from tests.corpus.good import built, good_files

MAX_SECONDS = 3  # design.md allows 2 s + 0.5 s a signature; structure and changes are a part of it


def found_in(data: bytes) -> set[str]:
    """Codes of every finding on the document, its signatures, and what came after each."""
    document = Document.parse(data)
    structure = read_structure(document)
    codes = {message.code for message in structure.findings}
    analysis = ChangeAnalysis(document, forms=structure.forms)
    for signature in structure.signed:
        codes |= {message.code for message in (*signature.findings, *analysis.after(signature.revision, mdp=signature.lock).findings)}
    return codes


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case_is_refused_for_its_own_reason(case: Case) -> None:
    data = built(case)
    started = time.perf_counter()
    if case.refusal is not None:
        with pytest.raises(PdfError) as caught:
            found_in(data)
        assert case.refusal in str(caught.value)
    elif case.codes:
        assert found_in(data) & case.codes
    elif case.attack_class != 15:  # those are unsigned, and refused before they are signed
        assert found_in(data) == set()  # sound in its layout: the verdict tells, by digest, chain or entitlement
    assert time.perf_counter() - started < MAX_SECONDS


def test_sound_files_have_no_findings() -> None:
    good = good_files()
    for data in (good.unsigned, *good.stages, good.archived):
        assert found_in(data) == set()


def test_updates_after_the_last_signature_are_never_taken_for_validation_data() -> None:
    for case in all_cases():
        if case.build.__module__ != build_updates.__name__ or case.attack_class not in range(6, 21) or case.refusal is not None:
            continue
        document = Document.parse(built(case))
        analysis = ChangeAnalysis(document)
        if len(document.revisions) > 5:
            assert analysis.update(len(document.revisions) - 1).kind in (Changes.UNDEFINED, Changes.ANNOTATION), case.id
