"""An authority's public log, checked with nothing but what its addresses give (docs/log.md) and its key."""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from cli.main import IO, UsageError
from pki.log.checkpoint import Checkpoint, opened_checkpoint
from pki.log.merkle import Frontier, ProofError, leaf_hash, verify_consistency
from pki.log.note import VerifierKey

SECONDS = 30.0  # that an answer may take
MAX_ANSWER = 1024 * 1024  # octets
LEAVES = 1000  # asked for at a time
AGENT = "eduseal"


class RemoteLog:
    """The addresses under `/log`."""

    def __init__(self, url: str) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"URL is {url[:80]!r}, expected http://… or https://… up to /log")
        self._url = url

    def checkpoint(self) -> str:
        return self._get("/checkpoint").decode("utf-8", "replace")

    def leaves(self, size: int) -> Iterator[bytes]:
        start = 0
        while start < size:
            found = self._hashes(f"/leaves?start={start}&end={min(size, start + LEAVES)}", "leaves")
            if not found:
                raise ProofError(f"the log does not hand out its leaf {start} of {size}")
            yield from found
            start += len(found)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return self._hashes(f"/proof/consistency?from={old}&to={new}", "hashes")

    def _hashes(self, path: str, member: str) -> list[bytes]:
        try:
            found: Any = json.loads(self._get(path))[member]
            return [base64.b64decode(each, validate=True) for each in found]
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            raise UsageError(f"{self._url}{path} does not answer as a log does", status=IO) from None

    def _get(self, path: str) -> bytes:
        request = urllib.request.Request(self._url + path, headers={"User-Agent": AGENT})  # noqa: S310 (checked above)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                content: bytes = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as exc:
            exc.close()
            raise UsageError(f"{self._url}{path} answers with status {exc.code}", status=IO) from None
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise UsageError(f"{self._url} cannot be reached ({type(exc).__name__})", status=IO) from exc
        if len(content) > MAX_ANSWER:
            raise UsageError(f"{self._url}{path} answers with more than {MAX_ANSWER} octets", status=IO)
        return content


def check_remote(log: RemoteLog, key: VerifierKey, kept: Mapping[str, Checkpoint]) -> tuple[str, Checkpoint]:
    """The newest checkpoint, as note and value: signed by `key`, its root that of all leaves, a continuation of every one in `kept`.

    Raises :class:`pki.log.merkle.ProofError`, :class:`pki.log.note.NoteError`, :class:`pki.log.checkpoint.CheckpointError`, and UsageError
    where the log cannot be reached.
    """
    note = log.checkpoint()
    head = opened_checkpoint(note, key)
    for place, old in kept.items():
        if old.size > head.size:
            raise ProofError(f"the log shows {head.size} entries, the checkpoint in {place} covers {old.size}: entries were removed")
        if old.size > 0:
            proof = log.consistency(old.size, head.size)
            try:
                verify_consistency(old.size, head.size, old_root=old.root, new_root=head.root, proof=proof)
            except ProofError as exc:
                raise ProofError(f"the log does not continue the checkpoint in {place} ({exc})") from None
    frontier = Frontier()
    for leaf in log.leaves(head.size):
        frontier.append(leaf_hash(leaf))
    if frontier.size != head.size or frontier.root() != head.root:
        raise ProofError(f"the log's {head.size} leaves are not those of its checkpoint")
    return note, head
