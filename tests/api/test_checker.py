from __future__ import annotations

import threading
from datetime import timedelta

import anyio
import pytest

from api.access import Attempts
from api.checker import Checker, plain_name
from api.crl_shelf import CrlShelf
from api.errors import Problem, slug_of, status_of
from config.house import House
from db.errors import DatabaseError, SchemaError
from pki.errors import WrongSecretError
from records.errors import AlreadySpentError, NotEntitledError
from signing.errors import EncryptedPdfError
from tests.api.conftest import Clock, FakeJudge


def test_more_uploads_than_can_wait_are_asked_to_come_back(house: House, judge: FakeJudge) -> None:
    judge.gate = threading.Event()
    checker = Checker(house, CrlShelf(house.crl_signers, clock=house.clock), judge, processes=1, waiting=1)
    refused: list[Problem] = []

    async def scene() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(checker.check, "a.pdf", b"a")
            tasks.start_soon(checker.check, "b.pdf", b"b")
            await anyio.wait_all_tasks_blocked()
            try:
                await checker.check("c.pdf", b"c")
            except Problem as problem:
                refused.append(problem)
            assert judge.gate is not None
            judge.gate.set()
        await checker.check("d.pdf", b"d")

    anyio.run(scene)
    assert [(problem.status, problem.slug, problem.headers) for problem in refused] == [(503, "busy", {"Retry-After": "5"})]
    assert sorted(name for name, *_ in judge.asked) == ["a.pdf", "b.pdf", "d.pdf"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("học bạ.pdf", "học bạ.pdf"),
        ("C:\\Users\\me\\r.pdf", "r.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\u202egpj.pdf\n", "agpj.pdf"),
        ("", "document.pdf"),
        ("/", "document.pdf"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_a_name_is_shown_without_path_and_tricks(sent: str, shown: str) -> None:
    assert plain_name(sent) == shown


def wrong(attempts: Attempts, holder: str = "t1") -> int | None:
    try:
        attempts.check(holder)
    except Problem as problem:
        return int(problem.headers["Retry-After"])
    return None


def test_five_wrong_pins_bring_a_pause_that_ends() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    assert [wrong(attempts) for _ in range(5)] == [None] * 5
    clock.moment += timedelta(minutes=10)
    assert wrong(attempts) == 301
    assert wrong(attempts, "t2") is None
    clock.moment += timedelta(minutes=5)
    assert wrong(attempts) is None


def test_a_right_pin_clears_the_count() -> None:
    attempts = Attempts(clock=Clock())
    for _ in range(4):
        attempts.check("t1")
    attempts.right("t1")
    assert [wrong(attempts) for _ in range(5)] == [None] * 5


def test_attempts_at_the_same_time_do_not_slip_past() -> None:
    attempts, passed = Attempts(clock=Clock()), []
    threads = [threading.Thread(target=lambda: passed.append(wrong(attempts) is None)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 5


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (WrongSecretError(), 403, "wrong-secret"),
        (NotEntitledError(), 403, "not-entitled"),
        (AlreadySpentError(), 409, "already-spent"),
        (EncryptedPdfError(), 422, "encrypted-pdf"),
        (SchemaError(), 503, "schema"),
        (DatabaseError(), 503, "database"),
    ],
)
def test_the_most_specific_class_of_an_error_decides(error: Exception, status: int, slug: str) -> None:
    assert (status_of(error), slug_of(error)) == (status, slug)


def test_an_error_that_is_none_of_ours_has_no_status() -> None:
    assert status_of(ValueError()) is None
