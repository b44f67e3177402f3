"""Files that no row names: left by kill -9, found when they are old, set aside and never deleted."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database
from db.errors import ContentError
from db.log import Log
from db.orphans import AGE, PIECE, Orphans, OrphanSweep
from db.records import Records
from records.ports import DocumentKind
from tests.support.dying_save import FIRST, RECORD, SECOND, save

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)
OLD = NOW - AGE - timedelta(seconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def records(database: Database, folder: Path) -> Records:
    return Records(database, ContentFolder(folder))


@pytest.fixture
def sweep(database: Database, folder: Path) -> OrphanSweep:
    return OrphanSweep(database, ContentFolder(folder))


def path_of(octets: bytes) -> PurePosixPath:
    digest = hashlib.sha256(octets).hexdigest()
    return PurePosixPath(digest[:2], digest[2:4], f"{digest}.pdf")


def lay(folder: Path, octets: bytes, *, at: datetime = OLD, path: PurePosixPath | None = None) -> PurePosixPath:
    """A file that no row names, unless one is made afterwards."""
    path = path or path_of(octets)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(octets)
    age(target, at)
    return path


def age(path: Path, at: datetime = OLD) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.mark.parametrize(("when", "left", "kept"), [("named", SECOND, FIRST), ("committed", FIRST, SECOND)])
def test_what_a_killed_process_leaves_is_set_aside_and_the_record_is_whole(
    database: Database, database_url: str, folder: Path, records: Records, sweep: OrphanSweep, when: str, left: object, kept: object
) -> None:
    save(records, FIRST, revision=0)
    command = [sys.executable, "-m", "tests.support.dying_save", database_url, str(folder), when]
    assert subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False).returncode == -signal.SIGKILL
    for document in (FIRST, SECOND):
        age(folder / path_of(document.pdf))
    found = sweep.find(at=NOW)
    assert found == Orphans(2, (path_of(left.pdf),))  # type: ignore[attr-defined]
    (aside,) = sweep.set_aside(found.unnamed, at=NOW)
    assert (folder / aside).read_bytes() == left.pdf  # type: ignore[attr-defined]
    assert Documents(database, ContentFolder(folder)).get(RECORD.id, 1, DocumentKind.SIGNED) == kept
    save(records, SECOND, revision=1 if when == "named" else 2)  # what was interrupted can be done again
    assert Documents(database, ContentFolder(folder)).get(RECORD.id, 1, DocumentKind.SIGNED) == SECOND


def test_a_document_that_a_row_names_stays(folder: Path, records: Records, sweep: OrphanSweep) -> None:
    save(records, FIRST, revision=0)
    age(folder / path_of(FIRST.pdf))
    assert sweep.find(at=NOW) == Orphans(1, ())
    assert sweep.set_aside([path_of(FIRST.pdf)], at=NOW) == ()


def test_a_young_file_is_left_alone(folder: Path, sweep: OrphanSweep) -> None:
    path = lay(folder, b"%PDF", at=NOW - AGE + timedelta(seconds=1))
    assert sweep.find(at=NOW) == Orphans(0, ())
    assert sweep.set_aside([path], at=NOW) == ()


@pytest.mark.parametrize("name", ["note.txt", "ab/cd/letter.pdf", "ab/cd/" + "0" * 64 + ".pdf", "ab/" + "ab" * 32 + ".pdf", "ab/cd/x.part"])
def test_a_file_of_another_name_is_not_ours(folder: Path, sweep: OrphanSweep, name: str) -> None:
    lay(folder, b"theirs", path=PurePosixPath(name))
    assert sweep.find(at=NOW) == Orphans(0, ())


def test_a_link_is_not_followed(folder: Path, sweep: OrphanSweep, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    path = path_of(b"%PDF")
    (folder / path).parent.mkdir(parents=True)
    (folder / path).symlink_to(tmp_path / "else")
    assert sweep.find(at=NOW) == Orphans(0, ())


def test_a_file_that_was_never_finished_is_set_aside(folder: Path, sweep: OrphanSweep) -> None:
    path = lay(folder, b"%PD", path=PurePosixPath("ab", "cd", "tmpx_1abcde.part"))
    assert sweep.set_aside(sweep.find(at=NOW).unnamed, at=NOW) == (PurePosixPath("orphans", path.name),)


def test_a_namesake_is_never_replaced(folder: Path, sweep: OrphanSweep) -> None:
    for octets in (b"%PDF", b"%PDF"):
        sweep.set_aside([lay(folder, octets)], at=NOW)
    assert sorted(path.name for path in (folder / "orphans").iterdir()) == [
        f"{path_of(b'%PDF').stem}.2.pdf",
        f"{path_of(b'%PDF').stem}.pdf",
    ]


def test_the_log_tells_which_files_were_set_aside(database: Database, folder: Path, sweep: OrphanSweep) -> None:
    path = lay(folder, b"%PDF")
    sweep.set_aside([path], at=NOW)
    sweep.set_aside([path], at=NOW)  # gone already: nothing to tell
    (entry,) = Log(database).entries()
    assert (entry.kind, entry.subject, entry.details) == ("documents.set-aside", "documents", {"files": [path.name]})


def test_more_files_than_are_looked_up_at_once(folder: Path, sweep: OrphanSweep) -> None:
    paths = {lay(folder, b"%%PDF %d" % number) for number in range(PIECE + 3)}
    found = sweep.find(at=NOW)
    assert (found.files, set(found.unnamed)) == (PIECE + 3, paths)
    assert len(sweep.set_aside(found.unnamed, at=NOW)) == PIECE + 3


def test_a_file_that_a_transaction_under_way_is_about_to_name_stays(
    database: Database, folder: Path, records: Records, sweep: OrphanSweep
) -> None:
    """Its octets lay there as an orphan before, so its age alone would not save it."""
    path = lay(folder, FIRST.pdf)
    reached, go_on = threading.Event(), threading.Event()

    class Slow(ContentFolder):
        def put(self, path: PurePosixPath, data: bytes) -> bool:
            done = super().put(path, data)
            age(folder / path)
            reached.set()
            go_on.wait(10)
            return done

    saving = threading.Thread(target=lambda: save(Records(database, Slow(folder)), FIRST, revision=0))
    saving.start()
    assert reached.wait(10)
    assert sweep.find(at=NOW).unnamed == (path,)  # no row is to be seen yet
    moved: list[object] = []
    sweeping = threading.Thread(target=lambda: moved.extend(sweep.set_aside([path], at=NOW)))
    sweeping.start()
    sweeping.join(0.2)
    go_on.set()
    saving.join(10)
    sweeping.join(10)
    assert moved == []
    assert (folder / path).read_bytes() == FIRST.pdf


def test_a_folder_that_cannot_be_read_is_a_typed_error(sweep: OrphanSweep) -> None:
    with pytest.raises(ContentError, match="documents cannot be read: No such file or directory"):
        sweep.find(at=NOW)
