"""The journal of a bulk run: whole rows or none, each once and in order, and no report that is half one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signing.bulk.intake import Item, find_items
from signing.bulk.journal import Journal, JournalError, place, resumed, settings_digest
from signing.bulk.task import Task
from signing.bulk.wire import unjudged
from signing.trust.store import TrustStore
from tests.support.verify_cases import ADES, RECORD

ROW = {"file": "a.pdf", "sha256": "00" * 32, "messages": ["x" * 3000]}


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"missing/report\.csv: cannot be written \(No such file or directory\)"):
        Journal(tmp_path / "missing" / "report.csv", settings="s", at=None, resume=False)


def test_a_full_disk_keeps_whole_rows_and_says_how_many(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk."""
    report = tmp_path / "report.jsonl"
    script = f"""
import resource, signal, sys
from pathlib import Path
from signing.bulk.journal import Journal, JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
journal = Journal(Path({str(report)!r}), settings="s", at=None, resume=False)
try:
    for number in range(5):
        journal.append({{**{ROW!r}, "file": str(number)}})
except JournalError as exc:
    print(exc)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "cannot be written (No space left on device); report.jsonl.partial keeps the 2 rows so far for --resume" in told
    lines = (tmp_path / "report.jsonl.partial").read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    assert all(line.endswith(b"\n") for line in lines)
    assert not report.exists()


def test_a_disk_that_is_full_from_the_start_leaves_no_journal(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    script = f"""
import resource, signal
from pathlib import Path
from signing.bulk.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
Journal(Path({str(report)!r}), settings="s", at=None, resume=False)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "JournalError" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_documents_of_one_name_keep_a_row_each(tmp_path: Path) -> None:
    """As two members of an archive may: a reader who unpacks it sees one of them, and the report must not show the other one twice."""
    report = tmp_path / "report.jsonl"
    journal = Journal(report, settings="s", at=None, resume=False)
    for sha256, indication in (("00" * 32, "TOTAL-FAILED"), ("11" * 32, "TOTAL-PASSED")):
        journal.append({**ROW, "sha256": sha256, "indication": indication})
    journal.finish("jsonl", lambda row: row)
    assert [json.loads(line)["indication"] for line in report.read_text().splitlines()] == ["TOTAL-FAILED", "TOTAL-PASSED"]


def test_a_resumed_run_takes_no_row_of_another_document_of_the_same_name(tmp_path: Path) -> None:
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.pdf", b"forged")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.pdf", b"genuine")
    forged, genuine = find_items([str(archive)])
    report = tmp_path / "report.jsonl"
    first = Journal(report, settings="s", at=None, resume=False)
    first.append({**ROW, "file": genuine.name, "sha256": hashlib.sha256(b"genuine").hexdigest()})
    first.close()
    again = Journal(report, settings="s", at=None, resume=True)
    assert again.find(forged) is None
    assert again.find(genuine) is not None
    again.close()


def test_what_a_run_is_judged_by_is_told_alike_in_every_process() -> None:
    """The members of a set stand in another order in each process."""
    script = """
from datetime import UTC, datetime
from signing.bulk.journal import settings_digest
from signing.bulk.task import Task
from signing.trust.store import TrustStore
from tests.support.verify_cases import ADES
print(settings_digest(Task(ADES, TrustStore(()), datetime(2026, 9, 5, tzinfo=UTC))))
"""

    def told(seed: int) -> str:
        place = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[3])}
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=place).stdout

    assert len({told(seed) for seed in range(4)}) == 1


def test_another_policy_is_another_run() -> None:
    moment = datetime(2026, 9, 5, tzinfo=UTC)
    assert settings_digest(Task(ADES, TrustStore(()), moment)) != settings_digest(Task(RECORD, TrustStore(()), moment))


# --- what a killed run, or a stranger, leaves behind


def begun(tmp_path: Path, *, resume: bool = True, settings: str = "s") -> Journal:
    return Journal(tmp_path / "report.jsonl", settings=settings, at=None, resume=resume)


def judged(item: Item) -> dict[str, object]:
    return {**ROW, "file": item.name}


def test_a_name_whose_octets_are_no_text_is_kept_and_found_again(tmp_path: Path) -> None:
    named = tmp_path / os.fsdecode(b"\xff\xed\xa0\x80.pdf")
    named.write_bytes(b"")
    row = {**ROW, "file": str(named), "sha256": hashlib.sha256(b"").hexdigest()}
    first = begun(tmp_path)
    first.append(row)
    first.close()
    (item,) = find_items([str(named)])
    journal = begun(tmp_path)
    found = journal.find(item)
    assert found is not None
    assert journal.show(found) == row
    journal.finish("jsonl", lambda row: row)
    assert json.loads((tmp_path / "report.jsonl").read_text(encoding="utf-8")) == row


@pytest.mark.parametrize("form", ["csv", "html", "jsonl"])
def test_a_report_is_utf_8_whatever_the_names_are_made_of(tmp_path: Path, form: str) -> None:
    journal = begun(tmp_path)
    journal.append(unjudged("LIMIT_EXCEEDED", "").as_dict("\udcff.pdf"))
    journal.finish(form, lambda row: row)
    assert "\\udcff.pdf" in (tmp_path / "report.jsonl").read_text(encoding="utf-8")


def test_rows_keep_their_order_while_documents_are_drawn_ahead(tmp_path: Path) -> None:
    items = [Item(f"{number}.pdf", "") for number in range(9)]
    before = begun(tmp_path)
    for number in (1, 2, 5, 8):
        before.append({**judged(items[number]), "sha256": hashlib.sha256(b"").hexdigest()})
    before.close()
    journal = begun(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    held = {place(item): row for item in items if (row := journal.find(replace(item, path=str(tmp_path / "empty")))) is not None}
    assert len(held) == 4

    def ahead(todo: Iterator[Item]) -> Iterator[dict[str, object]]:
        yield from [judged(item) for item in todo]

    with closing(journal):
        rows = list(resumed(iter(items), journal, ahead, held))
    assert [row["file"] for row in rows] == [item.name for item in items]


def test_a_folder_that_changes_meanwhile_mixes_up_no_rows(tmp_path: Path) -> None:
    """Documents are drawn ahead of their rows: going through the folder a second time would meet others."""
    place_of = tmp_path / "in"
    place_of.mkdir()
    for number in range(6):
        (place_of / f"{number}.pdf").write_bytes(b"")

    def changing(todo: Iterator[Item]) -> Iterator[dict[str, object]]:
        drawn = list(todo)
        (place_of / "2.pdf").unlink()
        (place_of / "9.pdf").write_bytes(b"")
        yield from map(judged, drawn)

    with closing(begun(tmp_path)) as journal:
        rows = list(resumed(find_items([str(place_of)]), journal, changing, {}))
    assert [Path(row["file"]).name for row in rows] == [f"{number}.pdf" for number in range(6)]


@pytest.mark.parametrize("left", [b"", b'{"settings": "s", "a'])
def test_a_journal_cut_off_in_its_first_line_is_begun_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "report.jsonl.partial").write_bytes(left)
    journal = begun(tmp_path)
    journal.append(dict(ROW))
    journal.close()
    with closing(begun(tmp_path)) as again:
        assert len(again) == 1


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"[]\n", b'{"file": 1, "sha256": ""}\n', b"[" * 100_000 + b"\n"])
def test_what_is_no_journal_is_refused_and_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    journal = begun(tmp_path)
    journal.append(dict(ROW))
    journal.close()
    octets = journal.path.read_bytes() + line
    journal.path.write_bytes(octets)
    with pytest.raises(JournalError, match=r"report\.jsonl\.partial: is not a journal; remove it, and run without --resume"):
        begun(tmp_path)
    assert journal.path.read_bytes() == octets


@pytest.mark.parametrize("resume", [True, False])
def test_a_second_run_that_writes_the_same_report_is_refused(tmp_path: Path, *, resume: bool) -> None:
    first = begun(tmp_path)
    first.append(dict(ROW))
    with pytest.raises(JournalError, match="another run is writing it; wait for that one, or name another --report"):
        begun(tmp_path, resume=resume)
    first.finish("jsonl", lambda row: row)
    assert json.loads((tmp_path / "report.jsonl").read_text()) == ROW


def test_a_journal_without_a_row_is_not_left_behind(tmp_path: Path) -> None:
    begun(tmp_path).close()
    assert list(tmp_path.iterdir()) == []
