"""Sealing the log: signs a checkpoint over all that is committed, and keeps a copy of it outside the database.

Two checkpoints that one tree cannot explain would show to everybody that the log was rewritten. So the sealer first holds the checkpoints
that stand against the tree, and signs nothing where they do not fit.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from db.engine import Database
from db.errors import LogTamperedError
from db.log_heads import changed_past, check_covered, check_seal, opened_heads
from db.log_tree import StoredNodes, grow, sealed
from db.tables_log import log_head, log_seal
from pki.durable import read_private, replace
from pki.log.checkpoint import Checkpoint, CheckpointError, opened_checkpoint
from pki.log.merkle import subtree_hash
from pki.log.note import MAX_NOTE, NoteError, NoteSigner

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

        Raises :class:`db.errors.LogTamperedError` where the log does not continue what was signed before, or the copy is missing,
        and :class:`pki.errors.KeyStoreError` where it cannot be written. Where the copy is missing `adopt` believes the database, even
        one whose checkpoint another key has signed, and makes the copy anew.
        """
        standing = self._standing()
        if standing is not None:
            return standing
        with self._database.writing_alone() as connection:
            # 1. one sealer at a time; writers of entries go on, and what they commit from here on is for the next checkpoint
            before = sealed(connection, lock=True)
            size = int(connection.execute(sa.select(log_head.c.size)).scalar_one())
            # 2. what stands was signed by this log
            copied = self._copied()
            if before.note is not None and copied is None and not adopt:
                raise LogTamperedError(f"{self._copy} is missing; restore it from a backup, or, {ADOPT}")
            heads = self._heads(before.note, copied, adopt=adopt and copied is None)
            if "the database" in heads or not adopt:
                check_seal(before, heads.get("the database"))
            # 3. keep the roots that are complete now; what was signed must be the beginning of this tree
            grow(connection, old=before.size, new=size)
            nodes = StoredNodes(connection)
            for place, head in heads.items():
                check_covered(head, place, size=size)
                if subtree_hash(0, head.size, nodes) != head.root:
                    raise changed_past(head, place)
            # 4. sign; the file first: all that it covers is committed, and a file that is ahead of the row is no contradiction
            note = Checkpoint(self._signer.key.name, size, subtree_hash(0, size, nodes)).signed(self._signer)
            replace(self._copy, note.encode())
            connection.execute(sa.update(log_seal).values(size=size, note=note))
        return note

    def _standing(self) -> str | None:
        """The newest checkpoint where it covers everything and its copy is in place."""
        with self._database.reading() as connection:
            found = sealed(connection)
            size = connection.execute(sa.select(log_head.c.size)).scalar_one()
        if found.note is None or found.size != size or self._copied() != found.note:
            return None
        try:
            return found.note if opened_checkpoint(found.note, self._signer.key).size == size else None
        except (NoteError, CheckpointError):
            return None  # the long way says why

    def _heads(self, own: str | None, copied: str | None, *, adopt: bool) -> dict[str, Checkpoint]:
        try:
            return opened_heads({"the database": own, str(self._copy): copied}, self._signer.key)
        except LogTamperedError:
            if adopt:
                return {}  # the log's key was lost together with the copy: a new one begins here
            raise

    def _copied(self) -> str | None:
        try:
            return read_private(self._copy, MAX_NOTE).decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise LogTamperedError(f"{self._copy} is no checkpoint; restore it from a backup") from None
