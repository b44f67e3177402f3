"""Files that no row names: what a process that was killed between a document's file and its commit leaves, or between a commit and the
removal of the file that it replaced. They are moved into a folder of their own, never deleted.

A file may be set aside only while nobody is about to name it. Who saves a document writes to `records` or `documents` before the file
gets its name, and holds that until the commit; so here both tables are locked (SQLite has one writer anyway) while rows and the file's age
are looked at again and the file is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import sqlalchemy as sa

from db import log
from db.content import ContentFolder
from db.engine import Database
from db.tables_records import documents

AGE = timedelta(days=1)  # a file younger than this may belong to a transaction that is under way
PIECE = 500  # files looked up and moved at a time: nothing can be signed meanwhile


@dataclass(frozen=True)
class Orphans:
    """`files` are the documents in the folder that are old enough, `unnamed` those of them that no row names."""

    files: int
    unnamed: tuple[PurePosixPath, ...]


class OrphanSweep:
    def __init__(self, database: Database, content: ContentFolder) -> None:
        self._database = database
        self._content = content

    def find(self, *, at: datetime) -> Orphans:
        """Looks only. Raises :class:`db.errors.ContentError` where the folder cannot be read."""
        files, unnamed, piece = 0, list[PurePosixPath](), list[PurePosixPath]()
        for path in self._content.older_than(at - AGE):
            files += 1
            piece.append(path)
            if len(piece) == PIECE:
                unnamed += self._unnamed(piece)
                piece = []
        return Orphans(files, (*unnamed, *self._unnamed(piece)))

    def set_aside(self, paths: Sequence[PurePosixPath], *, at: datetime) -> tuple[PurePosixPath, ...]:
        """Moves those of `paths` that are still old and unnamed; returns where they lie now, under the folder of documents.

        The log is told of every piece. Raises :class:`db.errors.ContentError`.
        """
        moved: list[PurePosixPath] = []
        for start in range(0, len(paths), PIECE):
            with self._database.writing_alone() as connection:
                if connection.dialect.name == "postgresql":
                    for table in ("records", "documents"):  # in the order in which `db.records` writes to them
                        connection.execute(sa.text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
                found = self._unnamed(paths[start : start + PIECE])
                aside = [to for path in found if (to := self._content.set_aside(path, older_than=at - AGE)) is not None]
                if aside:
                    names = [path.name for path in aside]  # of files: digests, which name nobody
                    log.append(connection, kind="documents.set-aside", subject="documents", at=at, details={"files": names})
            moved += aside
        return tuple(moved)

    def _unnamed(self, paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
        chosen = sa.select(documents.c.path).where(documents.c.path.in_([str(path) for path in paths]))
        with self._database.reading() as connection:
            named = set(connection.execute(chosen).scalars())
        return [path for path in paths if str(path) not in named]
