from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database
from db.errors import ContentError
from db.log import Log
from db.records import PAGE, Records
from records.errors import AlreadySpentError, ExportError, NotFoundError, StaleRecordError
from records.ledger import Change, Event, LogEntry
from records.person import Sex
from records.ports import Document, DocumentKind, SpentItem
from records.record import (
    Attendance,
    PreviousVersion,
    Record,
    RecordContent,
    RecordSchool,
    RecordStudent,
    SchoolYear,
    SubjectMarks,
    TermAssessment,
)
from records.state import Phase, RecordState, Version
from signing.verdict import RecordStatus
from signing.workflow import Step, Workflow

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
WORKFLOW = Workflow("w/1", (Step("homeroom", "teacher", "F1"), Step("seal", "school-seal", "F2", seal=True)))
GOOD = TermAssessment("Tốt", "Tốt")
YEAR = SchoolYear(
    year="2025-2026",
    grade=9,
    class_name="9A",
    homeroom_teacher="Trần Thị Mai",
    marks=(SubjectMarks("Toán", "8.5", "9.0", "8.8"),),
    hk1=GOOD,
    hk2=GOOD,
    whole=GOOD,
    attendance=Attendance(1, 0),
    outcome="Được lên lớp",
    remark="Chăm chỉ.",
)
RECORD = Record(
    id="r1",
    version=1,
    school=RecordSchool("NTRVN-0100109106", "THCS Nguyễn Trãi", "Hà Nội"),
    prepared_at=NOW,
    content=RecordContent(RecordStudent("p1", "Nguyễn Văn Ưng", date(2011, 9, 2), Sex.MALE, "Huế"), (YEAR,)),
)
NEW = RecordState(WORKFLOW, (Version(RECORD),))
OPENED = LogEntry(Event.OPENED, "r1", 1, "t1", NOW)
REVISED = LogEntry(Event.REVISED, "r1", 2, "t1", NOW, (("reason", "x"),), (Change("years[2025-2026].marks[Toán].hk1", "8.5", "9.5"),))
EXPORT = Document("r1", 1, DocumentKind.EXPORT, b"%PDF export")
SIGNED = Document("r1", 1, DocumentKind.SIGNED, b"%PDF signed")
ITEM = SpentItem("a1", "r1", 1, "homeroom", NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def store(database: Database, folder: Path) -> Records:
    return Records(database, ContentFolder(folder))


@pytest.fixture
def shelf(database: Database, folder: Path) -> Documents:
    return Documents(database, ContentFolder(folder))


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_a_record_comes_back_as_it_was_saved(store: Records) -> None:
    saved = store.save(NEW, [OPENED])
    assert saved == replace(NEW, revision=1)
    assert store.load("r1") == saved


def test_an_unknown_record_is_not_found(store: Records) -> None:
    with pytest.raises(NotFoundError, match="record r9 is not in the books"):
        store.load("r9")


def test_each_save_raises_the_revision(store: Records) -> None:
    first = store.save(NEW, [])
    second = store.save(replace(first, phase=Phase.LOCKED), [])
    assert (second.revision, store.load("r1").phase) == (2, Phase.LOCKED)


def test_a_save_over_somebody_elses_is_refused(store: Records) -> None:
    first = store.save(NEW, [])
    store.save(replace(first, phase=Phase.LOCKED), [])
    with pytest.raises(StaleRecordError, match="record r1 is at revision 2, expected revision 1; load it again"):
        store.save(replace(first, phase=Phase.WITHDRAWN), [])
    assert store.load("r1").phase is Phase.LOCKED


def test_a_new_record_cannot_take_a_known_id(store: Records) -> None:
    store.save(NEW, [])
    with pytest.raises(StaleRecordError, match="record r1 is at revision 1, expected revision 0"):
        store.save(NEW, [])


def test_a_record_that_was_never_saved_cannot_claim_a_revision(store: Records) -> None:
    with pytest.raises(StaleRecordError, match="record r1 is not in the books, expected revision 3"):
        store.save(replace(NEW, revision=3), [])


def test_of_many_savers_at_once_one_wins(store: Records) -> None:
    first = store.save(NEW, [])

    def attempt(n: int) -> bool:
        try:
            store.save(first, [LogEntry(Event.EDITED, "r1", 1, f"t{n}", NOW)], documents=[SIGNED])
        except StaleRecordError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(12))) == 1
    assert len(store.log("r1")) == 1


def test_the_log_of_a_record_reads_back_whole(store: Records) -> None:
    store.save(NEW, [OPENED, REVISED])
    assert store.log("r1") == (OPENED, REVISED)
    assert store.log("r9") == ()


def test_ids_are_sorted(store: Records) -> None:
    for name in ("b", "a"):
        store.save(RecordState(WORKFLOW, (Version(replace(RECORD, id=name)),)), [])
    assert store.ids() == ("a", "b")


def test_the_book_knows_the_status_of_each_version(store: Records) -> None:
    second = replace(RECORD, version=2, previous=PreviousVersion(1, "0" * 64))
    versions = (Version(RECORD, status=RecordStatus.SUPERSEDED), Version(second, status=RecordStatus.CURRENT))
    store.save(RecordState(WORKFLOW, versions), [])
    assert [store.status("r1", n) for n in (1, 2, 3)] == [RecordStatus.SUPERSEDED, RecordStatus.CURRENT, None]
    assert store.status("r9", 1) is None


def test_an_unfinished_version_has_no_status(store: Records) -> None:
    store.save(NEW, [])
    assert store.status("r1", 1) is None


def test_documents_are_kept_with_the_state(store: Records, shelf: Documents) -> None:
    store.save(NEW, [], documents=[EXPORT, SIGNED])
    assert shelf.get("r1", 1, DocumentKind.EXPORT) == EXPORT
    assert shelf.get("r1", 1, DocumentKind.SIGNED) == SIGNED


def test_a_missing_document_is_not_found(shelf: Documents) -> None:
    with pytest.raises(NotFoundError, match="record r1 version 1 has no export document"):
        shelf.get("r1", 1, DocumentKind.EXPORT)


def test_a_further_signature_replaces_the_signed_document_and_its_file(store: Records, shelf: Documents, folder: Path) -> None:
    saved = store.save(NEW, [], documents=[SIGNED])
    again = replace(SIGNED, pdf=b"%PDF signed twice")
    store.save(saved, [], documents=[again])
    assert shelf.get("r1", 1, DocumentKind.SIGNED) == again
    assert files(folder) == 1


def test_an_export_is_never_replaced(store: Records, shelf: Documents, folder: Path) -> None:
    saved = store.save(NEW, [], documents=[EXPORT])
    with pytest.raises(ExportError, match="record r1 version 1 has its export already"):
        store.save(saved, [], documents=[SIGNED, replace(EXPORT, pdf=b"%PDF other")])
    assert shelf.get("r1", 1, DocumentKind.EXPORT) == EXPORT
    assert files(folder) == 1


def test_the_same_export_again_is_no_conflict(store: Records, shelf: Documents) -> None:
    saved = store.save(NEW, [], documents=[EXPORT])
    store.save(saved, [], documents=[EXPORT])
    assert shelf.get("r1", 1, DocumentKind.EXPORT) == EXPORT


def test_an_authorised_item_is_used_once_and_its_loser_keeps_nothing(database: Database, store: Records, folder: Path) -> None:
    saved = store.save(NEW, [], documents=[EXPORT], spent=ITEM)
    with pytest.raises(AlreadySpentError, match="authorisation a1: step homeroom of record r1 version 1 is used already"):
        store.save(replace(saved, phase=Phase.LOCKED), [OPENED], documents=[SIGNED], spent=ITEM)
    assert store.load("r1") == saved
    assert [entry.kind for entry in Log(database).entries()] == ["authorisation.used"]
    assert files(folder) == 1


def test_a_document_that_cannot_be_written_takes_the_state_with_it(store: Records, folder: Path) -> None:
    folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(ContentError, match="cannot be written"):
        store.save(NEW, [OPENED], documents=[EXPORT])
    with pytest.raises(NotFoundError):
        store.load("r1")


def test_altered_bytes_on_disk_are_refused(store: Records, shelf: Documents, folder: Path) -> None:
    store.save(NEW, [], documents=[EXPORT])
    (path,) = [path for path in folder.rglob("*") if path.is_file()]
    path.write_bytes(b"%PDF forged")
    with pytest.raises(ContentError, match=r"has SHA-256 .* the books say .* restore it from a backup"):
        shelf.get("r1", 1, DocumentKind.EXPORT)
    path.unlink()
    with pytest.raises(ContentError, match="cannot be read: No such file"):
        shelf.get("r1", 1, DocumentKind.EXPORT)


def test_files_are_readable_by_their_owner_alone_and_name_nobody(store: Records, folder: Path) -> None:
    store.save(NEW, [], documents=[EXPORT])
    (path,) = [path for path in folder.rglob("*") if path.is_file()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.name == f"{EXPORT.sha256}.pdf"


def test_all_records_are_read_page_by_page_and_narrowed(store: Records) -> None:
    states = []
    for number in range(PAGE + 2):
        other = replace(RECORD.school, identifier="NTRVN-0100109107") if number == 1 else RECORD.school
        states.append(replace(NEW, versions=(Version(replace(RECORD, id=f"r{number:04}", school=other)),)))
        states[-1] = store.save(states[-1], [])
    assert list(store.all()) == states
    assert list(store.all(school="NTRVN-0100109107")) == [states[1]]
    assert list(store.all(phase=Phase.LOCKED)) == []
    assert len(list(store.all(school=RECORD.school.identifier, phase=NEW.phase))) == PAGE + 1
