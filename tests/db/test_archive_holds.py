from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.loader import load
from db.archive_holds import ArchiveHolds
from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database
from db.log import Log
from db.records import Records
from records.errors import StaleRecordError
from records.ledger import Event, LogEntry
from records.lifecycle import open_record
from records.ports import ArchivedDocument, Document, DocumentKind
from signing.applying.renewal import Hold
from signing.workflow import Workflow
from tests.support.record_cases import NOW, TEACHER, make_record

EC = ("ecdsa-with-SHA256",)
END = datetime(2032, 6, 1, tzinfo=UTC)
START = ("", 0)
ENTRY = LogEntry(Event.RENEWED, "r0", 1, "renewal", NOW)


class Shelf:
    """Three records r0, r1, r2, each with an export and a signed document."""

    def __init__(self, database: Database, folder: Path) -> None:
        content = ContentFolder(folder)
        self.archive = ArchiveHolds(database, content)
        self.documents = Documents(database, content)
        self.log = Log(database)
        self.folder = folder
        records = Records(database, content)
        workflow = Workflow.from_mapping(load("policies", "workflow-school-record"))
        for name in ("r0", "r1", "r2"):
            state, _ = open_record(make_record(name), workflow, by=TEACHER, at=NOW)
            documents = [Document(name, 1, DocumentKind(kind), f"{name} {kind}".encode()) for kind in ("export", "signed")]
            records.save(state, [], documents=documents)

    def noted(self, name: str, hold: Hold | None) -> ArchivedDocument:
        stored = self.documents.get(name, 1, DocumentKind.SIGNED)
        found = ArchivedDocument(name, 1, stored.sha256, hold)
        self.archive.note([found])
        return found

    def ending(self, by: datetime, *retiring: tuple[str, ...]) -> list[str]:
        return [found.record_id for found in self.archive.ending(by=by, retiring=retiring, after=START, limit=10)]

    def unread(self) -> list[str]:
        return [found.record_id for found in self.archive.unread(after=START, limit=10)]


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    return Shelf(database, tmp_path / "documents")


def test_signed_documents_are_unread_until_noted(shelf: Shelf) -> None:
    shelf.noted("r1", Hold(END, EC))
    assert shelf.unread() == ["r0", "r2"]


def test_unread_documents_come_page_by_page(shelf: Shelf) -> None:
    assert [found.record_id for found in shelf.archive.unread(after=("r0", 1), limit=1)] == ["r1"]


def test_what_ends_by_a_moment_is_found_and_what_has_no_time_stamp_is_not(shelf: Shelf) -> None:
    shelf.noted("r0", Hold(END, EC))
    shelf.noted("r1", Hold(END + timedelta(days=1), EC))
    shelf.noted("r2", None)
    assert shelf.ending(END) == ["r0"]
    assert shelf.ending(END + timedelta(days=9)) == ["r0", "r1"]


def test_what_uses_a_retiring_algorithm_is_found_whatever_its_end(shelf: Shelf) -> None:
    shelf.noted("r0", Hold(END, EC))
    shelf.noted("r1", Hold(END, ("ecdsa-with-SHA256", "ecdsa-with-SHA384")))
    assert shelf.ending(NOW, EC) == ["r0"]
    assert sorted(shelf.archive.algorithms()) == [EC, ("ecdsa-with-SHA256", "ecdsa-with-SHA384")]


def test_replaced_document_is_found_with_its_new_end_and_the_log_tells(shelf: Shelf) -> None:
    old = shelf.noted("r0", Hold(END, EC))
    renewed = Document("r0", 1, DocumentKind.SIGNED, b"r0 renewed")
    shelf.archive.replace(old, renewed, Hold(END + timedelta(days=2000), EC), entry=ENTRY)
    assert shelf.documents.get("r0", 1, DocumentKind.SIGNED) == renewed
    assert shelf.ending(END) == []
    assert "r0" not in shelf.unread()
    assert [entry.kind for entry in shelf.log.of_subject("record/r0")] == ["record.renewed"]
    assert len(list(shelf.folder.rglob("*.pdf"))) == 6


def test_document_that_was_replaced_meanwhile_is_not_replaced_again(shelf: Shelf) -> None:
    old = shelf.noted("r0", Hold(END, EC))
    first, second = (Document("r0", 1, DocumentKind.SIGNED, text) for text in (b"first", b"second"))
    shelf.archive.replace(old, first, Hold(END, EC), entry=ENTRY)
    with pytest.raises(StaleRecordError, match="record r0 version 1: its document was replaced meanwhile"):
        shelf.archive.replace(old, second, Hold(END, EC), entry=ENTRY)
    assert shelf.documents.get("r0", 1, DocumentKind.SIGNED) == first
    assert len(shelf.log.of_subject("record/r0")) == 1
    assert len(list(shelf.folder.rglob("*.pdf"))) == 6


def test_of_many_who_replace_at_once_one_succeeds(shelf: Shelf) -> None:
    old = shelf.noted("r0", Hold(END, EC))
    outcomes: list[bool] = []

    def attempt(number: int) -> None:
        try:
            shelf.archive.replace(old, Document("r0", 1, DocumentKind.SIGNED, b"%d" % number), Hold(END, EC), entry=ENTRY)
            outcomes.append(True)
        except StaleRecordError:
            outcomes.append(False)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert len(shelf.log.of_subject("record/r0")) == 1
    shelf.documents.get("r0", 1, DocumentKind.SIGNED)


def test_hold_read_from_an_older_document_does_not_count(shelf: Shelf) -> None:
    shelf.archive.note([ArchivedDocument("r0", 1, "0" * 64, Hold(END, EC))])
    assert shelf.ending(END) == []
    assert shelf.unread() == ["r0", "r1", "r2"]
