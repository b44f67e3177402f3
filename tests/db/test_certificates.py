from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.certificates import PAGE, Certificates
from db.engine import Database
from db.errors import TransactionError
from db.log import Log
from pki.errors import AlreadyIssuedError, AlreadyRevokedError, DuplicateSerialError, IssuanceError, NotRecordedError
from pki.ports import CertificateEntry, CertificateState, CertificateStore

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
LARGEST = (1 << 159) - 1


def entry(serial: int = 7, *, holder: str = "teacher-1", issuer: str = "issuing") -> CertificateEntry:
    return CertificateEntry(
        issuer=issuer,
        serial=serial,
        profile="teacher",
        holder=holder,
        state=CertificateState.RECORDED,
        tbs_sha256=hashlib.sha256(b"tbs").digest(),
        public_key_sha256=hashlib.sha256(f"key of {holder}".encode()).digest(),
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        recorded_at=NOW,
    )


@pytest.fixture
def books(database: Database) -> CertificateStore:
    return Certificates(database)


def test_a_recorded_entry_comes_back_whole(books: CertificateStore) -> None:
    books.record(entry(LARGEST))
    assert books.get("issuing", LARGEST) == entry(LARGEST)


def test_an_unknown_serial_is_none(books: CertificateStore) -> None:
    assert books.get("issuing", 8) is None


@pytest.mark.parametrize("serial", [-1, 1 << 160, 1 << 4000])
def test_a_serial_that_no_certificate_can_have_is_unknown(books: CertificateStore, serial: int) -> None:
    assert books.get("issuing", serial) is None


def test_a_serial_is_taken_once_for_each_issuer(books: CertificateStore) -> None:
    books.record(entry())
    books.record(entry(issuer="root"))
    with pytest.raises(DuplicateSerialError, match="issuing: serial 7 is taken"):
        books.record(entry(holder="teacher-2"))
    assert books.of_holder("teacher-2") == ()


def test_writers_at_the_same_time_take_a_serial_once(database: Database) -> None:
    def take(n: int) -> bool:
        try:
            Certificates(database).record(entry(holder=f"h{n}"))
        except DuplicateSerialError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(12))) == 1


def test_only_an_unsigned_entry_is_recorded(books: CertificateStore) -> None:
    with pytest.raises(IssuanceError, match="entry is issued; only a certificate that is not signed yet"):
        books.record(replace(entry(), state=CertificateState.ISSUED, certificate_der=b"x", issued_at=NOW))


def test_issuing_keeps_the_certificate(books: CertificateStore) -> None:
    books.record(entry())
    books.mark_issued("issuing", 7, certificate_der=b"der", at=NOW)
    assert books.get("issuing", 7) == replace(entry(), state=CertificateState.ISSUED, certificate_der=b"der", issued_at=NOW)


def test_a_certificate_is_issued_once(books: CertificateStore) -> None:
    books.record(entry())
    books.mark_issued("issuing", 7, certificate_der=b"der", at=NOW)
    with pytest.raises(AlreadyIssuedError, match="issuing: serial 7 has been issued before"):
        books.mark_issued("issuing", 7, certificate_der=b"other", at=NOW)


def test_nothing_is_issued_that_was_not_recorded(books: CertificateStore) -> None:
    with pytest.raises(NotRecordedError, match="issuing: serial 7 was never recorded"):
        books.mark_issued("issuing", 7, certificate_der=b"der", at=NOW)


def test_a_revoked_entry_is_not_issued_any_more(books: CertificateStore) -> None:
    books.record(entry())
    books.mark_revoked("issuing", 7, reason="cessationOfOperation", at=NOW)
    with pytest.raises(AlreadyRevokedError, match="revoked before it was issued"):
        books.mark_issued("issuing", 7, certificate_der=b"der", at=NOW)


def test_a_revocation_is_final(books: CertificateStore) -> None:
    books.record(entry())
    books.mark_revoked("issuing", 7, reason="keyCompromise", at=NOW)
    with pytest.raises(AlreadyRevokedError, match="issuing: serial 7 is revoked already"):
        books.mark_revoked("issuing", 7, reason="superseded", at=NOW)
    found = books.get("issuing", 7)
    assert found is not None
    assert (found.state, found.revocation_reason, found.revoked_at) == (CertificateState.REVOKED, "keyCompromise", NOW)


def test_nothing_is_revoked_that_was_not_recorded(books: CertificateStore) -> None:
    with pytest.raises(NotRecordedError):
        books.mark_revoked("issuing", 7, reason="keyCompromise", at=NOW)


def test_revoked_entries_fall_into_shards_by_serial(books: CertificateStore) -> None:
    for serial in range(1, 9):
        books.record(entry(serial))
        if serial != 5:
            books.mark_revoked("issuing", serial, reason="unspecified", at=NOW)
    shards = [[found.serial for found in books.revoked("issuing", shard=shard, shards=3)] for shard in range(3)]
    assert shards == [[3, 6], [1, 4, 7], [2, 8]]
    assert list(books.revoked("root", shard=0, shards=1)) == []


@pytest.mark.long
def test_revoked_entries_are_read_in_pages(books: CertificateStore) -> None:
    for serial in range(1, PAGE + 3):
        books.record(entry(serial))
        books.mark_revoked("issuing", serial, reason="unspecified", at=NOW)
    assert [found.serial for found in books.revoked("issuing", shard=0, shards=1)] == list(range(1, PAGE + 3))


def test_certificates_of_a_holder_stand_oldest_first(books: CertificateStore) -> None:
    for serial, minutes in ((3, 2), (9, 1), (1, 3)):
        books.record(replace(entry(serial), recorded_at=NOW + timedelta(minutes=minutes)))
    assert [found.serial for found in books.of_holder("teacher-1")] == [9, 3, 1]


def test_crl_numbers_rise_for_each_issuer_and_shard(books: CertificateStore) -> None:
    assert [books.next_crl_number("issuing", shard=0) for _ in range(3)] == [1, 2, 3]
    assert books.next_crl_number("issuing", shard=1) == 1
    assert books.next_crl_number("root", shard=0) == 1


def test_crl_numbers_are_never_given_twice(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: Certificates(database).next_crl_number("issuing", shard=0), range(24)))
    assert sorted(numbers) == list(range(1, 25))


def test_every_change_stands_in_the_log(database: Database, books: CertificateStore) -> None:
    books.record(entry(255))
    books.mark_issued("issuing", 255, certificate_der=b"der", at=NOW)
    books.mark_suspended("issuing", 255, at=NOW)
    books.mark_released("issuing", 255, at=NOW)
    books.mark_revoked("issuing", 255, reason="superseded", at=NOW)
    assert [(found.kind, found.subject, found.details) for found in Log(database).entries()] == [
        ("certificate.recorded", "certificate/issuing/ff", {"profile": "teacher"}),
        ("certificate.issued", "certificate/issuing/ff", {}),
        ("certificate.suspended", "certificate/issuing/ff", {}),
        ("certificate.released", "certificate/issuing/ff", {}),
        ("certificate.revoked", "certificate/issuing/ff", {"reason": "superseded"}),
    ]


def test_a_refused_change_stands_in_no_log(database: Database, books: CertificateStore) -> None:
    books.record(entry())
    with pytest.raises(DuplicateSerialError):
        books.record(entry())
    assert Log(database).size() == 1


def test_the_books_do_not_hide_in_a_wider_transaction(database: Database, books: CertificateStore) -> None:
    with database.writing(), pytest.raises(TransactionError):
        books.record(entry())
