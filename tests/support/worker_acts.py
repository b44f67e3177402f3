"""What stands in for a worker process: some that lie or die at a document of a certain name, and are honest about all others."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from signing.bulk.intake import Item
from signing.bulk.wire import began_line, limit_row, loading_line, read_requests, ready_line, row_line
from signing.bulk.worker import Task

MARK = "marked"  # a document whose name holds this is answered by the act
Act = Callable[[int, Item], bytes]


def _perform(channel: Connection, act: Act) -> None:
    os.write(channel.fileno(), ready_line())
    with open(channel.fileno(), "rb", closefd=False) as stream:
        for number, (item, _) in enumerate(read_requests(stream)):
            left = memoryview(act(number, item) if MARK in item.name else honest(number, item))
            while left:
                left = left[os.write(channel.fileno(), left) :]


def honest(number: int, item: Item) -> bytes:
    """A row that tells which process made it."""
    row = limit_row(item, "") | {"messages": [{"code": "PID", "text": str(os.getpid())}]}
    return began_line(number, 1.0) + row_line(number, item, row)


def only_honest(channel: Connection, task: Task) -> None:
    _perform(channel, honest)


def loads(number: int, item: Item) -> bytes:
    return began_line(number, 1.0) + loading_line(number) + honest(number, item)


def loading_once(channel: Connection, task: Task) -> None:
    _perform(channel, loads)


def killed(channel: Connection, task: Task) -> None:
    _perform(channel, lambda number, item: os.kill(os.getpid(), signal.SIGKILL) or b"")


def dead_at_start(channel: Connection, task: Task) -> None:
    os._exit(3)


class DeadAtFirst:
    """Ends at its first starts, as many as it is told, of which it keeps count in a file; then it is honest."""

    def __init__(self, starts: int, count: Path) -> None:
        self._starts, self._count = starts, count

    def __call__(self, channel: Connection, task: Task) -> None:
        with self._count.open("a+b") as file:
            file.write(b".")
            file.flush()
            if file.tell() <= self._starts:
                os.kill(os.getpid(), signal.SIGKILL)
        _perform(channel, honest)


def _row(number: int, item: Item, **changed: object) -> bytes:
    return json.dumps({"item": number, "row": limit_row(item, "") | changed}).encode() + b"\n"


LIES: dict[str, Act] = {
    "more time than there is": lambda number, item: began_line(number, 1e9),
    "no number of seconds": lambda number, item: began_line(number, float("nan")).replace(b"nan", b"NaN"),
    "true seconds": lambda number, item: b'{"item": %d, "seconds": true}\n' % number,
    "a second beginning": lambda number, item: began_line(number, 1.0) * 2,
    "loading before its beginning": lambda number, item: loading_line(number),
    "loading twice": lambda number, item: (began_line(number, 1.0) + loading_line(number)) * 2 + began_line(number, 1.0),
    "the next document's row": lambda number, item: _row(number + 1, item),
    "another document's name": lambda number, item: _row(number, item, file="another.pdf"),
    "no indication of ours": lambda number, item: _row(number, item, indication="GENUINE"),
    "messages that are none": lambda number, item: _row(number, item, messages=None),
    "a row with more in it": lambda number, item: _row(number, item, advice="trust me"),
    "a row that is none": lambda number, item: b'{"item": %d, "row": 1}\n' % number,
    "no object": lambda number, item: b"[]\n",
    "no JSON": lambda number, item: b"cos\nsystem\n(S'true'\ntR.\n",
    "no text": lambda number, item: b"\xff\xfe\n",
    "a deep nest": lambda number, item: b"[" * 100_000 + b"\n",
    "a line without an end": lambda number, item: bytes(20 * 1024 * 1024).replace(b"\0", b" "),
}


class Liar:
    """`Pool(..., serve=Liar("no JSON"))`."""

    def __init__(self, lie: str) -> None:
        self.lie = lie

    def __call__(self, channel: Connection, task: Task) -> None:
        _perform(channel, LIES[self.lie])


class Talkative:
    """Answers on a document that it was not handed, right behind the last one that it was."""

    def __call__(self, channel: Connection, task: Task) -> None:
        _perform(channel, lambda number, item: honest(number, item) + honest(number + 1, Item("more.pdf", "")))
