"""Counting PINs, on both databases: durable before the PIN is tried, exact under many attempts at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.engine import Database, open_database
from db.holder_keys import HolderKeys
from db.log import Log
from db.pin_attempts import PinAttempts
from records.key_ports import HolderKey, PinAttemptStore

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEY = HolderKey("SM-GV04", "issuing", 7, b"certificate", b"wrapped", activated=True, created_at=NOW)
SOON = timedelta(minutes=15)
CODE = b"c" * 32


@pytest.fixture
def attempts(database: Database) -> PinAttemptStore:
    HolderKeys(database).put(KEY)
    return PinAttempts(database)


def begin(attempts: PinAttemptStore, key: HolderKey = KEY) -> bool:
    return attempts.begin(key, most=5, at=NOW)


def unlock(attempts: PinAttemptStore, *, tries: int = 3) -> None:
    attempts.grant_unlock(KEY, by="SM-GV02", code_sha256=CODE, tries=tries, until=NOW + SOON, at=NOW)


def kinds(database: Database) -> list[str]:
    return [entry.kind for entry in Log(database).of_subject("holder/SM-GV04")]


def test_the_sixth_attempt_is_not_begun(attempts: PinAttemptStore) -> None:
    assert [begin(attempts) for _ in range(6)] == [True] * 5 + [False]
    assert attempts.wrong_so_far(KEY) == 5


def test_an_attempt_is_counted_for_other_processes_when_begin_returns(attempts: PinAttemptStore, database_url: str) -> None:
    begin(attempts)
    elsewhere = open_database(database_url)
    assert PinAttempts(elsewhere).wrong_so_far(KEY) == 1
    elsewhere.close()


def test_of_many_attempts_at_once_five_pass(attempts: PinAttemptStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: begin(attempts), range(24))) == 5


def test_a_right_pin_clears_the_count_and_leaves_no_line(attempts: PinAttemptStore, database: Database) -> None:
    for _ in range(5):
        begin(attempts)
    attempts.right(KEY, most=5, at=NOW)
    assert (attempts.wrong_so_far(KEY), kinds(database)) == (0, [])


def test_a_new_key_starts_with_no_wrong_pins(attempts: PinAttemptStore, database: Database) -> None:
    newer = replace(KEY, serial=8)
    HolderKeys(database).put(newer)
    for _ in range(5):
        begin(attempts)
    assert begin(attempts, newer)


def test_an_attempt_taken_back_is_not_counted(attempts: PinAttemptStore) -> None:
    begin(attempts)
    attempts.take_back(KEY)
    attempts.take_back(KEY)
    assert attempts.wrong_so_far(KEY) == 0


def test_the_log_tells_when_the_key_locks(attempts: PinAttemptStore, database: Database) -> None:
    for _ in range(5):
        begin(attempts)
        attempts.wrong(KEY, most=5, at=NOW)
    details = [entry.details for entry in Log(database).of_subject("holder/SM-GV04")]
    assert [(each["count"], each["locked"]) for each in details] == [(1, False), (2, False), (3, False), (4, False), (5, True)]


def test_an_unlock_code_gives_its_tries_and_no_more(attempts: PinAttemptStore) -> None:
    for _ in range(5):
        begin(attempts)
    unlock(attempts, tries=3)
    assert not begin(attempts)
    assert [attempts.begin_unlocking(KEY, code_sha256=CODE, at=NOW) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(("code", "at"), [(b"x" * 32, NOW), (CODE, NOW + SOON)])
def test_a_wrong_or_late_unlock_code_gives_no_try(attempts: PinAttemptStore, code: bytes, at: datetime) -> None:
    unlock(attempts)
    assert not attempts.begin_unlocking(KEY, code_sha256=code, at=at)
    assert attempts.wrong_so_far(KEY) == 0


def test_a_key_without_an_unlock_gives_no_try(attempts: PinAttemptStore) -> None:
    assert not attempts.begin_unlocking(KEY, code_sha256=CODE, at=NOW)


def test_both_parts_together_clear_the_count_and_go_into_the_log(attempts: PinAttemptStore, database: Database) -> None:
    for _ in range(5):
        begin(attempts)
    unlock(attempts)
    attempts.begin_unlocking(KEY, code_sha256=CODE, at=NOW)
    attempts.right(KEY, most=5, at=NOW)
    assert attempts.wrong_so_far(KEY) == 0
    assert kinds(database) == ["pin.unlock_granted", "pin.unlocked"]
    assert not attempts.begin_unlocking(KEY, code_sha256=CODE, at=NOW)


def test_no_line_of_the_log_holds_the_codes_digest(attempts: PinAttemptStore, database: Database) -> None:
    unlock(attempts)
    (entry,) = Log(database).of_subject("holder/SM-GV04")
    assert entry.details == {"issuer": "issuing", "serial": "7", "by": "SM-GV02", "until": "2026-06-01T08:15:00+00:00"}


def test_a_reset_is_told_of_the_new_key(attempts: PinAttemptStore, database: Database) -> None:
    attempts.reset(KEY, by="SM-GV02", at=NOW)
    (entry,) = Log(database).of_subject("holder/SM-GV04")
    assert (entry.kind, entry.details) == ("pin.reset", {"issuer": "issuing", "serial": "7", "by": "SM-GV02"})
