from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pikepdf
import pytest

from signing.applying.writer import Update
from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from tests.support.signing_cases import canonical_pdf, foreign_pdf

SHAPES = {
    "table": canonical_pdf(),
    "foreign table": foreign_pdf(),
    "cross-reference stream": foreign_pdf(object_streams=True),
    "linearised": foreign_pdf(linearize=True),
    "no newline at the end": foreign_pdf().rstrip(b"\n"),
}


def updated(document: bytes) -> bytes:
    update = Update(Document.parse(document))
    root_ref = update.document.trailer["Root"]
    assert isinstance(root_ref, Ref)
    note = update.add({"Note": PdfString(b"new"), "Data": update.add(Stream({}, b"\x00\x01"))})
    update.put(root_ref, {**update.document.root, "XNote": note})
    return bytes(update.close().data)


@pytest.mark.parametrize("shape", SHAPES)
def test_document_before_is_kept_octet_for_octet(shape: str) -> None:
    assert updated(SHAPES[shape]).startswith(SHAPES[shape])


@pytest.mark.parametrize("shape", SHAPES)
def test_new_and_changed_objects_are_read_back(shape: str) -> None:
    document = Document.parse(updated(SHAPES[shape]))
    note = document.get(document.root["XNote"])
    assert isinstance(note, dict)
    assert note["Note"] == b"new"
    data = document.get(note["Data"])
    assert isinstance(data, Stream)
    assert data.raw == b"\x00\x01"
    assert "XNote" not in document.catalog(revision=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_cross_reference_is_of_the_kind_before(shape: str) -> None:
    before, after = Document.parse(SHAPES[shape]), Document.parse(updated(SHAPES[shape]))
    assert after.revisions[-1].xref_kind == before.revisions[-1].xref_kind
    assert len(after.revisions) == len(before.revisions) + 1
    assert after.trailing == b""


@pytest.mark.parametrize("shape", SHAPES)
def test_update_is_tiled_by_its_objects(shape: str) -> None:
    document = Document.parse(updated(SHAPES[shape]))
    revision = document.revisions[-1]
    position = revision.start
    for number in sorted(revision.entries):
        start, end = document.span(number)
        assert document.data[position:start].strip(b"\n") == b""
        position = end
    close = b"startxref" if revision.xref_kind == "stream" else b"xref"
    assert document.data[position:].lstrip(b"\n").startswith(close)


@pytest.mark.parametrize("shape", SHAPES)
def test_qpdf_finds_no_error(shape: str, tmp_path: Path) -> None:
    file = tmp_path / "updated.pdf"
    file.write_bytes(updated(updated(SHAPES[shape])))
    checked = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_second_part_of_the_identifier_changes_with_the_contents() -> None:
    first, second = Document.parse(SHAPES["table"]), Document.parse(updated(SHAPES["table"]))
    before, after = first.trailer["ID"], second.trailer["ID"]
    assert isinstance(before, list)
    assert isinstance(after, list)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_same_update_gives_the_same_octets() -> None:
    assert updated(SHAPES["table"]) == updated(SHAPES["table"])


def test_information_and_metadata_stay_as_they_were() -> None:
    before, after = Document.parse(SHAPES["table"]), Document.parse(updated(SHAPES["table"]))
    assert after.trailer.get("Info") == before.trailer.get("Info")
    assert after.root["Metadata"] == before.root["Metadata"]
    assert after.get(after.root["Metadata"]) == before.get(before.root["Metadata"])


def test_generation_of_a_changed_object_is_kept() -> None:
    head = b"%PDF-1.7\n"
    objects = [b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n", b"2 3 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"]
    table = b"xref\n0 3\n0000000000 65535 f\r\n%010d 00000 n\r\n%010d 00003 n\r\n" % (len(head), len(head) + len(objects[0]))
    start = len(head) + sum(map(len, objects))
    data = head + b"".join(objects) + table + b"trailer\n<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    update = Update(Document.parse(data))
    update.put(Ref(2, 3), {"Type": Name("Pages"), "Kids": [], "Count": 0, "XNew": True})
    changed = Document.parse(bytes(update.close().data)).get(Ref(2, 3))
    assert isinstance(changed, dict)
    assert changed["XNew"] is True


def test_update_of_nothing_is_refused() -> None:
    with pytest.raises(PdfError, match="an update without objects"):
        Update(Document.parse(SHAPES["table"])).close()


def test_pending_values_are_seen_before_the_revision_is_closed() -> None:
    update = Update(Document.parse(SHAPES["table"]))
    value: PdfObject = {"A": 1}
    ref = update.add(value)
    assert update.get(ref) == value


def test_pikepdf_reads_what_was_written() -> None:
    for document in SHAPES.values():
        with pikepdf.open(io.BytesIO(updated(document))) as pdf:
            assert bytes(pdf.Root.XNote.Note) == b"new"
