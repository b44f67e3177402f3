"""OCSP answers ready to be sent again, for as long as it is known that no status has changed.

Somebody must keep saying so (:mod:`api.status_watch`): what nobody has confirmed for :data:`TRUSTED_SECONDS` is not handed out, so that a
revocation shows within a second of its commit in every process, and a process that cannot see the books gives no kept answer at all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.types import Message

from pki.status.ocsp_answer import OcspAnswer

Headers = list[tuple[bytes, bytes]]

TRUSTED_SECONDS = 0.8  # after the beginning of the look at the books that confirmed it; docs/cps.md 4.9.7
MAX_ANSWERS = 16_384  # of about 2 kB each
MAX_PATH = 1024  # characters; longer requests are answered, not kept
MAX_AGE = timedelta(minutes=10)  # in other people's caches; docs/cps.md 2.3
KEPT = timedelta(hours=1)  # in ours

NOT_KEPT: Headers = [(b"cache-control", b"no-store")]


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """ASGI messages. Given again from `since` to `until`, aware UTC; others may keep the answer for :data:`MAX_AGE` more."""

    start: Message
    body: Message
    unchanged: Message
    etag: bytes
    since: datetime
    until: datetime


class OcspCache:
    """Answers by request path. For one event loop."""

    def __init__(
        self, *, most: int = MAX_ANSWERS, trusted: float = TRUSTED_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._trusted = trusted
        self._monotonic = monotonic
        self._answers: dict[str, ReadyAnswer] = {}
        self._trusted_until = float("-inf")
        self.generation = 0
        """Rises with every change: an answer that was begun before one is not kept after it."""

    def get(self, path: str, *, now: datetime) -> ReadyAnswer | None:
        found = self._answers.get(path)
        # before `since`: the answer was made while the clock was ahead, and is one from the future for whoever checks it
        if found is None or not found.since <= now < found.until or self._monotonic() >= self._trusted_until:
            return None
        return found

    def put(self, path: str, answer: ReadyAnswer, *, generation: int) -> None:
        """`generation` is what it was before the books were asked."""
        if generation != self.generation or len(path) > MAX_PATH:
            return
        self._answers.pop(path, None)
        while len(self._answers) >= self._most:
            del self._answers[next(iter(self._answers))]  # the oldest
        self._answers[path] = answer

    def confirm(self, *, as_of: float) -> None:
        """Nothing that is kept had changed at `as_of`, on the monotonic clock."""
        self._trusted_until = as_of + self._trusted

    def clear(self) -> None:
        """Something changed."""
        self._answers.clear()
        self.generation += 1

    def __len__(self) -> int:
        return len(self._answers)


def cache_headers(answer: OcspAnswer, *, now: datetime) -> tuple[Headers, datetime | None]:
    """RFC 5019 section 6.2, and until when we may send the same again: None where nobody may keep it."""
    if not answer.cacheable or answer.this_update is None or answer.next_update is None:
        return NOT_KEPT, None
    left = answer.next_update - now
    if left < timedelta(seconds=2):
        return NOT_KEPT, None
    # whoever gets it from us at the last moment, and keeps it as long as they may, still has it before nextUpdate
    age = int(min(MAX_AGE, left / 2).total_seconds())
    headers = [
        (b"cache-control", f"max-age={age}, public, no-transform, must-revalidate".encode()),
        (b"last-modified", _http_date(answer.this_update)),
        (b"expires", _http_date(answer.next_update)),
        (b"etag", f'"{hashlib.sha256(answer.der).hexdigest()}"'.encode()),
    ]
    return headers, now + min(KEPT, left / 2)


def ready(answer: OcspAnswer, *, media_type: bytes, now: datetime) -> tuple[ReadyAnswer, bool]:
    """The answer as it is sent, and whether it may be kept."""
    headers, until = cache_headers(answer, now=now)
    size = (b"content-length", str(len(answer.der)).encode())
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type), size, *headers]}
    unchanged = {"type": "http.response.start", "status": 304, "headers": headers}
    etag = dict(headers).get(b"etag", b"")
    body = {"type": "http.response.body", "body": answer.der}
    return ReadyAnswer(start, body, unchanged, etag, answer.this_update or now, until or now), until is not None


def _http_date(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()
