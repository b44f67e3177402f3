"""Work for one thread, taken a batch at a time: what came while it was busy is done in one go, with one query for all of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

MOST = 64  # in one batch: bounds how long the last in line waits for the first

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batches(Generic[Question, Answer]):
    """`work` answers several questions, in order, and is called in a thread of its own; what it raises, every one of them raises.

    Under little load a question is a batch of its own. For one event loop.
    """

    def __init__(self, work: Callable[[Sequence[Question]], Sequence[Answer]], *, name: str, most: int = MOST) -> None:
        self._work = work
        self._most = most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: deque[tuple[Question, asyncio.Future[Answer]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._drain(loop))
        return await answer

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            taken = (self._waiting.popleft() for _ in range(min(self._most, len(self._waiting))))
            batch = [(question, waiting) for question, waiting in taken if not waiting.done()]  # whoever asked may have gone
            if not batch:
                continue
            try:
                answers = await loop.run_in_executor(self._thread, self._work, [question for question, _ in batch])
            except Exception as exc:
                for _, waiting in batch:
                    if not waiting.done():
                        waiting.set_exception(exc)
                continue
            for (_, waiting), answer in zip(batch, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)
