"""PDFs signed by programs that are not ours, under the `ades` policy: honest ones pass, tampered ones do not (issue 5).

What EU DSS says of them was the measure. It lets adbe.pkcs7.detached pass without a signing-certificate attribute (its default
constraint only warns), and in BER, as NSS writes it: such files pass here too, and are shown to be of no PAdES level.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from signing.coverage.structure import read_structure
from signing.pdf.document import Document
from signing.trust.store import Supplied
from signing.verdict import Indication, SubIndication, Verdict
from signing.verifying.engines import Engine, judge
from signing.verifying.verify import Caches
from tests.corpus.edit import number_of, update
from tests.support.chain_cases import crl
from tests.support.foreign_programs import PROGRAMS, office
from tests.support.signing_cases import canonical_pdf, foreign_pdf
from tests.support.verify_cases import ADES, RECORD, codes

PASSED, FAILED, UNDETERMINED = Indication.TOTAL_PASSED, Indication.TOTAL_FAILED, Indication.INDETERMINATE
LATER = timedelta(days=1)
LEVELS = {
    "pyhanko-b": "PAdES-BASELINE-B",
    "pyhanko-lta": "PAdES-BASELINE-T",
    "pdfsig": None,
    "pyunderskrift": "PAdES-BASELINE-B",
    "pdfsigner": "PAdES-BASELINE-B",
    "rustpdf": None,
    "rustpdf-pades": "PAdES-BASELINE-B",
}
EVERY_PROGRAM = pytest.mark.parametrize("program", PROGRAMS)


@cache
def signed(program: str, *, large: bool = False) -> bytes:
    with TemporaryDirectory() as folder:
        return PROGRAMS[program](canonical_pdf() if large else foreign_pdf(), Path(folder))


def judged(document: bytes, *, engine: Engine = Engine.AUTO, supplied: Supplied | None = None, record: bool = False) -> Verdict:
    """As of a day after the signing, with revocation data of that day: what a verifier has who asks the CA."""
    at = datetime.now(UTC) + LATER
    fresh = tuple(crl(node, this_update=at - timedelta(hours=1)) for node in (office().root, office().ca))
    given = Supplied(certificates=(office().ca.der,), crls=fresh) if supplied is None else supplied
    return judge(document, RECORD if record else ADES, trust=office().trust, at=at, supplied=given, engine=engine, caches=Caches())


def answer(verdict: Verdict) -> tuple[Indication, SubIndication | None]:
    return verdict.indication, verdict.sub_indication


@EVERY_PROGRAM
@pytest.mark.parametrize("large", [False, True], ids=["small", "tagged"])
def test_honest_file_passes(program: str, large: bool) -> None:
    verdict = judged(signed(program, large=large))
    assert answer(verdict) == (PASSED, None)
    (signature,) = verdict.signatures
    assert signature.signer is not None
    assert signature.signer.name == "Office Signer"
    assert signature.level == LEVELS[program]


@EVERY_PROGRAM
def test_engines_agree_on_an_honest_file(program: str) -> None:
    assert {answer(judged(signed(program), engine=engine)) for engine in Engine} == {(PASSED, None)}


@EVERY_PROGRAM
def test_byte_changed_in_the_content_is_a_hash_failure(program: str) -> None:
    document = signed(program)
    changed = document.replace(b"/MediaBox", b"/Mediabox", 1)
    assert changed != document
    verdict = judged(changed)
    assert answer(verdict) == (FAILED, SubIndication.HASH_FAILURE)
    assert "DIGEST_MISMATCH" in codes(verdict)


@EVERY_PROGRAM
def test_update_that_changes_the_page_is_refused(program: str) -> None:
    document = Document.parse(signed(program))
    verdict = judged(update(document.data, {number_of(document, "Page"): b"<</Type/Page/MediaBox[0 0 9 9]>>"}))
    assert answer(verdict) == (FAILED, SubIndication.FORMAT_FAILURE)
    assert "CHANGED_AFTER_SIGNING" in codes(verdict)


@EVERY_PROGRAM
def test_trailing_bytes_are_refused(program: str) -> None:
    verdict = judged(signed(program) + b"\n% more\n")
    assert answer(verdict) == (FAILED, SubIndication.FORMAT_FAILURE)
    assert "TRAILING_BYTES" in codes(verdict)


@EVERY_PROGRAM
def test_signature_of_one_file_moved_to_another_is_refused(program: str) -> None:
    whole, other = signed(program), signed(program, large=True)
    start, end = _contents(whole)
    there, _ = _contents(other)
    verdict = judged(other[: there + 1] + whole[start + 1 : end - 1] + other[there + end - start - 1 :])
    assert verdict.indication is FAILED


@EVERY_PROGRAM
def test_unknown_authority_is_undetermined(program: str) -> None:
    verdict = judge(signed(program), ADES, trust=replace(office().trust, anchors=()), at=datetime.now(UTC) + LATER)
    assert answer(verdict) == (UNDETERMINED, SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "pyhanko-lta"])
def test_signature_without_revocation_data_is_undetermined(program: str) -> None:
    verdict = judged(signed(program), supplied=Supplied(certificates=(office().ca.der,)))
    assert answer(verdict) == (UNDETERMINED, SubIndication.TRY_LATER)


def test_revocation_data_from_before_the_signing_are_not_fresh_enough() -> None:
    """pyHanko gathers them before it signs; the `ades` policy is strict on freshness (design.md) and asks for younger ones."""
    verdict = judged(signed("pyhanko-lta"), supplied=Supplied())
    assert answer(verdict) == (UNDETERMINED, SubIndication.TRY_LATER)


@pytest.mark.parametrize("program", ["pdfsig", "rustpdf"])
def test_record_policy_takes_no_form_but_pades(program: str) -> None:
    assert "SUBFILTER_NOT_ACCEPTED" in codes(judged(signed(program), record=True))


def _contents(document: bytes) -> tuple[int, int]:
    """Where the brackets of the signature's /Contents stand."""
    span = read_structure(Document.parse(document)).signed[0].contents_span
    assert span is not None
    return span
