"""The status of many certificates at once, and whether any status changed."""

from __future__ import annotations

import pytest

from db.certificates import Certificates
from db.engine import Database, open_database
from db.errors import DatabaseError
from db.status_changes import StatusChanges
from db.statuses import CHUNK, Statuses
from pki.ports import CertificateState
from pki.status.ocsp_status import CertificateStatus
from tests.db.test_certificates import LARGEST, NOW, entry

RECORDED, ISSUED = CertificateStatus(CertificateState.RECORDED), CertificateStatus(CertificateState.ISSUED)


@pytest.fixture
def books(database: Database) -> Certificates:
    return Certificates(database)


@pytest.fixture
def statuses(database: Database) -> Statuses:
    return Statuses(database)


def issue(books: Certificates, serial: int, *, issuer: str = "issuing") -> None:
    books.record(entry(serial, issuer=issuer))
    books.mark_issued(issuer, serial, certificate_der=b"der", at=NOW)


def test_each_state_is_told(books: Certificates, statuses: Statuses) -> None:
    books.record(entry(1))
    for serial in (2, 3, LARGEST):
        issue(books, serial)
    books.mark_suspended("issuing", 3, at=NOW)
    books.mark_revoked("issuing", LARGEST, reason="superseded", at=NOW)
    assert statuses.statuses([("issuing", serial) for serial in (1, 2, 3, LARGEST)]) == {
        ("issuing", 1): RECORDED,
        ("issuing", 2): ISSUED,
        ("issuing", 3): CertificateStatus(CertificateState.SUSPENDED, NOW, "certificateHold"),
        ("issuing", LARGEST): CertificateStatus(CertificateState.REVOKED, NOW, "superseded"),
    }


@pytest.mark.parametrize("serial", [8, -1, 1 << 160, 1 << 4000])
def test_what_was_never_recorded_is_left_out(books: Certificates, statuses: Statuses, serial: int) -> None:
    issue(books, 7)
    assert statuses.statuses([("issuing", 7), ("issuing", serial)]) == {("issuing", 7): ISSUED}


def test_issuers_are_told_apart(books: Certificates, statuses: Statuses) -> None:
    issue(books, 7)
    issue(books, 8, issuer="issuing-2")
    both = [(issuer, serial) for issuer in ("issuing", "issuing-2") for serial in (7, 8)]
    assert set(statuses.statuses(both)) == {("issuing", 7), ("issuing-2", 8)}


def test_more_may_be_asked_about_than_fit_one_statement(books: Certificates, statuses: Statuses) -> None:
    found = (1, CHUNK, 2 * CHUNK + 1)
    for serial in found:
        issue(books, serial)
    assert set(statuses.statuses([("issuing", serial) for serial in range(1, 2 * CHUNK + 2)])) == {("issuing", serial) for serial in found}


def test_nothing_asked_is_nothing_answered(database: Database) -> None:
    database.close()
    assert Statuses(database).statuses([]) == {}


def test_a_status_is_what_others_committed(database: Database, database_url: str, statuses: Statuses) -> None:
    other = open_database(database_url)
    issue(Certificates(other), 7)
    assert statuses.statuses([("issuing", 7)]) == {("issuing", 7): ISSUED}
    Certificates(other).mark_revoked("issuing", 7, reason="superseded", at=NOW)
    assert statuses.statuses([("issuing", 7)])["issuing", 7].state is CertificateState.REVOKED
    other.close()


def test_a_database_without_tables_is_an_error(empty_database: Database) -> None:
    with pytest.raises(DatabaseError, match="certificates"):
        Statuses(empty_database).statuses([("issuing", 7)])


@pytest.mark.parametrize("move", ["mark_suspended", "mark_released", "mark_revoked"])
def test_a_change_that_another_process_made_is_seen_once(database: Database, database_url: str, move: str) -> None:
    other = open_database(database_url)
    elsewhere, changes = Certificates(other), StatusChanges(database)
    issue(elsewhere, 7)
    if move == "mark_released":
        elsewhere.mark_suspended("issuing", 7, at=NOW)
    start, _ = changes.since(None)
    reason = {"reason": "superseded"} if move == "mark_revoked" else {}
    getattr(elsewhere, move)("issuing", 7, at=NOW, **reason)
    end, changed = changes.since(start)
    assert changed
    assert changes.since(end) == (end, False)
    other.close()


def test_recording_and_issuing_change_no_status_that_is_kept(database: Database, books: Certificates) -> None:
    changes = StatusChanges(database)
    start, _ = changes.since(None)
    issue(books, 7)
    assert changes.since(start) == (start + 2, False)
