from __future__ import annotations

import threading

import anyio
import pytest

from api.checker import Checker, plain_name
from api.crl_shelf import CrlShelf
from api.errors import Problem, slug_of, status_of
from config.house import House
from db.errors import DatabaseError, SchemaError
from pki.errors import WrongSecretError
from records.errors import AlreadySpentError, NotEntitledError, PinLockedError
from signing.errors import EncryptedPdfError
from tests.api.conftest import FakeJudge


def test_more_uploads_than_can_wait_are_asked_to_come_back(house: House, judge: FakeJudge) -> None:
    judge.gate = threading.Event()
    checker = Checker(house, CrlShelf(house.publisher, clock=house.clock), judge, processes=1, waiting=1)
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


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (WrongSecretError(), 403, "wrong-secret"),
        (NotEntitledError(), 403, "not-entitled"),
        (PinLockedError(), 423, "pin-locked"),
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
