"""Published lists, leases and reconciliation in both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from db import log
from db.certificates import Certificates
from db.engine import Database, open_database
from db.leases import Leases
from db.publication import Publications
from db.reconciliation import CHUNK, Reconciliation
from db.revoked import PAGE, revoked_rows
from pki.errors import AlreadyRevokedError
from pki.ports import CertificateEntry, CertificateState
from pki.status.crl import CrlSigner
from pki.status.publication import CrlState, PublishedCrl, Publisher, StatusChange
from tests.support.authority import BASE_URL, make_authority

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def crl(number: int, *, issuer: str = "issuing", shard: int = 0) -> PublishedCrl:
    state = CrlState(issuer, shard, number, NOW + MINUTE * number, NOW + timedelta(days=7), 3 * number)
    return PublishedCrl(state, b"list %d" % number)


def entry(serial: int, *, recorded_at: datetime = NOW) -> CertificateEntry:
    return CertificateEntry(
        issuer="issuing",
        serial=serial,
        profile="teacher",
        holder=f"teacher-{serial}",
        state=CertificateState.RECORDED,
        tbs_sha256=bytes(32),
        public_key_sha256=serial.to_bytes(32, "big"),
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        recorded_at=recorded_at,
    )


def test_a_published_list_comes_back_whole(database: Database) -> None:
    store = Publications(database)
    assert store.save(crl(1))
    assert store.save(crl(1, issuer="root"))
    assert store.load("issuing", 0) == crl(1)
    assert store.state("issuing", 0) == crl(1).state
    assert store.states() == (crl(1).state, crl(1, issuer="root").state)
    assert (store.load("issuing", 1), store.state("tsa", 0)) == (None, None)


def test_a_list_never_gives_way_to_one_with_a_lower_number(database: Database) -> None:
    store = Publications(database)
    assert [store.save(crl(number)) for number in (2, 1, 2, 3)] == [True, False, False, True]
    assert store.load("issuing", 0) == crl(3)


def test_of_many_who_publish_at_once_the_highest_number_stays(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        saved = list(pool.map(lambda number: Publications(database).save(crl(number)), range(24, 0, -1)))
    assert any(saved)
    assert Publications(database).load("issuing", 0) == crl(24)


def test_changes_of_status_are_found_in_the_log_and_nothing_else(database: Database) -> None:
    books, store = Certificates(database), Publications(database)
    books.record(entry(255))
    books.mark_issued("issuing", 255, certificate_der=b"der", at=NOW)
    books.mark_suspended("issuing", 255, at=NOW)
    books.mark_released("issuing", 255, at=NOW)
    with database.writing() as connection:
        log.append(connection, kind="record.revoked", subject="certificate/issuing/1", at=NOW, details={})
        log.append(connection, kind="certificate.revoked", subject="no certificate", at=NOW, details={})
    books.mark_revoked("issuing", 255, reason="superseded", at=NOW)
    assert store.log_size() == 7
    assert [change.position for change in store.changes(0, 7)] == [2, 3, 6]
    assert list(store.changes(3, 6)) == [StatusChange("issuing", 255, 3)]


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 12, 256, 300])
def test_revoked_rows_are_those_of_the_shard(database: Database, shards: int) -> None:
    books = Certificates(database)
    serials = [1, 7, 8, 255, 256, 300, 301, 1 << 150, (1 << 158) + 11]
    for serial in serials:
        books.record(entry(serial))
        books.mark_issued("issuing", serial, certificate_der=b"der", at=NOW)
    books.mark_suspended("issuing", 7, at=NOW)
    for serial in serials[2:]:
        books.mark_revoked("issuing", serial, reason="superseded", at=NOW)
    for shard in sorted({serial % shards for serial in serials}):
        found = [row.serial for row in revoked_rows(database, "issuing", shard=shard, shards=shards)]
        assert found == [serial for serial in serials[1:] if serial % shards == shard]
    (row,) = [row for row in revoked_rows(database, "issuing", shard=7 % shards, shards=shards) if row.serial == 7]
    assert (row.issuer, row.revoked_at, row.revocation_reason) == ("issuing", NOW, "certificateHold")


def test_more_rows_than_a_page_are_all_read(database: Database) -> None:
    import sqlalchemy as sa

    from db.tables import certificates

    rows = [
        {**vars(entry(serial)), "state": "revoked", "revoked_at": NOW, "revocation_reason": "superseded"} for serial in range(1, PAGE + 3)
    ]
    with database.writing() as connection:
        connection.execute(sa.insert(certificates), rows)
    assert [row.serial for row in revoked_rows(database, "issuing", shard=0, shards=1)] == list(range(1, PAGE + 3))


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.long)])
def test_many_publishers_and_many_revocations_end_with_every_revocation_published(
    database: Database, database_url: str, rounds: int
) -> None:
    """Each publisher on a connection of its own, as processes have; certificates are revoked and held all the while."""
    shards, done = 3, threading.Event()
    authority = make_authority(NOW, crl_shards=shards)
    books = Certificates(database)
    serials = list(range(1, 10 * rounds + 1))
    for serial in serials:
        books.record(entry(serial))
        books.mark_issued("issuing", serial, certificate_der=b"der", at=NOW)

    def publisher() -> tuple[Database, Publisher]:
        own = open_database(database_url)
        signer = CrlSigner(
            issuer="issuing",
            issuer_certificate_der=authority.issuing_der,
            key=authority.issuing_key,
            store=Certificates(own),
            clock=lambda: NOW,
            shards=shards,
            base_url=BASE_URL,
        )
        clock = lambda: datetime.now(UTC)  # noqa: E731 - leases need a clock that goes
        turns = Leases(own, clock=clock)
        return own, Publisher(sources=[signer], store=Publications(own), turns=turns, clock=lambda: NOW)

    def publish() -> list[tuple[int, int]]:
        own, ours = publisher()
        made: list[tuple[int, int]] = []
        while not done.is_set():
            found = ours.publish_due()
            assert not found.failed
            made += [(state.shard, state.number) for state in found.published]
        own.close()
        return made

    def revoke(chosen: list[int]) -> None:
        for serial in chosen:
            if serial % 5:
                books.mark_revoked("issuing", serial, reason="superseded", at=NOW)
            else:
                books.mark_suspended("issuing", serial, at=NOW)

    with ThreadPoolExecutor(5) as pool:
        publishers = [pool.submit(publish) for _ in range(3)]
        revokers = [pool.submit(revoke, serials[half::2]) for half in range(2)]
        try:
            for revoker in revokers:
                revoker.result()
        finally:
            done.set()
        made = [each for run in publishers for each in run.result()]
    assert len(set(made)) == len(made)  # no number twice
    own, last = publisher()
    last.publish_due()
    own.close()
    listed: set[int] = set()
    for shard in range(shards):
        found = Publications(database).load("issuing", shard)
        assert found is not None
        listed |= {each.serial_number for each in x509.load_der_x509_crl(found.der)}
    assert listed == set(serials)


def test_a_lease_is_one_holders_until_it_is_given_back(database: Database, clock: Clock) -> None:
    first, second = Leases(database, clock=clock), Leases(database, clock=clock)
    with first.turn("work", at_most=MINUTE) as ours:
        assert ours
        with second.turn("work", at_most=MINUTE) as theirs, second.turn("other work", at_most=MINUTE) as other:
            assert (theirs, other) == (False, True)
    with second.turn("work", at_most=MINUTE) as theirs:
        assert theirs


def test_a_lease_whose_time_is_over_falls_to_others(database: Database, clock: Clock) -> None:
    first, second = Leases(database, clock=clock), Leases(database, clock=clock)
    with first.turn("work", at_most=MINUTE):
        clock.moment += MINUTE
        with second.turn("work", at_most=MINUTE) as theirs:
            assert theirs
            with first.turn("work", at_most=MINUTE) as again:
                assert not again


def test_a_lease_is_given_back_where_the_work_fails(database: Database, clock: Clock) -> None:
    with suppress(RuntimeError), Leases(database, clock=clock).turn("work", at_most=MINUTE):
        raise RuntimeError
    with Leases(database, clock=clock).turn("work", at_most=MINUTE) as ours:
        assert ours


@pytest.mark.parametrize("given_back", [True, False])
def test_a_lease_from_a_clock_that_was_ahead_holds_nobody_up(database: Database, clock: Clock, given_back: bool) -> None:
    ahead = Clock()
    ahead.moment += timedelta(days=1)
    with Leases(database, clock=ahead).turn("work", at_most=MINUTE) as ours:
        assert ours
        if not given_back:  # as after a kill
            with Leases(database, clock=clock).turn("work", at_most=MINUTE) as theirs:
                assert theirs
    with Leases(database, clock=clock).turn("work", at_most=MINUTE) as theirs:
        assert theirs


def test_a_clock_that_is_a_little_ahead_keeps_its_lease(database: Database, clock: Clock) -> None:
    ahead = Clock()
    ahead.moment += MINUTE
    with Leases(database, clock=ahead).turn("work", at_most=MINUTE), Leases(database, clock=clock).turn("work", at_most=MINUTE) as theirs:
        assert not theirs


def test_of_many_who_come_at_once_one_gets_the_lease(database: Database, clock: Clock) -> None:
    gate = threading.Barrier(6)

    def take(_: int) -> bool:
        with Leases(database, clock=clock).turn("work", at_most=MINUTE) as ours:
            gate.wait(60)  # until all have asked
            return ours

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]


def test_what_was_recorded_and_never_issued_is_revoked_after_five_minutes(database: Database, clock: Clock) -> None:
    books, reconciliation = Certificates(database), Reconciliation(database, clock=clock)
    books.record(entry(7))
    books.record(replace(entry(8), recorded_at=NOW + MINUTE))
    books.record(entry(9))
    books.mark_issued("issuing", 9, certificate_der=b"der", at=NOW)
    clock.moment = NOW + 5 * MINUTE
    assert reconciliation.run() == ()
    clock.moment = NOW + 5 * MINUTE + timedelta(seconds=1)
    assert reconciliation.run() == (("issuing", 7),)
    assert reconciliation.run() == ()
    found = {serial: books.get("issuing", serial) for serial in (7, 8, 9)}
    assert [each.state for each in found.values() if each] == [
        CertificateState.REVOKED,
        CertificateState.RECORDED,
        CertificateState.ISSUED,
    ]
    with pytest.raises(AlreadyRevokedError, match="revoked before it was issued"):
        books.mark_issued("issuing", 7, certificate_der=b"der", at=NOW)


def test_reconciliation_stands_in_the_log_as_other_revocations_do(database: Database, clock: Clock) -> None:
    Certificates(database).record(entry(255))
    clock.moment = NOW + 6 * MINUTE
    Reconciliation(database, clock=clock).run()
    last = list(log.Log(database).entries())[-1]
    assert (last.kind, last.subject, last.at) == ("certificate.revoked", "certificate/issuing/ff", clock.moment)
    assert last.details == {"reason": "cessationOfOperation", "cause": "never issued"}
    assert list(Publications(database).changes(0, 2)) == [StatusChange("issuing", 255, 1)]


def test_more_than_a_chunk_is_reconciled_in_one_run(database: Database, clock: Clock) -> None:
    import sqlalchemy as sa

    from db.tables import certificates

    with database.writing() as connection:
        connection.execute(sa.insert(certificates), [{**vars(entry(n)), "state": "recorded"} for n in range(1, CHUNK + 3)])
    clock.moment = NOW + 6 * MINUTE
    assert len(Reconciliation(database, clock=clock).run()) == CHUNK + 2


def test_of_issuing_and_reconciling_at_the_same_moment_one_happens(database: Database, clock: Clock) -> None:
    """Never both: no certificate is handed out that is revoked, none revoked that was handed out."""
    books, reconciliation = Certificates(database), Reconciliation(database, clock=clock)
    serials = range(1, 41)
    for serial in serials:
        books.record(entry(serial))
    clock.moment = NOW + 6 * MINUTE
    issued: set[int] = set()

    def issue(serial: int) -> None:
        with suppress(AlreadyRevokedError):
            books.mark_issued("issuing", serial, certificate_der=b"der", at=NOW)
            issued.add(serial)

    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(issue, serial) for serial in serials]
        both = [pool.submit(reconciliation.run) for _ in range(2)]
        for run in runs:
            run.result()
        revoked = {serial for run in both for _, serial in run.result()} | {serial for _, serial in reconciliation.run()}
    assert (issued & revoked, issued | revoked) == (set(), set(serials))
