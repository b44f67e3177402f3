"""Other authorities' certificates in the books, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.engine import Database
from db.log import Log
from db.outside import OutsideCertificates
from db.roster import Roster
from records.errors import NotEntitledError, NotFoundError
from records.outside import OutsideCertificate
from records.person import School
from signing.trust.store import Registered

AT = datetime(2026, 9, 5, 8, tzinfo=UTC)
ENTRY = OutsideCertificate(
    fingerprint="ab" * 32,
    holder="seal/SM",
    role="school-seal",
    school_id="SM",
    authority="Government CA",
    certificate_der=b"a certificate",
    chain=(b"an issuer", b"another"),
    registered_at=AT,
)


@pytest.fixture
def store(database: Database) -> OutsideCertificates:
    school = School(id="SM", identifier="NTRVN-1", name="Sao Mai", short_name="SM", locality="Hà Nội", country="VN")
    Roster(database).save(schools=[school], people=[], blocked=[], wrap=lambda who: None, at=AT)
    return OutsideCertificates(database)


def events(database: Database) -> list[str]:
    return [entry.kind for entry in Log(database).entries() if entry.kind.startswith("outside.")]


def test_what_is_put_is_found(store: OutsideCertificates) -> None:
    assert store.put(ENTRY) == ENTRY
    assert store.find(ENTRY.fingerprint) == ENTRY
    assert store.list() == store.list(school_id="SM") == (ENTRY,)
    assert store.list(school_id="BL") == ()


def test_putting_it_again_changes_nothing(store: OutsideCertificates, database: Database) -> None:
    store.put(ENTRY)
    assert store.put(replace(ENTRY, registered_at=AT + timedelta(days=1))) == ENTRY
    assert events(database) == ["outside.registered"]


def test_many_at_once_register_it_once(store: OutsideCertificates, database: Database) -> None:
    threads = [threading.Thread(target=store.put, args=(ENTRY,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events(database) == ["outside.registered"]


def test_a_certificate_stands_for_one_holder(store: OutsideCertificates) -> None:
    store.put(ENTRY)
    with pytest.raises(NotEntitledError, match="is registered for seal/SM already"):
        store.put(replace(ENTRY, holder="SM-GV01", role="principal"))


def test_withdrawing_ends_it_and_says_so_in_the_log(store: OutsideCertificates, database: Database) -> None:
    store.put(ENTRY)
    ended = store.withdraw(ENTRY.fingerprint, at=AT + timedelta(hours=1))
    assert ended.withdrawn_at == AT + timedelta(hours=1)
    assert store.withdraw(ENTRY.fingerprint, at=AT + timedelta(hours=2)) == ended
    assert events(database) == ["outside.registered", "outside.withdrawn"]


def test_what_was_withdrawn_is_not_registered_again(store: OutsideCertificates) -> None:
    store.put(ENTRY)
    store.withdraw(ENTRY.fingerprint, at=AT + timedelta(hours=1))
    with pytest.raises(NotEntitledError, match="was withdrawn"):
        store.put(ENTRY)


@pytest.mark.parametrize(("fingerprint", "text"), [("cd" * 32, "is not registered"), ("no", "is no fingerprint")])
def test_what_is_not_there_cannot_be_withdrawn(store: OutsideCertificates, fingerprint: str, text: str) -> None:
    with pytest.raises(NotFoundError, match=text):
        store.withdraw(fingerprint, at=AT)


def test_verifiers_learn_role_school_and_time(store: OutsideCertificates) -> None:
    store.put(ENTRY)
    assert store.registered() == {ENTRY.fingerprint: Registered("school-seal", "NTRVN-1", AT, None)}
    store.withdraw(ENTRY.fingerprint, at=AT + timedelta(hours=1))
    assert store.registered()[ENTRY.fingerprint].until == AT + timedelta(hours=1)
