"""Documents that are handed out together: what one does to its process costs its own row, and nobody else's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from signing.bulk.handler import STARTS
from signing.bulk.intake import Item, find_items
from signing.bulk.pool import AHEAD, Pool
from signing.bulk.worker import Task
from signing.verifying.grant import GRANT, Grant
from tests.corpus import all_cases
from tests.corpus.good import JUDGED, built, corpus_trust
from tests.support.many_signers import added_signatures
from tests.support.verify_cases import ADES, RECORD, exported, good_record, standing_house
from tests.support.worker_acts import LIES, MARK, DeadAtFirst, Liar, Talkative, dead_at_start, killed, loading_once, only_honest

COUNT = 2 * AHEAD + 7  # more than is handed out at once
PLACES = (20, 21, 40)  # of the hostile ones: two beside each other, and one behind that a fresh process meets


def task(grant: Grant = GRANT) -> Task:
    good_record()  # its making moves the clock
    house = standing_house()
    return Task(policy=RECORD, trust=house.trust, at=house.now, grant=grant)


def items(place: Path, *, hostile: bytes, other: bytes, count: int = COUNT) -> Iterator[Item]:
    for number in range(count):
        (place / f"{number:03}.pdf").write_bytes(hostile if number in PLACES else other)
    return find_items([str(place)])


def named(count: int, *marked: int) -> list[Item]:
    return [Item(name=f"{number}-{MARK if number in marked else 'plain'}.pdf", path="") for number in range(count)]


def codes(row: dict[str, object]) -> list[str]:
    messages = row["messages"]
    assert isinstance(messages, list)
    return [message["code"] for message in messages]


# --- real documents, real processes


def test_document_that_overruns_in_the_middle_costs_its_own_row(tmp_path: Path) -> None:
    slow = added_signatures(32, count=1)  # two seconds with the second verifier
    grant = Grant(seconds=0.4, seconds_per_signature=0.0, patience=100.0)
    judged = Task(policy=ADES, trust=slow.trust, at=slow.at, grant=grant)
    with Pool(judged, workers=2) as pool:
        rows = list(pool.run(items(tmp_path, hostile=slow.documents[0], other=exported())))
    assert [Path(row["file"]).name for row in rows] == [f"{number:03}.pdf" for number in range(COUNT)]
    assert [number for number, row in enumerate(rows) if row["indication"] != "NO-SIGNATURE"] == list(PLACES)
    assert all("takes longer than the 0.4 s granted to it" in rows[number]["messages"][0]["text"] for number in PLACES)


def test_document_that_exhausts_its_memory_in_the_middle_costs_its_own_row(tmp_path: Path) -> None:
    (bomb,) = (built(case) for case in all_cases() if case.id == "36-double-flate")
    judged = Task(policy=RECORD, trust=corpus_trust(), at=JUDGED, grant=Grant(memory=16 * 1024 * 1024))
    with Pool(judged, workers=2) as pool:
        rows = list(pool.run(items(tmp_path, hostile=bomb, other=b"%PDF-1.7 and no more")))
    assert [number for number, row in enumerate(rows) if codes(row) == ["LIMIT_EXCEEDED"]] == list(PLACES)
    assert all("want of the memory granted to it" in rows[number]["messages"][0]["text"] for number in PLACES)
    assert len(rows) == COUNT


def test_process_killed_in_the_middle_costs_the_row_in_hand(tmp_path: Path) -> None:
    with Pool(task(), workers=1) as pool:
        rows = []
        for row in pool.run(items(tmp_path, hostile=b"", other=good_record())):
            if not rows:
                (worker,) = pool._all
                os.kill(worker.pid or 0, signal.SIGKILL)
            rows.append(row)
    assert [Path(row["file"]).name for row in rows] == [f"{number:03}.pdf" for number in range(COUNT)]
    assert [codes(row) for row in rows].count(["LIMIT_EXCEEDED"]) == 1


def test_reading_that_does_not_end_is_bounded_before_anything_is_granted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")  # find_items would pass it over
    with Pool(task(Grant(most_seconds=0.2, patience=1.0)), workers=1) as pool:
        rows = list(pool.run([Item("pipe.pdf", str(tmp_path / "pipe.pdf")), Item("gone.pdf", str(tmp_path / "gone.pdf"))]))
    assert [codes(row) for row in rows] == [["LIMIT_EXCEEDED"], ["NOT_READABLE"]]
    assert "longer than the 0.2 s granted" in rows[0]["messages"][0]["text"]


# --- processes that are not what they should be


@pytest.mark.parametrize("lie", LIES)
def test_lie_of_a_process_costs_the_row_it_was_told_about(lie: str) -> None:
    with Pool(task(), workers=1, serve=Liar(lie)) as pool:
        rows = list(pool.run(named(9, 3)))
    assert [codes(row) for row in rows] == [["PID"]] * 3 + [["LIMIT_EXCEEDED"]] + [["PID"]] * 5
    assert "answered what no process of ours answers" in rows[3]["messages"][0]["text"]


def test_second_verifier_may_be_loaded_once_in_a_process() -> None:
    with Pool(task(), workers=1, serve=loading_once) as pool:
        rows = list(pool.run(named(9, 3, 5, 6)))
    assert [codes(row)[0] for row in rows] == ["PID"] * 5 + ["LIMIT_EXCEEDED"] + ["PID"] * 3
    assert rows[3]["messages"] == rows[4]["messages"] != rows[6]["messages"]  # the second wish ended the process


def test_row_that_was_not_asked_for_is_not_taken() -> None:
    with Pool(task(), workers=1, serve=Talkative()) as pool:
        (row,) = pool.run(named(1, 0))
        assert codes(row) == ["PID"]
        assert pool.judge(Item(name="next.pdf", path=""))["file"] == "next.pdf"


def test_processes_that_die_at_every_other_document_keep_the_order() -> None:
    marked = range(1, 40, 2)
    with Pool(task(), workers=3, serve=killed) as pool:
        rows = list(pool.run(named(40, *marked)))
    assert [row["file"] for row in rows] == [item.name for item in named(40, *marked)]
    assert [codes(row) for row in rows] == [["PID"], ["LIMIT_EXCEEDED"]] * 20


def test_process_that_does_not_start_is_an_error_of_the_system() -> None:
    with Pool(task(), workers=1, serve=dead_at_start) as pool, pytest.raises(OSError, match="a verification process did not start"):
        list(pool.run(named(2)))


def test_process_that_is_killed_while_it_starts_is_replaced_and_costs_no_row(tmp_path: Path) -> None:
    with Pool(task(), workers=1, serve=DeadAtFirst(STARTS - 1, tmp_path / "starts")) as pool:
        rows = list(pool.run(named(5)))
    assert [(row["file"], codes(row)) for row in rows] == [(item.name, ["PID"]) for item in named(5)]


def test_processes_that_one_after_the_other_do_not_start_are_no_more_than_three(tmp_path: Path) -> None:
    with (
        Pool(task(), workers=1, serve=DeadAtFirst(STARTS, tmp_path / "starts")) as pool,
        pytest.raises(OSError, match="a verification process did not start"),
    ):
        list(pool.run(named(2)))
    assert (tmp_path / "starts").stat().st_size == STARTS


# --- few and many


@pytest.mark.parametrize(("count", "workers"), [(2, 2), (3, 2), (5, 4)])
def test_small_batch_is_shared_by_all_workers(count: int, workers: int) -> None:
    with Pool(task(), workers=workers, serve=only_honest) as pool:
        rows = list(pool.run(named(count)))
    assert len({row["messages"][0]["text"] for row in rows}) == workers


def test_items_are_not_drawn_far_ahead_of_the_rows() -> None:
    drawn = 0

    def endless() -> Iterator[Item]:
        nonlocal drawn
        while True:
            drawn += 1
            yield Item(name=f"{drawn}.pdf", path="")

    with Pool(task(), workers=2, serve=only_honest) as pool:
        rows = pool.run(endless())
        for number in range(1, 1000):
            assert next(rows)["file"] == f"{number}.pdf"
            assert drawn - number <= 4 * AHEAD
        rows.close()  # type: ignore[attr-defined]


def test_pause_is_called_before_anyone_waits() -> None:
    pauses = []
    with Pool(task(), workers=1, serve=only_honest) as pool:
        seen = []
        for row in pool.run(named(5), pause=lambda: pauses.append(len(seen))):
            seen.append(row)
    assert pauses[0] == 0
    assert len(seen) == 5


# --- closing


def test_closing_during_a_run_ends_it_and_its_processes() -> None:
    pool = Pool(task(), workers=2, serve=only_honest)
    rows = pool.run(named(10_000))
    next(rows)
    pids = [worker.pid for worker in pool._all]
    pool.close()
    with pytest.raises(RuntimeError, match="the pool of verification processes is closed"):
        list(rows)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert pool._all == []


def test_single_documents_are_judged_while_a_run_goes_on() -> None:
    with Pool(task(), workers=1, serve=only_honest) as pool:
        for number, row in enumerate(pool.run(named(3))):
            assert row["file"] == f"{number}-plain.pdf"
            assert pool.judge(Item(name="upload.pdf", path=""), b"%PDF")["file"] == "upload.pdf"


def test_processes_are_kept_for_the_next_run() -> None:
    with Pool(task(), workers=1, serve=only_honest) as pool:
        first, second = (list(pool.run(named(2))) for _ in range(2))
    assert {row["messages"][0]["text"] for row in first} == {row["messages"][0]["text"] for row in second}
