"""Opening a database, and the two ways to use it: `reading` and `writing`.

SQLite runs in WAL mode, durable to power loss (synchronous FULL), with foreign keys enforced; a writing transaction takes the write
lock at once (BEGIN IMMEDIATE), so that two writers queue instead of failing when one has read first. PostgreSQL runs at READ COMMITTED;
stores say in SQL what must hold (unique keys, versions compared in the UPDATE).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from db.errors import DatabaseError, TransactionError

BUSY_TIMEOUT_MS = 30_000  # a writer waits this long for another before it gives up
# A machine that fell silent, instead of refusing, is given up after so many seconds: libpq waits for ever to connect, and the kernel a
# quarter of an hour for an answer. A statement that takes long is not concerned. What the URL says of these counts instead.
PATIENCE = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
_BEGIN = "eduseal_begin"  # execution option: the BEGIN statement that SQLite is to use


class Database:
    """A place to keep things. `reading()` and `writing()` give a connection inside a transaction that ends with the block.

    `writing()` inside `writing()` joins the outer transaction, so that several stores save together or not at all.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._joined: ContextVar[sa.Connection | None] = ContextVar("joined", default=None)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent view; sees what an enclosing `writing()` has done so far. Raises :class:`DatabaseError`."""
        joined = self._joined.get()
        if joined is not None:
            yield joined
            return
        with _wrapped(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[sa.Connection]:
        """As `reading()`, for one statement: PostgreSQL is spared the round trips that begin and end a transaction."""
        if self._joined.get() is not None or self.engine.dialect.name == "sqlite":
            with self.reading() as connection:
                yield connection
            return
        with _wrapped(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Commits when the block ends, rolls back when it raises. Raises :class:`DatabaseError`."""
        joined = self._joined.get()
        if joined is not None:
            yield joined
            return
        with _wrapped(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                token = self._joined.set(connection)
                try:
                    yield connection
                finally:
                    self._joined.reset(token)

    @contextmanager
    def writing_alone(self) -> Iterator[sa.Connection]:
        """As `writing()`, but what it wrote is durable when the block ends: raises :class:`TransactionError` inside another."""
        if self._joined.get() is not None:
            raise TransactionError("this must be durable by itself and cannot be part of a wider transaction")
        with self.writing() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, *, read_only: bool = False) -> Database:
    """A database by URL: `sqlite:////path`, `sqlite://` (in memory), `postgresql://…`. Connects on first use, creates no table.

    `read_only` refuses every write at the connection, and a SQLite file that is not there. Raises :class:`DatabaseError`.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise DatabaseError("database URL is not readable; expected sqlite:////path/file or postgresql://user@host/name") from None
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed, read_only=read_only))
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return Database(_postgresql(parsed.set(drivername="postgresql+psycopg"), read_only=read_only))
    raise DatabaseError(f"database of kind {parsed.get_backend_name()}; expected sqlite or postgresql")


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path.absolute())).render_as_string(hide_password=False)


def _sqlite(url: sa.URL, *, read_only: bool) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        engine = sa.create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True)
    else:
        if read_only and not Path(url.database).exists():
            raise DatabaseError(f"there is no database at {url.database}")  # SQLite would make an empty one
        engine = sa.create_engine(url, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own; `begin` below does
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def _postgresql(url: sa.URL, *, read_only: bool) -> sa.Engine:
    options = "-c timezone=UTC" + (" -c default_transaction_read_only=on" if read_only else "")
    patience = {name: value for name, value in PATIENCE.items() if name not in url.query}
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"options": options, **patience})


@contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as exc:
        cause = getattr(exc, "orig", None) or exc
        lines = str(cause).strip().splitlines()  # first line only: PostgreSQL's DETAIL line quotes values
        raise DatabaseError(f"database: {lines[0] if lines else type(cause).__name__}") from exc
