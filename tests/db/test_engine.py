from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database, open_database, sqlite_url
from db.errors import DatabaseError, TransactionError
from db.log import Log, append
from db.schema import upgrade

AT = datetime(2026, 6, 1, tzinfo=UTC)


def note(database: Database, subject: str) -> None:
    with database.writing() as connection:
        append(connection, kind="test.happened", subject=subject, at=AT, details={})


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "a b.sqlite"))
    with database.reading() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def test_writing_inside_writing_is_one_transaction(database: Database) -> None:
    def fail_halfway() -> None:
        with database.writing():
            note(database, "a")
            note(database, "b")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert Log(database).size() == 0


def test_reading_inside_writing_sees_what_was_written(database: Database) -> None:
    with database.writing():
        note(database, "a")
        assert Log(database).size() == 1


def test_what_must_be_durable_by_itself_refuses_a_wider_transaction(database: Database) -> None:
    with database.writing(), pytest.raises(TransactionError, match="must be durable by itself"), database.writing_alone():
        pass


def test_a_read_only_database_refuses_to_write(database: Database, database_url: str) -> None:
    reader = open_database(database_url, read_only=True)
    assert Log(reader).size() == 0
    with pytest.raises(DatabaseError, match=r"readonly|read-only"):
        note(reader, "a")
    reader.close()


def test_an_unreachable_server_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"^database: [^\n]+$"), open_database("postgresql://nobody@127.0.0.1:1/x").reading():
        pass
    with pytest.raises(DatabaseError, match="unable to open database file"), open_database(sqlite_url(tmp_path / "no" / "x")).reading():
        pass


@pytest.mark.parametrize(
    ("url", "message"),
    [("mysql://root@localhost/x", "of kind mysql; expected sqlite or postgresql"), ("no url", "database URL is not readable")],
)
def test_another_kind_of_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message):
        open_database(url)


def test_an_error_text_holds_no_parameter(database: Database) -> None:
    with pytest.raises(DatabaseError) as caught, database.writing() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:code)"), {"code": "001204000001"})
    assert "001204000001" not in str(caught.value)


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError, match="naive datetime"), database.writing() as connection:
        append(connection, kind="k", subject="s", at=datetime(2026, 1, 1), details={})  # noqa: DTZ001


def test_upgrade_in_memory() -> None:
    database = open_database("sqlite://")
    upgrade(database)
    assert Log(database).size() == 0
    database.close()


def test_reading_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="there is no database at"):
        open_database(sqlite_url(tmp_path / "x.sqlite"), read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = open_database(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/eduseal")
        with pytest.raises(DatabaseError, match="timeout"), database.reading():
            pass
        database.close()
