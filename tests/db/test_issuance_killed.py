"""kill -9 at each step of issuance: every certificate whose signature ever left the key store is in the books, answered and revocable."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from db.certificates import Certificates
from db.engine import Database, open_database
from db.errors import DatabaseError
from db.reconciliation import Reconciliation
from db.revoked import revoked_rows
from db.schema import upgrade
from db.statuses import Statuses
from db.tables import certificates
from pki.authority.establish import establish, load
from pki.identity.subject import legal_person
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateState
from pki.status.ocsp import OcspResponder
from tests.support.authority import BASE_URL, ORGANIZATION, SCHOOL, SCHOOL_IDENTIFIER, MemoryKeyStore, shipped_profiles
from tests.support.witness_issuing import RANDOM, SHARDS, STEPS, Nursery, WitnessKeyStore, key_ders, witnessed

SHORT, LONG = 5, 50  # kills at each step, on each database: 10 and 100 together
MAX_TURN = 3  # certificates before the one that is hit
LONGEST = 0.05  # seconds until a kill from outside; a certificate takes a tenth of it
ANSWERS = {
    CertificateState.RECORDED: ("successful", ocsp.OCSPCertStatus.UNKNOWN),
    CertificateState.ISSUED: ("successful", ocsp.OCSPCertStatus.GOOD),
    CertificateState.REVOKED: ("successful", ocsp.OCSPCertStatus.REVOKED),
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Office:
    """An authority in a database, and its keys for another process."""

    url: str
    database: Database
    keys: MemoryKeyStore
    issuing: Authority
    responder: OcspResponder

    @property
    def key_ders(self) -> dict[str, bytes]:
        return key_ders(self.keys)

    def answer(self, serial: int) -> tuple[str, ocsp.OCSPCertStatus | None]:
        issuer = x509.load_der_x509_certificate(self.issuing.certificate_der)
        point = issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        name, key = (hashlib.sha1(octets).digest() for octets in (issuer.subject.public_bytes(), point))
        request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA1()).build()
        found = ocsp.load_der_ocsp_response(self.responder.respond(request.public_bytes(Encoding.DER)).der)
        status = found.certificate_status if found.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL else None
        return found.response_status.name.lower(), status


def make_office(url: str) -> Office:
    database = open_database(url)
    upgrade(database)
    keys = MemoryKeyStore()
    established = establish(
        keys,
        Certificates(database),
        shipped_profiles(),
        clock=now,
        urls=AuthorityUrls(BASE_URL),
        organization=ORGANIZATION,
        crl_shards=SHARDS,
        lint_rate=0,
    )
    responder = OcspResponder(
        issuers={"issuing": established.issuing_der},
        certificate_der=established.ocsp.certificate_der,
        key=established.ocsp.key,
        store=Statuses(database),
        clock=now,
    )
    return Office(url, database, keys, established.issuing, responder)


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    made = make_office(database_url)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


def require_known_answered_revocable(office: Office, seen: set[bytes]) -> set[CertificateState]:
    """The states in which the witnessed certificates were found."""
    with office.database.reading() as connection:
        rows = connection.execute(sa.select(certificates.c.tbs_sha256, certificates.c.serial, certificates.c.state)).all()
    known = {row.tbs_sha256: row for row in rows}
    assert seen <= set(known), "a certificate was signed that the books do not know"
    found = set()
    for digest in seen:
        serial, state = known[digest].serial, CertificateState(known[digest].state)
        found.add(state)
        assert office.answer(serial) == ANSWERS[state]
        if state is not CertificateState.REVOKED:
            office.issuing.revoke(serial, "superseded")
        assert office.answer(serial) == ANSWERS[CertificateState.REVOKED]
        shard = office.issuing.shard_of(serial)
        assert serial in {row.serial for row in revoked_rows(office.database, "issuing", shard=shard, shards=SHARDS)}
    return found


@pytest.mark.parametrize("kills", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("step", [*STEPS, RANDOM])
def test_whatever_was_signed_before_the_kill_is_known_answered_and_revocable(
    office: Office, nursery: Nursery, tmp_path: Path, step: str, kills: int
) -> None:
    draw = random.Random(f"{step} {kills}")
    for number in range(kills):
        witness = tmp_path / f"witness-{number}"
        turn, delay = draw.randint(1, MAX_TURN), draw.uniform(0, LONGEST)
        nursery.kill_one(office.url, office.key_ders, witness, step, turn=turn, delay=delay)
        seen = witnessed(witness)
        if step in ("after the witness", "after signing", "before issue commits", "after issue"):
            assert len(seen) == turn
        elif step != RANDOM:
            assert len(seen) == turn - 1
        require_known_answered_revocable(office, seen)


FAILING = {
    "sqlite": ("CREATE TRIGGER fail_final BEFORE UPDATE ON certificates WHEN NEW.state = 'issued' BEGIN SELECT RAISE(ABORT, 'disk'); END",),
    "postgresql": (
        "CREATE FUNCTION fail_final() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'disk'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER fail_final BEFORE UPDATE ON certificates FOR EACH ROW WHEN (NEW.state = 'issued') EXECUTE FUNCTION fail_final()",
    ),
}


def break_the_final_write(office: Office) -> None:
    with office.database.writing() as connection:
        for statement in FAILING[connection.dialect.name]:
            connection.exec_driver_sql(statement)


def test_a_final_write_that_fails_changes_nothing_in_that(office: Office, tmp_path: Path) -> None:
    break_the_final_write(office)
    witness = tmp_path / "witness"
    issuing = load(
        WitnessKeyStore(office.key_ders, witness, lambda _: None),
        Certificates(office.database),
        shipped_profiles(),
        clock=now,
        urls=AuthorityUrls(BASE_URL),
        crl_shards=SHARDS,
        lint_rate=0,
    ).issuing
    for number in range(10):
        request = CertificateRequest(
            profile="school-seal",
            subject=legal_person(country="VN", name=SCHOOL, identifier=SCHOOL_IDENTIFIER),
            public_key=SoftwareKey.generate().public_key(),
            holder=f"seal/{number}",
        )
        with pytest.raises(DatabaseError, match="disk"):
            issuing.certify(request)
    seen = witnessed(witness)
    assert len(seen) == 10
    assert require_known_answered_revocable(office, seen) == {CertificateState.RECORDED}


def test_a_kill_where_the_final_write_would_fail_changes_nothing_in_that(office: Office, nursery: Nursery, tmp_path: Path) -> None:
    break_the_final_write(office)
    witness = tmp_path / "witness"
    nursery.kill_one(office.url, office.key_ders, witness, "after the witness", turn=1, delay=0)
    seen = witnessed(witness)
    assert len(seen) == 1
    assert require_known_answered_revocable(office, seen) == {CertificateState.RECORDED}


def test_what_a_kill_left_recorded_is_revoked_by_the_reconciliation(office: Office, nursery: Nursery, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    nursery.kill_one(office.url, office.key_ders, witness, "after signing", turn=1, delay=0)
    later = Reconciliation(office.database, clock=lambda: now() + timedelta(minutes=6))
    assert len(later.run()) == 1
    assert require_known_answered_revocable(office, witnessed(witness)) == {CertificateState.REVOKED}
