"""`eduseal sign`: any PDF under a school's seal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.corpus.build_class15 import CASES, encrypted
from tests.support.signing_cases import foreign_pdf


@pytest.fixture
def letter(desk) -> str:
    Path("letter.pdf").write_bytes(foreign_pdf())
    return "letter.pdf"


def test_a_letter_is_sealed_and_verifies(desk, letter):
    assert desk("sign", letter, "--seal", "SM", "--to", "sealed.pdf") == (
        0,
        "Written: sealed.pdf\n",
        "It is no record, so check it as one verifies any signed document: eduseal verify sealed.pdf --policy ades\n",
    )
    status, out, _ = desk("verify", "sealed.pdf", "--policy", "ades", "--format", "jsonl", "--workers", "1")
    (signature,) = json.loads(out)["signatures"]
    assert (status, signature["level"], signature["signer"]["role"]) == (0, "PAdES-BASELINE-LTA", "school-seal")


def test_a_record_goes_another_way(desk):
    desk("record", "export", "R-3", "--to", "export.pdf")
    assert desk("sign", "export.pdf", "--seal", "SM", "--to", "sealed.pdf") == (
        65,
        "",
        "eduseal: export.pdf is a record with a workflow of its own; seal it with `eduseal record seal`\n",
    )
    assert not Path("sealed.pdf").exists()


def test_a_signed_document_gets_no_new_field(desk, letter):
    desk("sign", letter, "--seal", "SM", "--to", "sealed.pdf")
    status, _, err = desk("sign", "sealed.pdf", "--seal", "SM", "--field", "Other", "--to", "twice.pdf")
    assert (status, err) == (
        65,
        "eduseal: sealed.pdf is signed already and has no empty field 'Other'; seal the unsigned document instead\n",
    )


def test_a_file_that_stands_is_not_replaced(desk, letter):
    assert desk("sign", letter, "--seal", "SM", "--to", letter)[2] == (
        "eduseal: letter.pdf stands already and was not touched; name another file with --to\n"
    )


def test_a_school_without_a_seal_is_told_how_to_get_one(desk, letter):
    status, _, err = desk("sign", letter, "--seal", "BL", "--to", "sealed.pdf")
    assert (status, err) == (65, "eduseal: school BL has no seal in force; `eduseal request seal BL` asks for one\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a PDF: the file does not begin with %PDF-1.n or %PDF-2.n"),
        (b"a,b\n", "not a PDF: the file does not begin with %PDF-1.n or %PDF-2.n"),
    ],
)
def test_what_cannot_be_sealed_is_one_line(desk, content, message):
    Path("bad.pdf").write_bytes(content)
    assert desk("sign", "bad.pdf", "--seal", "SM", "--to", "sealed.pdf") == (65, "", f"eduseal: {message}\n")
    assert not Path("sealed.pdf").exists()


@pytest.mark.parametrize("case", [*CASES, "15-encrypted"])
def test_what_may_never_be_signed_is_refused_by_name(desk, case):
    Path("bad.pdf").write_bytes(encrypted() if case == "15-encrypted" else CASES[case].build(False))
    found = "encryption" if case == "15-encrypted" else CASES[case].found
    status, out, err = desk("sign", "bad.pdf", "--seal", "SM", "--to", "sealed.pdf")
    assert (status, out) == (1, "")
    assert err.startswith(f"eduseal: bad.pdf: refused before signing, {found}: ")
    assert err.count("\n") == 1
    assert not Path("sealed.pdf").exists()
