"""The processes that run durable work, and which of them are alive. No effect rests on the answer: a sleeper may be thought dead."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from db.engine import Database
from db.errors import DatabaseError
from db.tables_bulk import work_executors
from pki.ports import Clock

STALE_AFTER = timedelta(seconds=20)  # four beats
LOCK_ENDING = ".work-lock"


class Executors:
    """`id` is this process's own, a new one each time it starts: DBOS's default would have two processes run each other's steps."""

    def __init__(self, database: Database, url: str, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._file = _sqlite_file(url)
        self._lock: IO[bytes] | None = None
        self._host = socket.gethostname()
        self.id = f"{self._host[:60]}-{os.getpid()}-{secrets.token_hex(6)}"

    def enlist(self) -> None:
        """Raises :class:`db.errors.DatabaseError` where another process runs the work of a SQLite file."""
        if self._file is not None:
            self._lock = _locked(self._file)
        now = self._clock()
        row = {"id": self.id, "host": self._host, "pid": os.getpid(), "started_at": now, "beat_at": now}
        with self._database.writing() as connection:
            connection.execute(sa.insert(work_executors), [row])

    def beat(self) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(work_executors).where(work_executors.c.id == self.id).values(beat_at=self._clock()))

    def live(self) -> frozenset[str]:
        """This one, and those that beat lately and, on this machine, still have their process. With SQLite there is no other."""
        if self._file is not None:
            return frozenset({self.id})
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(work_executors)).all()
        since = self._clock() - STALE_AFTER
        others = (row for row in rows if row.beat_at >= since and (row.host != self._host or _runs(row.pid)))
        return frozenset({self.id, *(row.id for row in others)})

    def strike_off(self) -> None:
        """Forgets the dead. Their work must have been put back before."""
        dead = work_executors.c.id.not_in(self.live())
        with self._database.writing() as connection:
            connection.execute(sa.delete(work_executors).where(dead))

    def leave(self) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.delete(work_executors).where(work_executors.c.id == self.id))
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _sqlite_file(url: str) -> Path | None:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseError("durable work needs a database that outlives the process; got SQLite in memory")
    return Path(parsed.database)


def _locked(database: Path) -> IO[bytes]:
    """Held as long as it is open: the system lets go of it with the process, however that ends."""
    file = database.with_name(database.name + LOCK_ENDING).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise DatabaseError(
            f"another process runs the work of {database}; SQLite has one at a time, PostgreSQL as many as you like"
        ) from None
    return file


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
