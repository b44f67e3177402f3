"""An update reads the same to readers that repair: nothing in it looks like an object but the objects that its cross-reference names.

A reader that stumbles over an update (a startxref that it does not find, a number that it finds odd) throws every cross-reference away and
gathers whatever looks like `N G obj` or a trailer, in streams and strings too; the last one wins. Validation data may be added after the
last signature by anybody, so that an object hidden in them would replace signed content there and nowhere else (attack class 7). Two walls:

1. the update is closed in the one way that every reader finds: startxref, offset and %%EOF, each in a line of its own, straight after the
   trailer;
2. `N G obj`, `endobj`, `endstream` and `trailer <<` stand only where the update's own structure has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from signing.changes.run import Run
from signing.pdf.document import Extent, Revision
from signing.pdf.indirect import OBJECT
from signing.verdict import Message

_EOL = rb"(?:\r\n|\n|\r)"
_CLOSING = re.compile(rb"[\t ]{0,8}" + _EOL + rb"{1,2}startxref" + _EOL + rb"[1-9][0-9]{0,9} ?" + _EOL + rb"%%EOF" + _EOL + rb"?")
_REMARK = re.compile(_EOL + rb"%[ -~]{1,80}(?=[\r\n])")  # some writers sign with their name between trailer and startxref
_WHITE = rb"[\x00\t\n\x0c\r ]"
# Runs over the octets in reverse, from the literal word: a comment is then an end of line and what stands before it up to a `%`.
_GAP = rb"(?:[\r\n][^\r\n]*%|" + _WHITE + rb")+"
_HEAD = re.compile(rb"jbo" + _GAP + rb"[0-9]++" + _GAP + rb"[0-9]")
_WORDS = (b"obj", b"endstream", b"trailer")
_TRAILER = re.compile(rb"trailer(?:" + _WHITE + rb"++|%[^\r\n]*+)*+<<")


def review_lookalikes(data: bytes, revision: Revision, placed: Mapping[int, Extent], run: Run | None, *, strict: bool) -> list[Message]:
    """Findings on one update, whose objects are `placed` (offset → extent) and those of the `run` before its cross-reference.

    Unless `strict`, its writer may have left a comment.
    """
    findings = []
    remark = None if strict else _REMARK.match(data, revision.close)
    if not _CLOSING.fullmatch(data, remark.end() if remark else revision.close, revision.end):
        text = f"revision {revision.index} is not closed by lines of startxref, offset and %%EOF, as every reader expects"
        findings.append(Message("CLOSING_MALFORMED", text))
    streams, trailers = sum(extent.is_stream for extent in placed.values()), int(revision.xref_kind != "stream")
    bounds = (revision.start, revision.end)
    if run is None:
        words = [data.count(word, *bounds) for word in _WORDS]
    else:  # a run holds the words that its structure has, and none reaches over its ends, which are a digit and a line feed
        beside = data[revision.start : revision.xref_offset - run.length] + b"\n" + data[revision.xref_offset : revision.end]
        words = list(map(beside.count, _WORDS))
    if words == [2 * len(placed), streams, trailers] and _apart(placed, revision):
        return findings  # each word is one that the structure has: it holds so many
    offsets = [*placed, *(revision.xref_offset - run.length + place for place in run.places)] if run else list(placed)
    heads = {head.end() for offset in offsets if (head := OBJECT.match(data, offset))}
    counts = {
        b"obj": (sum(end not in heads for end in _heads(data, *bounds)), 0),
        b"endobj": (data.count(b"endobj", *bounds), len(offsets)),
        b"endstream": (words[1], streams),
        b"trailer": (sum(1 for _ in _TRAILER.finditer(data, *bounds)), trailers),
    }
    for word, (count, expected) in counts.items():
        if count != expected:
            text = f"revision {revision.index} holds {word.decode()} {count - expected} times where no object ends or begins"
            findings.append(Message("HIDDEN_OBJECT", text))
    return findings


def _apart(placed: Mapping[int, Extent], revision: Revision) -> bool:
    """Whether every object has an `obj` and an `endobj` of its own inside the update."""
    ends = {extent.end for extent in placed.values()}
    return len(ends) == len(placed) and max(ends, default=0) <= revision.end


def _heads(data: bytes, start: int, end: int) -> Iterator[int]:
    """Where each `N G obj` ends that a reader could find in data[start:end]."""
    for match in _HEAD.finditer(data[start:end][::-1]):
        yield end - match.start()
