"""Sealing the log: signs a checkpoint over all that is committed, and keeps a copy of it outside the database.

Two checkpoints that one tree cannot explain would show to everybody that the log was rewritten. So the sealer first holds the checkpoints
that stand against the tree, and signs nothing where they do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from db.engine import Database
from db.errors import LogTamperedError
from db.log_tree import grow, root_at, sealed
from db.tables import log_head, log_seal
from pki.checkpoint import Checkpoint, CheckpointError, opened_checkpoint
from pki.durable import read_private, replace
from pki.note import MAX_NOTE, NoteError, NoteSigner

ADOPT = "if the database is to be believed, `eduseal log checkpoint --adopt` makes it anew"


class LogSealer:
    """`copy` is the file for the newest checkpoint. Several processes may seal at once; they wait for each other."""

    def __init__(self, database: Database, *, signer: NoteSigner, copy: Path) -> None:
        self._database = database
        self._signer = signer
        self._copy = copy

    @property
    def key(self) -> str:
        """The verifier key, as outsiders write it down."""
        return str(self._signer.key)

    def seal(self, *, adopt: bool = False) -> str:
        """The newest checkpoint, a signed note; a new one where entries have come since.

        Raises :class:`db.errors.LogTamperedError` where the log does not continue what was signed before, or the copy is missing
        (`adopt` makes it anew), and :class:`pki.errors.KeyStoreError` where the copy cannot be written.
        """
        standing = self._standing()
        if standing is not None:
            return standing
        with self._database.writing_alone() as connection:
            # 1. one sealer at a time; writers of entries go on, and what they commit from here on is for the next checkpoint
            before = sealed(connection, lock=True)
            size = int(connection.execute(sa.select(log_head.c.size)).scalar_one())
            # 2. keep the roots that are complete now
            grow(connection, old=before.size, new=size)
            # 3. what stands signed must be the beginning of this tree
            copied = self._copied()
            if before.note is not None and copied is None and not adopt:
                raise LogTamperedError(f"{self._copy} is missing; restore it from a backup, or, {ADOPT}")
            self._check(connection, size, {"the database": before.note, str(self._copy): copied})
            # 4. sign; the file first: all that it covers is committed, and a file that is ahead of the row is no contradiction
            note = Checkpoint(self._signer.key.name, size, root_at(connection, size)).signed(self._signer)
            replace(self._copy, note.encode())
            connection.execute(sa.update(log_seal).values(size=size, note=note))
        return note

    def _standing(self) -> str | None:
        """The newest checkpoint where it covers everything and its copy is in place."""
        with self._database.reading() as connection:
            found = sealed(connection)
            size = connection.execute(sa.select(log_head.c.size)).scalar_one()
        return found.note if found.note is not None and found.size == size and self._copied() == found.note else None

    def _copied(self) -> str | None:
        try:
            return read_private(self._copy, MAX_NOTE).decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise LogTamperedError(f"{self._copy} is no checkpoint; restore it from a backup") from None

    def _check(self, connection: sa.Connection, size: int, notes: Mapping[str, str | None]) -> None:
        for place, note in notes.items():
            if note is None:
                continue
            try:
                head = opened_checkpoint(note, self._signer.key)
            except (NoteError, CheckpointError) as exc:
                raise LogTamperedError(f"the checkpoint in {place} was not signed by this log: {exc}") from exc
            if head.size > size:
                raise LogTamperedError(f"the log has {size} entries, the checkpoint in {place} covers {head.size}: entries were removed")
            if root_at(connection, head.size) != head.root:
                raise LogTamperedError(f"the first {head.size} entries are not those of the checkpoint in {place}")
