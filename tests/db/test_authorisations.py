"""Authorisations on both databases: kept whole, used once, each refusal in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.authorisations import Authorisations
from db.engine import Database
from db.log import Log
from records.errors import AlreadySpentError, NotFoundError
from records.ports import AuthorisationStore, SpentItem
from signing.applying.authorisation import Authorisation, AuthorisedItem

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SOON = timedelta(minutes=15)
ITEMS = tuple(AuthorisedItem(f"R-{number}", 1, bytes([number]) * 32, "homeroom") for number in (3, 1, 2))
GRANTED = Authorisation("a" * 32, "SM-GV04", NOW, NOW + SOON, ITEMS)
FIRST = SpentItem(GRANTED.id, "R-3", 1, "homeroom", NOW)


@pytest.fixture
def store(database: Database) -> AuthorisationStore:
    return Authorisations(database)


def entries(database: Database) -> list[tuple[str, dict[str, object]]]:
    return [(entry.kind, dict(entry.details)) for entry in Log(database).of_subject(f"authorisation/{GRANTED.id}")]


def test_an_authorisation_comes_back_whole_and_in_order(store: AuthorisationStore) -> None:
    store.grant(GRANTED)
    assert store.load(GRANTED.id) == GRANTED


def test_a_used_item_is_no_longer_left(store: AuthorisationStore) -> None:
    store.grant(GRANTED)
    store.spend(FIRST)
    assert store.load(GRANTED.id) == replace(GRANTED, used=frozenset(ITEMS[:1]))


def test_an_item_is_used_once(store: AuthorisationStore) -> None:
    store.grant(GRANTED)
    store.spend(FIRST)
    with pytest.raises(AlreadySpentError, match="step homeroom of record R-3 version 1 is used already"):
        store.spend(replace(FIRST, at=NOW + SOON))


def test_of_two_at_once_one_uses_the_item(store: AuthorisationStore) -> None:
    def use(_: int) -> bool:
        try:
            store.spend(FIRST)
        except AlreadySpentError:
            return False
        return True

    store.grant(GRANTED)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_the_log_commits_to_every_item(store: AuthorisationStore, database: Database) -> None:
    store.grant(GRANTED)
    ((kind, details),) = entries(database)
    assert kind == "authorisation.granted"
    assert details == {
        "holder": "SM-GV04",
        "expires_at": "2026-06-01T08:15:00+00:00",
        "items": 3,
        # of [["R-3",1,"homeroom","0303…"],["R-1",1,"homeroom","0101…"],["R-2",1,"homeroom","0202…"]]
        "items_sha256": "4f7bb8e96f22200b40af7d04e321ba83dc064b4708f89c6eb66706953dbdf7fa",
    }


def test_uses_and_refusals_go_into_the_log(store: AuthorisationStore, database: Database) -> None:
    store.grant(GRANTED)
    store.spend(FIRST)
    store.refused(GRANTED.id, by="SM-GV04", reason="used already", at=NOW, record_id="R-3")
    store.refused(GRANTED.id, by="SM-GV05", reason="not theirs", at=NOW)
    assert entries(database)[1:] == [
        ("authorisation.used", {"record_id": "R-3", "version": 1, "step": "homeroom"}),
        ("authorisation.refused", {"by": "SM-GV04", "reason": "used already", "record_id": "R-3"}),
        ("authorisation.refused", {"by": "SM-GV05", "reason": "not theirs"}),
    ]


def test_what_stands_is_in_force_and_has_something_left(store: AuthorisationStore) -> None:
    late = replace(GRANTED, id="b" * 32, granted_at=NOW - SOON, expires_at=NOW)
    done = replace(GRANTED, id="c" * 32, items=ITEMS[:1])
    other = replace(GRANTED, id="d" * 32, holder="SM-GV05", granted_at=NOW - SOON)
    for each in (GRANTED, late, done, other):
        store.grant(each)
    store.spend(replace(FIRST, authorisation_id=done.id))
    assert [each.id for each in store.standing(at=NOW)] == [other.id, GRANTED.id]
    assert store.standing(at=NOW, holder="SM-GV04") == (GRANTED,)


def test_an_unknown_authorisation_is_not_found(store: AuthorisationStore) -> None:
    with pytest.raises(NotFoundError, match="there is no authorisation x"):
        store.load("x")
