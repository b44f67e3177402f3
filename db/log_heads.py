"""What sealing and checking ask of checkpoints alike: that this log signed them, and that the log has not become shorter."""

from __future__ import annotations

from collections.abc import Mapping

from db.errors import LogTamperedError
from db.log_tree import Sealed
from pki.log.checkpoint import Checkpoint, CheckpointError, opened_checkpoint
from pki.log.note import NoteError, VerifierKey


def opened_heads(notes: Mapping[str, str | None], key: VerifierKey) -> dict[str, Checkpoint]:
    """The checkpoints in `notes`, by where each is kept; raises :class:`db.errors.LogTamperedError` where `key` has not signed one."""
    heads = {}
    for place, note in notes.items():
        try:
            if note is not None:
                heads[place] = opened_checkpoint(note, key)
        except (NoteError, CheckpointError) as exc:
            raise LogTamperedError(f"the checkpoint in {place} was not signed by this log: {exc}") from exc
    return heads


def check_seal(seal: Sealed, head: Checkpoint | None) -> None:
    """The size beside the database's own checkpoint is that checkpoint's; raises :class:`db.errors.LogTamperedError`."""
    covered = 0 if head is None else head.size
    if seal.size != covered:
        raise LogTamperedError(f"the log's seal says {seal.size} entries, the checkpoint in the database covers {covered}")


def check_covered(head: Checkpoint, place: str, *, size: int) -> None:
    """Raises :class:`db.errors.LogTamperedError` where a log of `size` entries is shorter than a checkpoint of it."""
    if head.size > size:
        raise LogTamperedError(f"the log has {size} entries, the checkpoint in {place} covers {head.size}: entries were removed")


def changed_past(head: Checkpoint, place: str) -> LogTamperedError:
    return LogTamperedError(f"the first {head.size} entries are not those of the checkpoint in {place}")
