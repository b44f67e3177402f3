from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.engine import Database
from db.holder_keys import HolderKeys
from records.errors import NotFoundError
from records.key_ports import HolderKey, HolderKeyStore

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEY = HolderKey(
    holder="student-1",
    issuer="issuing",
    serial=(1 << 159) - 1,
    certificate_der=b"certificate",
    wrapped_key=b"wrapped",
    activated=False,
    created_at=NOW,
    commitment=b"c" * 32,
    wrapped_opening=b"opening",
)


@pytest.fixture
def keys(database: Database) -> HolderKeyStore:
    return HolderKeys(database)


def test_a_key_comes_back_whole(keys: HolderKeyStore) -> None:
    keys.put(KEY)
    assert keys.get("student-1") == KEY


def test_the_newest_key_is_the_holders(keys: HolderKeyStore) -> None:
    newer = replace(KEY, serial=5, created_at=NOW + timedelta(days=1), commitment=None, wrapped_opening=None)
    keys.put(newer)
    keys.put(KEY)
    assert keys.get("student-1") == newer
    assert keys.of_holder("student-1") == (KEY, newer)


def test_activation_replaces_the_wrapped_key(keys: HolderKeyStore) -> None:
    keys.put(KEY)
    keys.put(replace(KEY, wrapped_key=b"under the PIN", activated=True))
    assert keys.of_holder("student-1") == (replace(KEY, wrapped_key=b"under the PIN", activated=True),)


def test_a_person_without_key_is_not_found(keys: HolderKeyStore) -> None:
    assert keys.of_holder("student-1") == ()
    with pytest.raises(NotFoundError, match="student-1 has no key here"):
        keys.get("student-1")
