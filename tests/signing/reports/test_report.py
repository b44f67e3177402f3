"""Rows, their forms, and the exit status of a run."""

from __future__ import annotations

import csv
import io
import json

import pytest

from signing.reports.report import COLUMNS, Summary, flat, with_status, write
from signing.verdict import (
    Changes,
    Coverage,
    Entitlement,
    Indication,
    Message,
    RecordReference,
    RecordStatus,
    SignatureVerdict,
    Signer,
    Verdict,
)


class Book:
    """A RecordBook that knows one record."""

    def __init__(self, status: RecordStatus) -> None:
        self._status = status

    def status(self, record_id: str, version: int) -> RecordStatus | None:
        return self._status if (record_id, version) == ("R-1", 2) else None


def row(
    indication: Indication = Indication.TOTAL_PASSED, *, file: str = "a.pdf", signer: str = "Ánh", status: RecordStatus | None = None
) -> dict[str, object]:
    signature = SignatureVerdict(
        field="F",
        indication=indication,
        sub_indication=None,
        level="PAdES-BASELINE-LTA",
        signer=Signer(signer, "teacher", None, None, "0a"),
        claimed_time=None,
        best_signature_time=None,
        coverage=Coverage.ENTIRE_FILE,
        changes=Changes.NONE,
        messages=(Message("CODE", "text"),),
    )
    verdict = Verdict("ab", indication, None, Entitlement.UNKNOWN, (signature,), record=RecordReference("R-1", 2, status))
    return verdict.as_dict(file)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([row()], 0),
        ([row(), row(Indication.INDETERMINATE), row(Indication.TOTAL_FAILED)], 1),
        ([row(), row(Indication.INDETERMINATE)], 2),
        ([row(), row(Indication.NO_SIGNATURE)], 2),
        ([row(), row(status=RecordStatus.SUPERSEDED)], 3),
        ([row(status=RecordStatus.WITHDRAWN)], 3),
        ([row(status=RecordStatus.CURRENT)], 0),
        ([row(Indication.INDETERMINATE), row(status=RecordStatus.SUPERSEDED)], 2),
        ([], 2),
    ],
)
def test_exit_status_follows_the_contract(rows: list[dict[str, object]], status: int) -> None:
    summary = Summary()
    for one in rows:
        summary.add(one)
    assert summary.exit_status == status


def test_status_comes_from_the_book_of_records() -> None:
    assert with_status(row(), Book(RecordStatus.SUPERSEDED))["record"]["status"] == "superseded"


def test_without_a_book_the_status_stays_unknown() -> None:
    assert with_status(row(), None)["record"]["status"] is None


def test_jsonl_is_one_object_a_line_with_vietnamese_unescaped() -> None:
    lines = "".join(write([row(), row(file="b.pdf")], "jsonl")).splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.pdf", "b.pdf"]
    assert "Ánh" in lines[0]


def test_csv_has_a_heading_and_one_line_a_document() -> None:
    lines = list(csv.reader(io.StringIO("".join(write([row()], "csv")))))
    assert tuple(lines[0]) == COLUMNS
    assert lines[1][COLUMNS.index("signers")] == "Ánh (teacher)"


def test_csv_of_no_document_is_its_heading() -> None:
    assert "".join(write([], "csv")).startswith("file,indication")


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0.pdf", "+1.pdf", "@x.pdf", "-2.pdf"])
def test_csv_cell_that_a_spreadsheet_would_run_becomes_text(name: str) -> None:
    lines = list(csv.reader(io.StringIO("".join(write([row(file=name)], "csv")))))
    assert lines[1][0] == f"'{name}"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_control_characters_reach_no_terminal(form: str) -> None:
    text = "".join(write([row(file="a\x1b[31m\x9b2J\x7f\nTOTAL-PASSED.pdf")], form))
    assert not [character for character in text if character in "\x1b\x7f\x9b"]
    assert len(text.splitlines()) == (1 if form == "jsonl" else 2)


def test_jsonl_still_says_the_name_as_it_is() -> None:
    name = "a\x1b[31m\x9b2J\x7f.pdf"
    assert json.loads("".join(write([row(file=name)], "jsonl")))["file"] == name


def test_html_escapes_what_strangers_wrote() -> None:
    page = "".join(write([row(signer="<script>alert(1)</script>")], "html"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_html_says_the_indication_in_words_and_counts() -> None:
    page = "".join(write([row(), row(Indication.TOTAL_FAILED)], "html"))
    assert "2 documents: 1 TOTAL-FAILED, 1 TOTAL-PASSED." in page


def test_flat_row_names_findings_once() -> None:
    assert flat(row())["findings"] == "CODE: text"


def test_html_counts_by_school_by_signer_and_by_reason() -> None:
    page = "".join(write([row(), row(Indication.TOTAL_FAILED), row(Indication.TOTAL_FAILED)], "html"))
    for title in ("By school", "By signer", "Why not passed"):
        assert f"<h2>{title}</h2>" in page
    assert "<span>1/3</span>" in page


def test_html_runs_nothing_and_fetches_nothing() -> None:
    page = "".join(write([row()], "html"))
    assert "default-src 'none'" in page
    assert not [word for word in ("<script", "http://", "https://", "@import", "url(") if word in page]


def test_html_picture_sums_up_what_does_not_fit() -> None:
    page = "".join(write([row(signer=f"Signer {number}") for number in range(40)], "html"))
    assert "<span>10 more</span>" in page


def test_html_of_no_document_says_so() -> None:
    assert "0 documents: none." in "".join(write([], "html"))
