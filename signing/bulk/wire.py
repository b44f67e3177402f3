"""What a worker process and its parent say to each other: JSON, one value a line.

The parent hands out documents, several at a time: `[[name, path, member, size, octets], …]`, where `octets` follow the line for a document
that is at hand and null stands for one that is to be read. The worker answers about one after the other:

    {"ready": true}                     once, when documents may be judged
    {"item": 17, "seconds": 2.6}        document 17 of this process is read, and this is granted to judge it
    {"item": 17, "loading": true}       it needs the second verifier, which is loaded first, once in a process, and then is begun anew
    {"item": 17, "row": {...}}          its row

What a worker says may have been shaped by a document. So a line has a bound, nothing but JSON is read, documents are answered in the order
in which they were handed out, under the names that they were handed out by, and nobody grants himself more than there is to grant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from signing.bulk.intake import Item
from signing.reports.summary import Row
from signing.verdict import Entitlement, Indication, Message, Verdict

MAX_ROW = 4 * 1024 * 1024  # octets; two hundred signatures with twenty findings each have some 2 MB
MAX_LINE = MAX_ROW + 1024


class ForgedError(Exception):
    """A worker process said what an honest one does not say."""


def limit_row(item: Item, text: str) -> Row:
    """The row of a document that could not be judged within its limits: never a pass, never a claim that it is bad."""
    return unjudged("LIMIT_EXCEEDED", f"{text}; look at this document by hand").as_dict(item.name)


def unjudged(code: str, text: str, *, sha256: str = "") -> Verdict:
    return Verdict(
        sha256=sha256,
        indication=Indication.INDETERMINATE,
        sub_indication=None,
        entitlement=Entitlement.UNKNOWN,
        messages=(Message(code, text),),
    )


_JSON = json.JSONDecoder()
_FIELDS = unjudged("", "").as_dict("").keys()
_INDICATIONS = frozenset(indication.value for indication in Indication)


Handed = tuple[Item, bytes | None]
"""A document to judge: its octets, or None where the item names what is to be read."""


def request(handed: Sequence[Handed]) -> list[bytes]:
    """What hands these documents out, in pieces to be sent one after the other."""
    told = [(item.name, item.path, item.member, item.size, None if data is None else len(data)) for item, data in handed]
    return [json.dumps(told).encode() + b"\n", *(data for _, data in handed if data)]


def read_requests(stream: BinaryIO) -> Iterator[Handed]:
    """The documents handed out on `stream`, one by one, until it ends."""
    while line := stream.readline():
        for name, path, member, size, octets in json.loads(line):
            yield Item(name, path, member, size), None if octets is None else stream.read(octets)


def ready_line() -> bytes:
    return b'{"ready": true}\n'


def began_line(number: int, seconds: float) -> bytes:
    return b'{"item": %d, "seconds": %r}\n' % (number, seconds)


def loading_line(number: int) -> bytes:
    return b'{"item": %d, "loading": true}\n' % number


def row_line(number: int, item: Item, row: Row) -> bytes:
    """A row that is too long for a line is replaced: its document is one to look at by hand."""
    text = json.dumps(row).encode()
    if len(text) > MAX_ROW:
        text = json.dumps(limit_row(item, f"its report has {len(text)} octets, more than {MAX_ROW}")).encode()
    return b'{"item": %d, "row": %b}\n' % (number, text)


class Lines:
    """Octets in, lines out. Raises :class:`ForgedError` for a line that does not end."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, rest = (self._rest + data if self._rest else data).split(b"\n")
        if len(rest) > MAX_LINE:
            raise ForgedError(f"a line of more than {MAX_LINE} octets")
        self._rest = rest
        return lines


def read_line(line: bytes) -> dict[str, Any]:
    """The object on a line; raises :class:`ForgedError`."""
    try:
        found = _JSON.decode(line.decode())
    except (ValueError, RecursionError) as exc:
        raise ForgedError("a line that is no JSON") from exc
    if not isinstance(found, dict):
        raise ForgedError("a line that is no object")
    return found


def read_row(answer: dict[str, Any], number: int, item: Item) -> Row | None:
    """The row that `answer` brings for `item`, the `number`th of its process; None for its start. Raises :class:`ForgedError`."""
    if type(answer.get("item")) is not int or answer["item"] != number:
        raise ForgedError(f"an answer on another document than {number}, whose turn it is")
    if (row := answer.get("row")) is None:
        return None
    if not isinstance(row, dict) or row.keys() != _FIELDS:
        raise ForgedError("a row that is not made like one")
    if row["file"] != item.name:
        raise ForgedError("a row under another name than its document's")
    if row["indication"] not in _INDICATIONS or not all(isinstance(row[name], list) for name in ("signatures", "timestamps", "messages")):
        raise ForgedError("a row that is not made like one")
    return row


def read_seconds(answer: dict[str, Any], most: float) -> float:
    """The time granted to a document that was begun; raises :class:`ForgedError` for more than `most`."""
    seconds = answer.get("seconds")
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 <= seconds <= most:
        raise ForgedError(f"a grant that is not between 0 and {most} s")
    return float(seconds)
