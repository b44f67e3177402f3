"""Checkpoints and proofs of a transparency log: c2sp.org/tlog-checkpoint and c2sp.org/tlog-proof. Pure: text in, values out."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from pki.errors import PkiError
from pki.log.merkle import HASH_OCTETS, leaf_hash, verify_inclusion
from pki.log.note import MAX_NOTE, NoteSigner, VerifierKey

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = 64  # hashes: a tree of 2^64 leaves
MAX_EXTRA = 1024 * 1024  # octets
MAX_PROOF_TEXT = MAX_NOTE + 2 * MAX_EXTRA  # characters

_NUMBER = re.compile("0|[1-9][0-9]{0,18}")


class CheckpointError(PkiError):
    """A text is no checkpoint or no proof of the expected log."""


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: which log, how many leaves, and the root over them (32 octets)."""

    origin: str
    size: int
    root: bytes

    def signed(self, signer: NoteSigner) -> str:
        """The note that the log publishes; the signer's name is the origin."""
        return signer.signed(f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n")


@dataclass(frozen=True)
class LogProof:
    """That a leaf is in a log. `extra` is not authenticated by itself: what the leaf is made of."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    """The signed note, verbatim."""
    extra: bytes = b""

    def text(self) -> str:
        """As a `.tlog-proof` file has it."""
        extra = [f"extra {_encoded(self.extra)}"] if self.extra else []
        lines = [PROOF_HEADER, *extra, f"index {self.index}", *map(_encoded, self.hashes), "", ""]
        return "\n".join(lines) + self.checkpoint

    def verify(self, leaf: bytes, key: VerifierKey) -> Checkpoint:
        """The checkpoint that covers leaf data `leaf`; raises NoteError, CheckpointError, :class:`pki.log.merkle.ProofError`."""
        head = opened_checkpoint(self.checkpoint, key)
        verify_inclusion(self.index, head.size, leaf=leaf_hash(leaf), proof=self.hashes, root=head.root)
        return head


def opened_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """A checkpoint that `key` has signed for the log of its name; raises :class:`pki.log.note.NoteError` or CheckpointError."""
    origin, *lines = key.opened(note).removesuffix("\n").split("\n")
    if origin != key.name:
        raise CheckpointError(f"checkpoint: it is of the log {origin[:80]!r}, expected {key.name!r}")
    root = _hash(lines[1]) if len(lines) >= 2 else None  # further lines are extensions
    if root is None or not _NUMBER.fullmatch(lines[0]):
        raise CheckpointError("checkpoint: expected origin, size and root hash, one a line")
    return Checkpoint(origin, int(lines[0]), root)


def read_proof(text: str) -> LogProof:
    """Reads a `.tlog-proof` file; raises :class:`CheckpointError`. Nothing is verified yet."""
    if len(text) > MAX_PROOF_TEXT:
        raise CheckpointError(f"proof: it has more than {MAX_PROOF_TEXT} characters")
    head, gap, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != PROOF_HEADER or not gap:
        raise CheckpointError(f"proof: expected a first line {PROOF_HEADER!r}, and a checkpoint after an empty line")
    extra: bytes | None = b""
    if lines and lines[0].startswith("extra "):
        extra = _decoded(lines.pop(0).removeprefix("extra "))
    index = lines.pop(0).removeprefix("index ") if lines and lines[0].startswith("index ") else ""
    hashes = [found for line in lines[: MAX_PROOF + 1] if (found := _hash(line)) is not None]
    if extra is None or not _NUMBER.fullmatch(index) or len(hashes) != len(lines):
        raise CheckpointError(f"proof: expected `index N` and at most {MAX_PROOF} hashes, one a line")
    return LogProof(int(index), tuple(hashes), checkpoint, extra)


def _hash(text: str) -> bytes | None:
    found = _decoded(text)
    return found if found is not None and len(found) == HASH_OCTETS else None


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
