"""A compromised key is never certified again, whoever asks and whatever happens at the same moment; one key has one holder."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.certificates import Certificates
from db.engine import Database
from db.log import Log
from pki.errors import AlreadyRevokedError, BlockedKeyError, IssuanceError, KeyTakenError, NotRecordedError
from pki.ports import CertificateEntry, CertificateState

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEY, OTHER = hashlib.sha256(b"key").digest(), hashlib.sha256(b"another").digest()
THREADS = 20


def entry(serial: int, *, key: bytes = KEY, holder: str = "teacher-1", issuer: str = "issuing") -> CertificateEntry:
    return CertificateEntry(
        issuer=issuer,
        serial=serial,
        profile="teacher",
        holder=holder,
        state=CertificateState.RECORDED,
        tbs_sha256=bytes(32),
        public_key_sha256=key,
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        recorded_at=NOW,
    )


@pytest.fixture
def books(database: Database) -> Certificates:
    return Certificates(database)


def states(books: Certificates, *issuers: str) -> set[tuple[str, str | None]]:
    return {(each.state.value, each.revocation_reason) for issuer in issuers or ("issuing",) for each in books.entries(issuer)}


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise", "aACompromise"])
def test_a_key_revoked_as_compromised_is_not_certified_again(books: Certificates, reason: str) -> None:
    books.record(entry(1))
    books.mark_revoked("issuing", 1, reason=reason, at=NOW)
    with pytest.raises(BlockedKeyError, match=f"the key {KEY.hex()[:16]}… was reported as compromised and is never certified again"):
        books.record(entry(2))
    assert books.get("issuing", 2) is None


def test_nor_by_another_issuer_or_for_another_holder(books: Certificates) -> None:
    books.record(entry(1))
    books.mark_revoked("issuing", 1, reason="keyCompromise", at=NOW)
    for again in (entry(2, issuer="root"), entry(3, holder="teacher-2")):
        with pytest.raises(BlockedKeyError):
            books.record(again)


def test_a_key_revoked_for_another_reason_may_be_certified_again(books: Certificates) -> None:
    books.record(entry(1))
    books.mark_revoked("issuing", 1, reason="superseded", at=NOW)
    books.record(entry(2))


def test_a_compromise_revokes_every_certificate_over_the_key(books: Certificates) -> None:
    for serial, issuer in ((1, "issuing"), (2, "issuing"), (3, "root")):
        books.record(entry(serial, issuer=issuer))
    books.mark_issued("issuing", 2, certificate_der=b"der", at=NOW)
    books.mark_revoked("issuing", 1, reason="keyCompromise", at=NOW)
    assert states(books, "issuing", "root") == {("revoked", "keyCompromise")}


def test_a_certificate_recorded_before_the_compromise_is_not_issued_after_it(books: Certificates) -> None:
    books.record(entry(1))
    books.block_key(KEY, reason="keyCompromise", at=NOW)
    with pytest.raises(AlreadyRevokedError, match="revoked before it was issued"):
        books.mark_issued("issuing", 1, certificate_der=b"der", at=NOW)


def test_blocking_tells_the_log_in_one_transaction(database: Database, books: Certificates) -> None:
    books.record(entry(1))
    books.block_key(KEY, reason="keyCompromise", at=NOW)
    assert [(each.kind, each.subject) for each in Log(database).entries(start=1)] == [
        ("certificate.revoked", "certificate/issuing/1"),
        ("key.blocked", f"key/{KEY.hex()}"),
    ]


def test_blocking_again_changes_nothing(database: Database, books: Certificates) -> None:
    books.block_key(KEY, reason="keyCompromise", at=NOW)
    assert books.block_key(KEY, reason="keyCompromise", at=NOW + timedelta(days=1)) == ()
    assert Log(database).size() == 1


def test_a_key_that_nobody_has_can_be_blocked_in_advance(books: Certificates) -> None:
    assert books.block_key(KEY, reason="keyCompromise", at=NOW) == ()
    with pytest.raises(BlockedKeyError):
        books.record(entry(1))


def test_a_reason_that_says_nothing_of_the_key_blocks_none(books: Certificates) -> None:
    with pytest.raises(IssuanceError, match="reason to block a key: got 'superseded', expected one of aACompromise, cACompromise, key"):
        books.block_key(KEY, reason="superseded", at=NOW)


def test_a_compromise_is_told_of_a_certificate_once(books: Certificates) -> None:
    books.record(entry(1))
    books.mark_revoked("issuing", 1, reason="keyCompromise", at=NOW)
    with pytest.raises(AlreadyRevokedError, match="issuing: serial 1 is revoked already; a revocation is final"):
        books.mark_revoked("issuing", 1, reason="keyCompromise", at=NOW)
    with pytest.raises(NotRecordedError, match="issuing: serial 9 was never recorded"):
        books.mark_revoked("issuing", 9, reason="keyCompromise", at=NOW)


def test_a_key_certified_for_one_holder_is_refused_to_another(books: Certificates) -> None:
    books.record(entry(1))
    with pytest.raises(KeyTakenError, match=f"the key {KEY.hex()[:16]}… stands in a certificate of teacher-1; teacher-2 needs a key of"):
        books.record(entry(2, holder="teacher-2"))
    assert books.get("issuing", 2) is None


def test_a_holder_may_have_several_certificates_over_one_key(books: Certificates) -> None:
    books.record(entry(1))
    books.record(entry(2))


def test_the_key_of_a_revoked_certificate_stays_its_holders(books: Certificates) -> None:
    books.record(entry(1))
    books.mark_revoked("issuing", 1, reason="superseded", at=NOW)
    with pytest.raises(KeyTakenError):
        books.record(entry(2, holder="teacher-2"))


def test_many_keys_are_judged_in_one_question(books: Certificates) -> None:
    free = {hashlib.sha256(n.to_bytes(4)).digest(): f"holder-{n}" for n in range(1_200)}
    books.record(entry(1, key=OTHER))
    books.block_key(KEY, reason="keyCompromise", at=NOW)
    found = books.refused_keys({**free, KEY: "teacher-1", OTHER: "teacher-2"})
    assert {key: type(error) for key, error in found.items()} == {KEY: BlockedKeyError, OTHER: KeyTakenError}
    assert books.refused_keys({OTHER: "teacher-1"}) == {}


def test_no_certificate_slips_in_beside_a_block(database: Database) -> None:
    """Twenty at once, of whom two report the key: whatever the order, nothing over it stands afterwards."""

    def act(n: int) -> str:
        books = Certificates(database)
        if n in (7, 13):
            books.block_key(KEY, reason="keyCompromise", at=NOW)
            return "blocked"
        try:
            books.record(entry(n + 1))
            books.mark_issued("issuing", n + 1, certificate_der=b"der", at=NOW)
        except (BlockedKeyError, AlreadyRevokedError) as exc:
            return type(exc).__name__
        return "issued"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(act, range(THREADS)))
    assert outcomes.count("blocked") == 2
    assert states(Certificates(database)) <= {("revoked", "keyCompromise")}
    with pytest.raises(BlockedKeyError):
        Certificates(database).record(entry(99))


def test_of_many_holders_at_once_one_gets_the_key(database: Database) -> None:
    def act(n: int) -> bool:
        try:
            Certificates(database).record(replace(entry(n + 1), holder=f"teacher-{n}"))
        except KeyTakenError:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(act, range(THREADS))) == 1
