"""The record PDF: what it says, what it carries, and that the same record gives the same octets."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from itertools import pairwise

import pikepdf
import pytest

from records.canonical import record_json
from records.errors import ExportError
from records.export import Exporter, export_record, qr_svg
from records.form import with_signature_fields
from records.record import PreviousVersion
from records.sample_marks import MARKED
from signing.workflow import Step, Workflow, parse_manifest
from tests.support.record_cases import SCHOOL, make_content, make_record, make_year

URL = "https://records.example/verify"


@pytest.fixture(scope="session")
def exporter():
    return Exporter(verify_url=URL)


@pytest.fixture(scope="session")
def exported(exporter, workflow):
    return exporter.export(make_record(), workflow)


@pytest.fixture
def pdf(exported):
    with pikepdf.open(io.BytesIO(exported)) as opened:
        yield opened


def printed(document: bytes) -> str:
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True).stdout.decode()


def fields(pdf: pikepdf.Pdf) -> dict[str, pikepdf.Object]:
    return {str(field.T): field for field in pdf.Root.AcroForm.Fields}


def test_the_same_record_gives_the_same_octets(exporter, exported, workflow):
    exporter.export(replace(make_record(), id="HB-2026-other"), workflow)
    assert exporter.export(make_record(), workflow) == exported


def test_another_exporter_gives_the_same_octets(exported, workflow):
    assert export_record(make_record(), workflow, verify_url=URL) == exported


def test_qpdf_finds_no_error(exported, tmp_path):
    path = tmp_path / "record.pdf"
    path.write_bytes(exported)
    checked = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_pdftotext_gives_the_vietnamese_names_back(exported):
    text = printed(exported)
    for words in (
        "Nguyễn Trần Bảo Ngọc",
        "Trường THCS Sao Mai (dữ liệu mẫu)",
        "Đỗ Hoàng Nam",
        "Giáo viên chủ nhiệm",
        "Độc lập – Tự do – Hạnh phúc",
    ):
        assert words in text


def test_marks_are_printed_with_a_comma_and_the_missing_ones_with_a_dash(exported):
    lines = [" ".join(line.split()) for line in printed(exported).splitlines()]
    assert "1 Toán 8,5 9,0 8,8" in lines
    assert "2 Ngữ văn 7,5 – –" in lines


def test_a_page_for_each_year_each_names_record_version_and_page(exported, pdf):
    assert len(pdf.pages) == 2
    pages = printed(exported).split("\f")
    for number, page in enumerate(pages[:2], start=1):
        assert "HB-2026-SM-9A-01 · bản 1" in page
        assert f"Trang {number} / 2" in page


def test_the_whole_record_is_attached_as_its_source(pdf, workflow):
    (attached,) = pdf.Root.AF
    assert (str(attached.UF), attached.AFRelationship) == ("record.json", pikepdf.Name.Source)
    assert attached.EF.F.read_bytes() == record_json(make_record(), workflow)


def test_the_attachment_reads_as_the_verifiers_manifest(pdf, workflow):
    manifest = parse_manifest(pdf.attachments["record.json"].get_file().read_bytes())
    assert (manifest.record_id, manifest.version, manifest.school_identifier) == ("HB-2026-SM-9A-01", 1, SCHOOL)
    assert manifest.workflow == workflow


def test_there_is_one_empty_signature_field_for_each_step_in_order(pdf, workflow):
    assert list(fields(pdf)) == [step.field for step in workflow.steps]
    for field in fields(pdf).values():
        assert (field.FT, field.Subtype, int(field.F)) == (pikepdf.Name.Sig, pikepdf.Name.Widget, 132)
        assert "/V" not in field


def test_the_form_is_ready_for_incremental_signatures(exported, pdf):
    assert pdf.Root.AcroForm.is_indirect
    assert not pdf.Root.AcroForm.Fields.is_indirect
    assert int(pdf.Root.AcroForm.SigFlags) == 3
    assert b"/XRef" not in exported
    assert b"/ObjStm" not in exported


def test_the_fields_lie_in_the_boxes_on_the_last_page(pdf):
    boxes = [field.Rect.as_list() for field in fields(pdf).values()]
    assert all(pdf.pages[-1].obj == field.P and field.is_indirect for field in fields(pdf).values())
    assert all(float(x1 - x0) > 140 and 70 < float(y1 - y0) < 80 for x0, y0, x1, y1 in boxes)
    assert all(left[2] < right[0] for left, right in pairwise(boxes))


def test_an_approval_locks_its_own_field_and_the_seal_locks_all(pdf):
    locks = {name: field.Lock for name, field in fields(pdf).items()}
    assert (locks["Signature-Homeroom"].Action, [str(f) for f in locks["Signature-Homeroom"].Fields]) == (
        pikepdf.Name.Include,
        ["Signature-Homeroom"],
    )
    assert "/P" not in locks["Signature-Homeroom"]
    assert (locks["Signature-Seal"].Action, int(locks["Signature-Seal"].P)) == (pikepdf.Name.All, 1)


def test_each_field_has_its_form_element_in_the_structure(pdf):
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums.as_list()
    parents = {int(key): value for key, value in zip(numbers[::2], numbers[1::2], strict=True)}
    for field in fields(pdf).values():
        element = parents[int(field.StructParent)]
        assert pikepdf.Name.Form == element.S
        assert element.K.Type == pikepdf.Name.OBJR  # itself, not in an array: pyHanko's change analysis looks for it there
        assert element.K.Obj.objgen == field.objgen


def test_a_screen_reader_is_told_what_each_field_is(pdf):
    assert [str(field.TU) for field in fields(pdf).values()] == [
        "Ô chữ ký số: Giáo viên chủ nhiệm",
        "Ô chữ ký số: Hiệu trưởng",
        "Ô chữ ký số: Con dấu nhà trường",
    ]


def test_the_document_is_tagged_titled_and_vietnamese(pdf):
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang).startswith("vi")
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert str(pdf.docinfo["/Title"]) == "Học bạ Nguyễn Trần Bảo Ngọc, bản 1"
    assert all(page.obj.Tabs == pikepdf.Name.S for page in pdf.pages)


def test_no_conformance_is_claimed_that_no_validator_confirmed(exported, pdf):
    assert b"pdfaid:part" not in pdf.Root.Metadata.read_bytes()
    assert b"pdfaid:part" not in exported
    assert "/OutputIntents" in pdf.Root


def test_every_font_is_embedded(exported, tmp_path):
    path = tmp_path / "record.pdf"
    path.write_bytes(exported)
    lines = subprocess.run(["pdffonts", str(path)], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert lines
    assert all("NotoSans" in line and line.split()[-5] == "yes" for line in lines)


def test_no_link_to_a_template_mark_remains(exported):
    assert b"eduseal-field" not in exported


def test_the_code_and_the_printed_address_name_record_and_version(exported):
    assert f"{URL}?record=HB-2026-SM-9A-01&version=1" in printed(exported).replace("\n", "")
    assert qr_svg(f"{URL}?record=HB-2026-SM-9A-01&version=1").startswith("<svg")


def test_a_revision_names_the_version_that_it_replaces(exporter, workflow):
    record = replace(make_record(), version=2, previous=PreviousVersion(1, "cd" * 32))
    assert "Bản này thay thế bản 1" in printed(exporter.export(record, workflow))


def test_a_pupil_without_a_commitment_gets_a_record_too(exporter, workflow):
    content = make_content()
    record = replace(make_record(), content=replace(content, student=replace(content.student, commitment=None)))
    assert "chưa có" in printed(exporter.export(record, workflow))


def test_many_subjects_and_years_run_over_pages(exporter, workflow):
    year = make_year()
    marks = tuple(replace(year.marks[0], subject=f"{MARKED[0]} {n}") for n in range(40))
    years = tuple(replace(year, year=f"{y}-{y + 1}", grade=y - 2016, marks=marks, remark="Em tiến bộ. " * 150) for y in range(2022, 2026))
    document = exporter.export(replace(make_record(), content=replace(make_content(), years=years)), workflow)
    assert "Ngữ văn 39" in printed(document)


def test_contents_cannot_break_out_of_the_template(exporter, workflow):
    content = make_content(remark='#link("eduseal-field:X")[x] \\ $x$ <y> *z* #sys.inputs "')
    assert '#link("eduseal-field:X")[x]' in " ".join(printed(exporter.export(replace(make_record(), content=content), workflow)).split())


def test_a_workflow_of_many_steps_has_a_box_for_each(exporter):
    steps = (*(Step(f"s{n}", "teacher", f"F{n}") for n in range(19)), Step("seal", "school-seal", "Seal", seal=True))
    document = exporter.export(make_record(), Workflow("many/1", steps))
    with pikepdf.open(io.BytesIO(document)) as pdf:
        assert list(fields(pdf)) == [step.field for step in steps]
        assert all(float(field.Rect[1]) > 50 and float(field.Rect[3]) < 800 for field in fields(pdf).values())


def test_a_class_is_exported_one_by_one(exporter, exported, workflow):
    records = [make_record(), replace(make_record(), id="HB-2026-SM-9A-02")]
    made = list(exporter.export_class(records, workflow))
    assert [record.id for record, _ in made] == ["HB-2026-SM-9A-01", "HB-2026-SM-9A-02"]
    assert made[0][1] == exported


def test_a_template_that_does_not_compile_is_an_export_error(tmp_path, workflow):
    (tmp_path / "school-record.typ").write_text("#nothing-of-that-name")
    with pytest.raises(ExportError, match=r"record HB-2026-SM-9A-01 version 1 cannot be typeset: .*unknown variable"):
        Exporter(verify_url=URL, templates=tmp_path).export(make_record(), workflow)


def test_a_template_without_a_box_is_an_export_error(tmp_path, workflow):
    (tmp_path / "school-record.typ").write_text('#set document(title: "x")\nx')
    with pytest.raises(ExportError, match="drew no box for step homeroom, field Signature-Homeroom"):
        Exporter(verify_url=URL, templates=tmp_path).export(make_record(), workflow)


def test_a_box_for_no_step_is_an_export_error(tmp_path, workflow):
    boxes = "".join(f'#link("eduseal-field:{name}", block(width: 9mm, height: 9mm))' for name in [s.field for s in workflow.steps] + ["X"])
    (tmp_path / "school-record.typ").write_text(f'#set document(title: "x")\n{boxes}')
    with pytest.raises(ExportError, match="drew boxes for no step: X"):
        Exporter(verify_url=URL, templates=tmp_path).export(make_record(), workflow)


def test_what_is_no_pdf_gets_no_fields(workflow):
    with pytest.raises(ExportError, match="cannot be read back"):
        with_signature_fields(b"not a PDF", workflow, labels={})
