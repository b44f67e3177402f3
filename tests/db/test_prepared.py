from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db.api_keys import ApiKeys
from db.engine import Database
from db.prepared import MAX_OPEN, PreparedSignatures, TooManyPreparationsError, Waiting
from db.tables import prepared_signatures, schools
from signing.applying.two_step import PreparationExpiredError, PreparationUsedError, PreparedSignature, UnknownPreparationError

NOW = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
SIGNATURE = PreparedSignature(b"%PDF-1.7 ... <0000>", (13, 19), b"certificate", (b"issuer", b"above"))


class Desk:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = PreparedSignatures(database)
        with database.writing() as connection:
            row = {"id": "SM", "identifier": "NTRVN-1", "name": "SM", "short_name": "SM", "locality": "HN", "country": "VN"}
            connection.execute(sa.insert(schools).values(**row))
        self.key, self.other = (ApiKeys(database).create(school_id="SM", label=label, at=NOW)[0].id for label in ("a", "b"))

    def put(self, *, at: datetime = NOW, key: str = "") -> Waiting:
        return self.store.put(SIGNATURE, api_key_id=key or self.key, purpose={"step": "homeroom"}, at=at, lifetime=MINUTES)

    def get(self, name: str, *, at: datetime = NOW, key: str = "") -> Waiting:
        return self.store.get(name, api_key_id=key or self.key, at=at)

    def rows(self) -> list[tuple[datetime | None, bytes | None]]:
        with self.database.reading() as connection:
            found = connection.execute(sa.select(prepared_signatures.c.used_at, prepared_signatures.c.document))
            return [(row.used_at, row.document) for row in found]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_what_waits_comes_back_as_it_was(desk: Desk) -> None:
    waiting = desk.put()
    found = desk.get(waiting.id, at=NOW + MINUTES - timedelta(seconds=1))
    assert (found.signature, found.purpose, found.expires_at) == (SIGNATURE, {"step": "homeroom"}, NOW + MINUTES)
    assert len(waiting.id) == 48


def test_another_key_finds_nothing(desk: Desk) -> None:
    with pytest.raises(UnknownPreparationError, match="no signature of that name waits for this API key"):
        desk.get(desk.put().id, key=desk.other)


def test_after_its_time_it_is_over(desk: Desk) -> None:
    waiting = desk.put()
    with pytest.raises(PreparationExpiredError, match="ended at 08:10:00 UTC"):
        desk.get(waiting.id, at=NOW + MINUTES)
    with pytest.raises(PreparationExpiredError):
        desk.store.use(waiting, at=NOW + MINUTES)


def test_used_once_its_document_is_gone_and_a_replay_is_told(desk: Desk) -> None:
    waiting = desk.put()
    desk.store.use(waiting, at=NOW)
    assert desk.rows() == [(NOW, None)]
    with pytest.raises(PreparationUsedError, match="each is good for one signature"):
        desk.get(waiting.id)
    with pytest.raises(PreparationUsedError):
        desk.store.use(waiting, at=NOW)


def test_of_many_who_use_it_at_once_one_succeeds(desk: Desk) -> None:
    waiting, outcomes = desk.put(), list[bool]()

    def attempt() -> None:
        try:
            desk.store.use(waiting, at=NOW)
            outcomes.append(True)
        except PreparationUsedError:
            outcomes.append(False)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]


def test_what_is_over_is_cleared_away_by_the_next(desk: Desk) -> None:
    desk.put()
    desk.store.use(desk.put(), at=NOW)
    desk.put(at=NOW + MINUTES + timedelta(seconds=1))
    assert len(desk.rows()) == 2  # the used one is remembered for a day
    desk.put(at=NOW + timedelta(days=2))
    assert len(desk.rows()) == 1


def test_one_key_may_have_so_many_waiting_and_not_more(desk: Desk) -> None:
    for _ in range(MAX_OPEN):
        desk.put()
    with pytest.raises(TooManyPreparationsError, match=f"{MAX_OPEN} signatures of this API key wait"):
        desk.put()
    desk.put(key=desk.other)
