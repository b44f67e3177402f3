from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.api_keys import ApiKey, ApiKeys
from db.engine import Database
from db.log import Log
from db.roster import Roster
from db.tables import api_keys
from records.errors import NotFoundError
from records.person import School

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    school = School("s1", "NTRVN-0100109106", "Trường", "Trường", "Hà Nội")
    Roster(database).save(schools=[school], people=[], blocked=[], wrap=lambda who: None, at=NOW)
    return ApiKeys(database)


def test_the_token_names_its_key(keys: ApiKeys) -> None:
    key, token = keys.create(school_id="s1", label="SIS", at=NOW)
    assert token.startswith(f"eduseal_{key.id}_")
    assert keys.authenticate(token) == key == ApiKey(key.id, "s1", "SIS", NOW)


def test_the_secret_is_not_stored(database: Database, keys: ApiKeys) -> None:
    key, token = keys.create(school_id="s1", label="SIS", at=NOW)
    secret = token.removeprefix(f"eduseal_{key.id}_")
    with database.reading() as connection:
        (row,) = connection.execute(api_keys.select()).all()
    assert not any(secret.encode() in (value if isinstance(value, bytes) else str(value).encode()) for value in row)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.replace("eduseal_", "other_"), lambda t: "", lambda t: "\ud800"]
)
def test_another_token_is_nobodys(keys: ApiKeys, change: object) -> None:
    _, token = keys.create(school_id="s1", label="SIS", at=NOW)
    assert callable(change)
    assert keys.authenticate(change(token)) is None


def test_a_revoked_key_opens_nothing(keys: ApiKeys) -> None:
    key, token = keys.create(school_id="s1", label="SIS", at=NOW)
    keys.revoke(key.id, at=NOW)
    keys.revoke(key.id, at=NOW)
    assert keys.authenticate(token) is None
    assert keys.all() == (ApiKey(key.id, "s1", "SIS", NOW, NOW),)


def test_a_key_needs_a_known_school(keys: ApiKeys) -> None:
    with pytest.raises(NotFoundError, match="school s9 is not in the roster"):
        keys.create(school_id="s9", label="SIS", at=NOW)


def test_an_unknown_key_is_not_revoked(keys: ApiKeys) -> None:
    with pytest.raises(NotFoundError, match="API key ff is not known"):
        keys.revoke("ff", at=NOW)


def test_making_and_revoking_stand_in_the_log(database: Database, keys: ApiKeys) -> None:
    key, _ = keys.create(school_id="s1", label="SIS", at=NOW)
    keys.revoke(key.id, at=NOW)
    kinds = [(entry.kind, entry.subject) for entry in Log(database).of_subject(f"api-key/{key.id}")]
    assert kinds == [("api_key.created", f"api-key/{key.id}"), ("api_key.revoked", f"api-key/{key.id}")]
