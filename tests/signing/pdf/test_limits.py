"""Every bound of `signing/pdf/limits.py`, and of signatures: what just fits is read, one more is refused with the limit's own words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from pki.structures.algorithms import Digest
from pki.structures.cms import SIGNATURE_TIME_STAMP, attribute, content_info_der, with_unsigned_attributes
from signing.changes.analysis import ChangeAnalysis
from signing.coverage.byterange import MAX_CONTENTS
from signing.coverage.structure import MAX_SIGNATURES, read_structure
from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.lexer import read_value
from signing.pdf.limits import (
    LIMITS,
    MAX_GENERATION,
    MAX_INTEGER_CHARACTERS,
    MAX_NAME_LENGTH,
    MAX_OBJECT_NUMBER,
    MAX_REAL_CHARACTERS,
    Limits,
)
from signing.pdf.objects import PdfObject, Stream
from signing.pdf.pages import pages
from signing.trust.times import MAX_SIGNATURE_STAMPS
from tests.corpus.cms import sound
from tests.corpus.edit import Name, PdfString, Ref, body, root_number, update
from tests.corpus.good import judge_case
from tests.corpus.stranger import STAMPED, signed, stranger
from tests.support.signing_cases import foreign_pdf
from tests.support.verify_cases import codes

Reader = Callable[[Limits], object]


def _packed(size: int, filters: int = 1) -> bytes:
    """The foreign document with one more stream of `size` octets as object 90."""
    raw = bytes(size)
    for _ in range(filters):
        raw = zlib.compress(raw)
    names: list[PdfObject] = [Name("FlateDecode")] * filters
    return update(foreign_pdf(), {90: Stream({"Filter": names}, raw)})


def _decoded(data: bytes, times: int = 1) -> Reader:
    def read(limits: Limits) -> None:
        document = Document.parse(data, limits=limits)
        stream = document.get(Ref(90))
        assert isinstance(stream, Stream)
        for _ in range(times):
            document.stream_data(stream)

    return read


def _revisions(count: int) -> bytes:
    data = foreign_pdf()
    for number in range(count - 1):
        data = update(data, {100: {"N": number}})
    return data


def _with_fields(count: int) -> bytes:
    document = Document.parse(foreign_pdf())
    objects: dict[int, PdfObject | bytes] = {1_000 + n: {"FT": Name("Sig"), "T": PdfString(b"F%d" % n)} for n in range(count)}
    form: PdfObject = {"Fields": [Ref(number) for number in objects]}
    root = root_number(document)
    return update(foreign_pdf(), {root: {**body(document, root), "AcroForm": form}, **objects})


def _nested_fields(levels: int) -> bytes:
    document = Document.parse(foreign_pdf())
    objects: dict[int, PdfObject | bytes] = {1_000 + n: {"T": PdfString(b"F%d" % n), "Kids": [Ref(1_001 + n)]} for n in range(levels - 1)}
    objects[1_000 + levels - 1] = {"FT": Name("Sig"), "T": PdfString(b"last")}
    root = root_number(document)
    return update(foreign_pdf(), {root: {**body(document, root), "AcroForm": {"Fields": [Ref(1_000)]}}, **objects})


def _changed(count: int) -> bytes:
    return update(foreign_pdf(), {100 + number: {"N": number} for number in range(count)})


def _entries(data: bytes) -> int:
    return sum(len(revision.entries) for revision in Document.parse(data).revisions)


def _parse(data: bytes) -> Reader:
    return lambda limits: Document.parse(data, limits=limits)


def _structure(data: bytes) -> Reader:
    return lambda limits: read_structure(Document.parse(data, limits=limits))


def _analysis(data: bytes) -> Reader:
    return lambda limits: ChangeAnalysis(Document.parse(data, limits=limits)).update(1)


def _pages(levels: int) -> Reader:
    """A page tree of so many levels below its root, one node each."""
    document = Document.parse(foreign_pdf())
    root = root_number(document)
    objects: dict[int, PdfObject | bytes] = {200 + n: {"Type": Name("Pages"), "Kids": [Ref(201 + n)], "Count": 1} for n in range(levels)}
    objects[200 + levels] = {"Type": Name("Page")}
    data = update(foreign_pdf(), {root: {**body(document, root), "Pages": Ref(200)}, **objects})
    return lambda limits: list(pages(Document.parse(data, limits=limits)))


NEEDS: dict[str, tuple[int, Reader, str]] = {
    "file_size": (len(foreign_pdf()), _parse(foreign_pdf()), "more than the"),
    "depth": (12, lambda limits: read_value(b"[" * 12 + b"]" * 12, 0, limits=limits), "nest deeper than 11 levels"),
    "tokens": (7, lambda limits: read_value(b"[/A /B /C /D /E]", 0, limits=limits), "more than 6 tokens"),
    "revisions": (5, _parse(_revisions(5)), "more than 4 revisions"),
    "filters": (2, _decoded(_packed(10, filters=2)), "filters, more than the 1"),
    "stream": (5_000, _decoded(_packed(5_000)), "decodes to more than 4999 octets"),
    "decoded": (15_000, _decoded(_packed(5_000), times=3), "decode to more than 14999 octets"),
    "entries": (_entries(_revisions(5)), _parse(_revisions(5)), "cross-reference entries"),
    "fields": (9, _structure(_with_fields(9)), "more than 8 fields"),
    "pages": (6, _pages(5), "more than 5 nodes"),
    "tree_depth": (5, _pages(5), "or 4 levels"),
}
"""For each limit what a document needs of it, how it is read, and what is said where the limit is one less."""


@pytest.mark.parametrize("name", NEEDS)
def test_document_that_just_fits_is_read_and_one_more_is_refused(name: str) -> None:
    needed, read, text = NEEDS[name]
    read(replace(LIMITS, **{name: needed}))
    with pytest.raises(LimitError, match=re.escape(text)):
        read(replace(LIMITS, **{name: needed - 1}))


TOKENS = {
    "integer": (MAX_INTEGER_CHARACTERS, lambda size: b"9" * size),
    "real": (MAX_REAL_CHARACTERS, lambda size: b"1." + b"0" * (size - 2)),
    "name": (MAX_NAME_LENGTH, lambda size: b"/" + b"N" * (size - 1)),
}


def test_update_that_just_fits_is_looked_at_and_one_more_object_makes_it_unreadable() -> None:
    data = _changed(7)
    for limit, found in ((7, False), (6, True)):
        report = _analysis(data)(replace(LIMITS, changed_objects=limit))
        assert ("UPDATE_UNREADABLE" in {message.code for message in report.findings}) is found  # type: ignore[attr-defined]  # an update


def test_form_of_the_greatest_depth_is_read_and_a_deeper_one_is_refused() -> None:
    read = _structure(_nested_fields(6))
    read(replace(LIMITS, tree_depth=5))
    with pytest.raises(LimitError, match="or 4 levels"):
        read(replace(LIMITS, tree_depth=4))


def test_every_limit_has_its_test() -> None:
    assert {one.name for one in fields(Limits)} == {*NEEDS, "changed_objects"}


@pytest.mark.parametrize("kind", TOKENS)
def test_token_of_the_greatest_length_is_read_and_a_longer_one_is_refused(kind: str) -> None:
    greatest, make = TOKENS[kind]
    assert read_value(make(greatest) + b" ", 0)[0] is not None
    with pytest.raises(LimitError):
        read_value(make(greatest + 1) + b" ", 0)


def test_reference_to_the_greatest_number_and_generation_is_read_and_a_greater_one_is_refused() -> None:
    assert read_value(b"%d %d R" % (MAX_OBJECT_NUMBER, MAX_GENERATION), 0)[0] == Ref(MAX_OBJECT_NUMBER, MAX_GENERATION)
    for octets in (b"%d 0 R" % (MAX_OBJECT_NUMBER + 1), b"1 %d R" % (MAX_GENERATION + 1)):
        with pytest.raises(PdfError):
            read_value(octets, 0)


# --- signatures


def judged(document: bytes) -> set[str]:
    return codes(judge_case(document, under="ades"))


@pytest.mark.parametrize("count", [MAX_SIGNATURE_STAMPS, MAX_SIGNATURE_STAMPS + 1])
def test_number_of_time_stamps_on_one_signature_is_bounded(count: int) -> None:
    house = stranger()

    def stamped(content: bytes) -> bytes:
        made = sound(content, house.signer, house.ca)
        (info,) = made.signer_infos.as_list()
        tokens = [
            house.stamper(clock=lambda n=n: STAMPED + timedelta(seconds=n)).stamp(Digest.SHA256.of(info.signature)) for n in range(count)
        ]
        return content_info_der(with_unsigned_attributes(made, [attribute(SIGNATURE_TIME_STAMP, *tokens)]))

    document = signed(cms=stamped, room=60_000)
    assert ("TOO_MANY_TIMESTAMPS" in judged(document)) is (count > MAX_SIGNATURE_STAMPS)


@pytest.mark.parametrize("room", [MAX_CONTENTS, MAX_CONTENTS + 1])
def test_room_of_a_signature_is_bounded(room: int) -> None:
    assert ("CONTENTS_MALFORMED" in judged(signed(room=room))) is (room > MAX_CONTENTS)


@pytest.mark.parametrize("count", [MAX_SIGNATURES, MAX_SIGNATURES + 1])
def test_number_of_signatures_is_bounded(count: int) -> None:
    document = Document.parse(foreign_pdf())
    objects: dict[int, PdfObject | bytes] = {
        5_000 + n: {"Type": Name("Sig"), "SubFilter": Name("ETSI.CAdES.detached")} for n in range(count)
    }
    for n in range(count):
        objects[1_000 + n] = {"FT": Name("Sig"), "T": PdfString(b"F%d" % n), "V": Ref(5_000 + n)}
    form: PdfObject = {"Fields": [Ref(1_000 + n) for n in range(count)]}
    root = root_number(document)
    data = update(foreign_pdf(), {root: {**body(document, root), "AcroForm": form}, **objects})
    if count > MAX_SIGNATURES:
        with pytest.raises(LimitError, match=f"more than {MAX_SIGNATURES} signatures"):
            read_structure(Document.parse(data))
    else:
        assert len(read_structure(Document.parse(data)).signed) == count
