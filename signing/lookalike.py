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
from collections.abc import Iterable, Iterator

from signing.pdf.document import Document, Revision
from signing.pdf.indirect import OBJECT
from signing.pdf.objects import Stream
from signing.verdict import Message

_EOL = rb"(?:\r\n|\n|\r)"
_CLOSING = re.compile(rb"[\t ]{0,8}" + _EOL + rb"{1,2}startxref" + _EOL + rb"[1-9][0-9]{0,9} ?" + _EOL + rb"%%EOF" + _EOL + rb"?")
_REMARK = re.compile(_EOL + rb"%[ -~]{1,80}(?=[\r\n])")  # some writers sign with their name between trailer and startxref
_WHITE = rb"[\x00\t\n\x0c\r ]"
# Runs over the octets in reverse, from the literal word: a comment is then an end of line and what stands before it up to a `%`.
_GAP = rb"(?:[\r\n][^\r\n]*%|" + _WHITE + rb")+"
_HEAD = re.compile(rb"jbo" + _GAP + rb"[0-9]++" + _GAP + rb"[0-9]")
_TRAILER = re.compile(rb"trailer(?:" + _WHITE + rb"++|%[^\r\n]*+)*+<<")


def review_lookalikes(document: Document, revision: Revision, offsets: Iterable[int], *, strict: bool) -> list[Message]:
    """Findings on one update, whose objects begin at `offsets`; unless `strict`, its writer may have signed it with a comment.

    Raises :class:`signing.errors.PdfError`.
    """
    data, bounds = document.data, (revision.start, revision.end)
    findings = []
    remark = None if strict else _REMARK.match(data, revision.close)
    if not _CLOSING.fullmatch(data, remark.end() if remark else revision.close, revision.end):
        text = f"revision {revision.index} is not closed by lines of startxref, offset and %%EOF, as every reader expects"
        findings.append(Message("CLOSING_MALFORMED", text))
    places = set(offsets) | ({revision.xref_offset} if revision.xref_kind == "stream" else set())
    expected = {b"obj": 0, b"endobj": len(places), b"endstream": 0, b"trailer": int(revision.xref_kind != "stream")}
    heads = set()
    for offset in places:
        head = OBJECT.match(data, offset)
        heads.add(head.end() if head else 0)
        expected[b"endstream"] += isinstance(document.object_at(offset, revision=revision.index)[1], Stream)
    counts = {
        b"obj": sum(end not in heads for end in _heads(data, *bounds)),
        b"endobj": data.count(b"endobj", *bounds),
        b"endstream": data.count(b"endstream", *bounds),
        b"trailer": sum(1 for _ in _TRAILER.finditer(data, *bounds)),
    }
    for word, count in counts.items():
        if count != expected[word]:
            text = f"revision {revision.index} holds {word.decode()} {count - expected[word]} times where no object ends or begins"
            findings.append(Message("HIDDEN_OBJECT", text))
    return findings


def _heads(data: bytes, start: int, end: int) -> Iterator[int]:
    """Where each `N G obj` ends that a reader could find in data[start:end]."""
    for match in _HEAD.finditer(data[start:end][::-1]):
        yield end - match.start()
