"""Workers that can be killed: limits, order, replacement, and what crosses the process boundary."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from signing.bulk.intake import Item, find_items
from signing.bulk.pool import Pool, Worker, limit_row
from signing.bulk.worker import Task
from signing.verifying.engines import Engine
from signing.verifying.grant import GRANT, Grant
from tests.support.verify_cases import RECORD, good_record, standing_house


def task(grant: Grant = GRANT) -> Task:
    good_record()  # its making moves the clock
    house = standing_house()
    return Task(policy=RECORD, trust=house.trust, at=house.now, engine=Engine.REFERENCE, grant=grant)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bulk")
    good = good_record()
    (place / "1-good.pdf").write_bytes(good)
    (place / "2-altered.pdf").write_bytes(good.replace(b"/MediaBox", b"/Mediabox", 1))
    (place / "3-empty.pdf").write_bytes(b"")
    (place / "4-good.pdf").write_bytes(good)
    (place / "5-picture.pdf").write_bytes(b"\x89PNG and so on")
    return place


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(task(), workers=2) as found:
        yield found


def test_rows_come_in_the_order_of_the_items(pool: Pool, folder: Path) -> None:
    rows = list(pool.run(find_items([str(folder)])))
    assert [(Path(row["file"]).name, row["indication"]) for row in rows] == [
        ("1-good.pdf", "TOTAL-PASSED"),
        ("2-altered.pdf", "TOTAL-FAILED"),
        ("3-empty.pdf", "NO-SIGNATURE"),
        ("4-good.pdf", "TOTAL-PASSED"),
        ("5-picture.pdf", "NO-SIGNATURE"),
    ]


def test_members_of_an_archive_are_judged_like_files(pool: Pool, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    rows = list(pool.run(find_items([str(tmp_path / "all.zip")])))
    assert [row["indication"] for row in rows] == ["TOTAL-PASSED", "TOTAL-FAILED", "NO-SIGNATURE", "TOTAL-PASSED", "NO-SIGNATURE"]


def test_document_at_hand_needs_no_file(pool: Pool) -> None:
    row = pool.judge(Item(name="upload.pdf", path=""), good_record())
    assert (row["file"], row["indication"], row["engine"]) == ("upload.pdf", "TOTAL-PASSED", "reference")


def test_file_that_vanishes_is_a_row_and_not_the_end_of_the_run(pool: Pool, tmp_path: Path) -> None:
    row = pool.judge(Item(name="gone.pdf", path=str(tmp_path / "gone.pdf")))
    assert (row["indication"], row["messages"][0]["code"]) == ("INDETERMINATE", "NOT_READABLE")


def test_document_that_takes_too_long_is_undetermined_and_its_process_replaced() -> None:
    with Pool(task(Grant(seconds=0.0, seconds_per_signature=0.0, seconds_per_megabyte=0.0)), workers=1) as pool:
        slow = pool.judge(Item(name="slow.pdf", path=""), good_record())
        quick = pool.judge(Item(name="quick.pdf", path=""), b"")
    assert (slow["indication"], slow["messages"][0]["code"]) == ("INDETERMINATE", "LIMIT_EXCEEDED")
    assert "longer than the 0.0 s granted" in slow["messages"][0]["text"]
    assert quick["indication"] == "NO-SIGNATURE"


def test_document_that_takes_too_much_memory_is_undetermined() -> None:
    with Pool(task(Grant(memory=0, memory_per_octet=0)), workers=1) as pool:
        row = pool.judge(Item(name="large.pdf", path=""), good_record() + bytes(4_000_000))
    assert (row["indication"], row["messages"][0]["code"]) == ("INDETERMINATE", "LIMIT_EXCEEDED")


def test_killed_process_is_replaced() -> None:
    lonely = Worker(task())
    lonely.judge(Item(name="a.pdf", path=""), b"")
    lonely.close()
    assert lonely.judge(Item(name="b.pdf", path=""), b"")["indication"] == "NO-SIGNATURE"
    lonely.close()


def test_a_closed_pool_judges_nothing_more() -> None:
    pool = Pool(task(), workers=1)
    pool.close()
    with pytest.raises(RuntimeError, match="pool of verification processes is closed"):
        pool.judge(Item(name="a.pdf", path=""), b"")


def test_run_that_is_abandoned_ends_its_work(folder: Path) -> None:
    with Pool(task(), workers=1) as pool:
        rows = pool.run(find_items([str(folder)]))
        assert next(rows)["indication"] == "TOTAL-PASSED"
        rows.close()  # type: ignore[attr-defined]


def test_pool_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="0 workers, expected at least one"):
        Pool(task(), workers=0)


def test_limit_row_never_passes() -> None:
    assert limit_row(Item(name="x.pdf", path=""), "too long")["indication"] == "INDETERMINATE"


@pytest.mark.parametrize(
    ("document", "seconds"),
    [(b"", 2.0), (b"/ByteRange" * 3, 3.5), (bytes(10_000_000), 3.0), (b"/ByteRange" * 1000, 30.0)],
)
def test_time_granted_follows_signatures_and_size(document: bytes, seconds: float) -> None:
    assert GRANT.seconds_for(document) == pytest.approx(seconds, abs=0.01)
