"""Runs of objects known by their octets: what is remembered of one holds nothing that its document, or what follows, decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.changes.analysis import ChangeAnalysis, Update
from signing.changes.inert import MAX_OBJECTS as MAX_WALKED
from signing.changes.run import MAX_OBJECTS, Run, run_of
from signing.pdf.document import Document
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import Name, PdfObject, PdfString, Ref
from signing.verdict import Changes
from tests.corpus.edit import body, update
from tests.support.mutation import FUZZ
from tests.support.signing_cases import canonical_pdf

APPEARANCE = (
    b"900 0 obj\n<</Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources 901 0 R /Length 5>>\nstream\n0 0 m\nendstream\nendobj\n"
    b"901 0 obj\n<</Font <</f0 902 0 R>> /ColorSpace 903 0 R>>\nendobj\n"
    b"902 0 obj\n<</Type /Font /BaseFont /A>>\nendobj\n"
    b"903 0 obj\n[/ICCBased 902 0 R]\nendobj\n"
)
SPELLINGS = (
    b"",
    b" ",
    b"\n",
    b"%\n",
    b" 902 0 R ",
    b" 1 0 R ",
    b" 990 0 R ",
    b"/AA 902 0 R ",
    b"/Type /Action ",
    b"endobj\n",
    b"9 0 obj\n",
    b">>",
    b"]",
)
FOUND = Run(len(APPEARANCE), [m.start() for m in re.finditer(rb"90[0-3] 0 obj", APPEARANCE)], Ref(900), (900, 901, 903, 902))


def test_run_is_its_objects_in_the_order_of_the_walk() -> None:
    assert run_of(APPEARANCE) == FOUND


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\nendobj\n901", b"\nendobj\n\n901"),
        (b"\nendobj\n901", b"\nendobj 901"),
        (b"\nendobj\n901", b"\nendobj%\n901"),
        (b"903 0 obj\n", b"903 0 obj %\n"),
        (b"/BBox", b"/OC 902 0 R /BBox"),
        (b"/BBox", b"/F (other.pdf) /BBox"),
        (b"/BaseFont", b"/AA <<>> /BaseFont"),
        (b"/Type /Font", b"/Type 903 0 R /S /JavaScript"),
        (b"[/ICCBased 902 0 R]", b"[/ICCBased 902 1 R]"),
        (b"[/ICCBased 902 0 R]", b"[/ICCBased 904 0 R]"),
        (b"[/ICCBased 902 0 R]", b"902 0 R"),
        (b"[/ICCBased 902 0 R]", b"[/ICCBased 900 0 R]"),
        (b"/ColorSpace 903 0 R", b""),
        (b"0 0 m", b"0 obj"),
        (b"/Length 5", b"/Length 7"),
        (b"/Length 5", b"/Length 902 0 R"),
        (b"903 0 obj", b"902 0 obj"),
        (b"\nendobj\n903", b"\n903"),
        (b"902 0 R]\nendobj\n", b"902 0 R]\nendobj"),
        (b"902 0 R]\nendobj\n", b"902 0 R]\nendobj\nx"),
        (b"/BaseFont /A", b"/BaseFont (trailer)"),
        (b"/BaseFont /A", b"/BaseFont (endstream)"),
    ],
)
def test_octets_with_anything_unusual_are_no_run(old: bytes, new: bytes) -> None:
    assert APPEARANCE.count(old) == 1
    assert run_of(APPEARANCE.replace(old, new)) is None


@pytest.mark.parametrize("octets", [b"", b"\n", b"900 0 obj", b"900 0 obj 1 endobj", b"\xff" * 40])
def test_octets_without_objects_are_no_run(octets: bytes) -> None:
    assert run_of(octets) is None


def test_run_of_many_objects_is_not_remembered() -> None:
    def chain(count: int) -> bytes:
        return b"".join(b"%d 0 obj\n[%d 0 R]\nendobj\n" % (n, n + 1) for n in range(1, count)) + b"%d 0 obj\n[]\nendobj\n" % count

    assert run_of(chain(MAX_OBJECTS)) is not None
    assert run_of(chain(MAX_OBJECTS + 1)) is None
    assert MAX_OBJECTS < MAX_WALKED


PARTS = {int(part[:3]): part[10:-8] for part in re.split(rb"(?<=endobj\n)", APPEARANCE) if part}
"""What stands between `N 0 obj` and `endobj` of each object of :data:`APPEARANCE`."""
BESIDE = replace(LIMITS, revisions=LIMITS.revisions - 1)  # other limits than ours: nothing that is remembered is used


def filled(parts: Mapping[int, PdfObject | bytes], *, base: bytes | None = None, **switches: Any) -> bytes:
    """An unsigned record, one field of which is filled and shows `parts`."""
    data = canonical_pdf() if base is None else base
    document = Document.parse(data)
    name = PdfString(b"Signature-Seal")
    field = next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == name)
    changed: PdfObject = {**body(document, field), "V": Ref(899), "AP": {"N": Ref(900)}}
    signature: PdfObject = {"Type": Name("Sig"), "ByteRange": [0, 1, 2, 3], "Contents": PdfString(b"\0" * 8)}
    return update(data, {field: changed, 899: signature, **parts}, **switches)


def last(data: bytes, *, limits: Limits = LIMITS) -> Update:
    document = Document.parse(data, limits=limits)
    return ChangeAnalysis(document).update(len(document.revisions) - 1)


def codes(data: bytes) -> set[str]:
    found = last(data)
    assert found == last(data, limits=BESIDE)
    return {finding.code for finding in found.findings}


def test_appearance_seen_before_is_form_filling() -> None:
    data = filled(PARTS)
    assert last(data) == last(data, limits=BESIDE)
    before = run_of.cache_info().hits
    assert last(data).kind is Changes.FORM_FILLING
    assert run_of.cache_info().hits == before + 1


def test_appearance_seen_before_that_redefines_an_object_is_refused() -> None:
    assert codes(filled(PARTS, base=update(canonical_pdf(), {902: {"Type": Name("Font")}}))) >= {"OBJECT_REDEFINED"}


def test_appearance_seen_before_that_fills_a_signed_reference_is_refused() -> None:
    assert codes(filled(PARTS, base=update(canonical_pdf(), {850: [Ref(903)]}))) == {"DANGLING_REFERENCE_FILLED"}


def test_appearance_seen_before_of_which_an_object_is_not_listed_is_refused() -> None:
    data = filled(PARTS)
    missing = re.sub(rb"902 1\n\d{10} 00000 n\r\n", b"", data)
    assert codes(missing) == {"UNEXPLAINED_BYTES", "HIDDEN_OBJECT", "DANGLING_REFERENCE"}


def test_appearance_seen_before_with_octets_after_it_is_refused() -> None:
    assert codes(filled(PARTS, between=b"1 0 obj 1 endobj\n")) == {"UNEXPLAINED_BYTES", "HIDDEN_OBJECT"}


def test_second_root_in_an_appearance_seen_before_is_unexplained() -> None:
    assert codes(filled({**PARTS, 904: b"[]"})) == {"OBJECT_UNEXPLAINED"}


@FUZZ
@given(st.sampled_from(sorted(PARTS)), st.integers(0, 120), st.integers(0, 4), st.sampled_from(SPELLINGS))
def test_changed_appearance_is_judged_as_if_nothing_were_remembered(number: int, at: int, gone: int, put: bytes) -> None:
    part = PARTS[number]
    data = filled({**PARTS, number: part[:at] + put + part[at + gone :]})
    assert last(data) == last(data, limits=BESIDE)
