"""Books from before suspension: nothing is lost, what was known of compromised keys blocks them, and the new states are allowed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from cryptography import x509

from db.certificates import Certificates
from db.engine import Database
from db.errors import DatabaseError
from db.leases import Leases
from db.publication import Publications
from db.schema import _config, upgrade
from pki.errors import BlockedKeyError
from pki.issuing.certificate_life import HOLD
from pki.ports import CertificateEntry, CertificateState
from pki.status.crl import CrlSigner
from pki.status.publication import Publisher
from tests.support.authority import BASE_URL, make_authority

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEYS = [hashlib.sha256(bytes([n])).digest() for n in range(4)]


def entry(serial: int, **changes: object) -> CertificateEntry:
    key = KEYS[serial % 4]
    made = CertificateEntry("issuing", serial, "teacher", f"T{serial}", CertificateState.RECORDED, bytes(32), key, NOW, NOW, NOW)
    return CertificateEntry(**{**made.__dict__, "not_after": NOW + timedelta(days=9), **changes})


ISSUED = entry(1, state=CertificateState.ISSUED, certificate_der=b"der", issued_at=NOW)
LOST = entry(2, state=CertificateState.REVOKED, certificate_der=b"der", issued_at=NOW, revoked_at=NOW, revocation_reason="keyCompromise")
GONE = entry(3, state=CertificateState.REVOKED, revoked_at=NOW, revocation_reason="superseded")


@pytest.fixture(params=["0001", "0004"])
def books(empty_database: Database, request: pytest.FixtureRequest) -> Certificates:
    """Filled at an old version, then brought up to date."""
    with empty_database.writing() as connection:
        command.upgrade(_config(connection), request.param)
    old = sa.Table("certificates", sa.MetaData(), autoload_with=empty_database.engine)
    with empty_database.writing() as connection:
        for each in (ISSUED, LOST, GONE):
            values = {**each.__dict__, "serial": f"{each.serial:040x}", "state": each.state.value}
            connection.execute(sa.insert(old).values(**values))
    upgrade(empty_database)
    return Certificates(empty_database)


def test_no_certificate_is_lost(books: Certificates) -> None:
    assert list(books.entries("issuing")) == [ISSUED, LOST, GONE]


def test_what_was_revoked_is_on_the_first_list_that_is_published(books: Certificates, empty_database: Database) -> None:
    """Nothing in the log of an old database says so: the books do."""
    root = make_authority(NOW)
    clock = lambda: NOW  # noqa: E731
    signer = CrlSigner(
        issuer="issuing",
        issuer_certificate_der=root.issuing_der,
        key=root.issuing_key,
        store=books,
        clock=clock,
        shards=1,
        base_url=BASE_URL,
    )
    store = Publications(empty_database)
    Publisher(sources=[signer], store=store, turns=Leases(empty_database, clock=clock), clock=clock).publish_due()
    published = store.load("issuing", 0)
    assert published is not None
    assert [revoked.serial_number for revoked in x509.load_der_x509_crl(published.der)] == [2, 3]


def test_what_is_issued_can_be_suspended(books: Certificates) -> None:
    books.mark_suspended("issuing", 1, at=NOW)
    found = books.get("issuing", 1)
    assert found is not None
    assert (found.state, found.revoked_at, found.revocation_reason) == (CertificateState.SUSPENDED, NOW, HOLD)


def test_keys_known_as_compromised_are_blocked(books: Certificates) -> None:
    with pytest.raises(BlockedKeyError):
        books.record(entry(9, holder="T2", public_key_sha256=KEYS[2]))
    books.record(entry(10, holder="T3", public_key_sha256=KEYS[3]))


@pytest.mark.parametrize("values", ["state = 'suspended'", "state = 'lost'", "revoked_at = NULL, state = 'revoked'"])
def test_a_state_that_contradicts_its_time_is_refused(books: Certificates, empty_database: Database, values: str) -> None:
    assert books.get("issuing", 1) == ISSUED
    with pytest.raises(DatabaseError), empty_database.writing() as connection:
        connection.execute(sa.text(f"UPDATE certificates SET {values} WHERE holder = 'T1'"))
