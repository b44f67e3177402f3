from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.batches import Batches


class Doubling:
    """Notes its batches; the first one waits until told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.gate.wait(10)
        if 13 in numbers:
            raise ArithmeticError("thirteen")
        return [2 * number for number in numbers]


async def ask(batches: Batches[int, int], work: Doubling, numbers: Sequence[int]) -> list[int | BaseException]:
    """The first number alone; the others while it is worked on."""
    first = asyncio.create_task(batches.ask(numbers[0]))
    while not work.batches:
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(batches.ask(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    work.gate.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


@pytest.fixture
def work() -> Doubling:
    return Doubling()


def test_what_came_meanwhile_is_done_together_and_in_order(work: Doubling) -> None:
    found = asyncio.run(ask(Batches(work, name="test"), work, [1, 2, 3, 4]))
    assert found == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


def test_a_batch_has_a_bound(work: Doubling) -> None:
    asyncio.run(ask(Batches(work, name="test", most=2), work, [1, 2, 3, 4]))
    assert work.batches == [[1], [2, 3], [4]]


def test_a_failure_is_everybodys_in_the_batch_and_nobody_elses(work: Doubling) -> None:
    found = asyncio.run(ask(Batches(work, name="test", most=2), work, [1, 13, 3, 4]))
    assert [type(each) for each in found] == [int, ArithmeticError, ArithmeticError, int]


def test_whoever_gave_up_does_not_disturb_the_others(work: Doubling) -> None:
    async def run() -> int:
        batches = Batches(work, name="test")
        impatient = asyncio.create_task(batches.ask(1))
        await asyncio.sleep(0.01)
        impatient.cancel()
        patient = asyncio.create_task(batches.ask(2))
        await asyncio.sleep(0)
        work.gate.set()
        return await patient

    assert asyncio.run(run()) == 4


def test_nothing_is_done_for_those_who_went_while_they_waited(work: Doubling) -> None:
    async def run() -> int:
        batches = Batches(work, name="test")
        first = asyncio.create_task(batches.ask(1))
        while not work.batches:
            await asyncio.sleep(0.001)
        gone = [asyncio.create_task(batches.ask(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        patient = asyncio.create_task(batches.ask(4))
        await asyncio.sleep(0)
        work.gate.set()
        await first
        return await patient

    assert asyncio.run(run()) == 8
    assert work.batches == [[1], [4]]
