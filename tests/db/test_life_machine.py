"""Whatever is asked of certificates, in whatever order: books, revocation list, log and the pure moves agree, on both databases.

A few certificates over three keys, for two holders; the model is the pure moves of :mod:`pki.issuing.certificate_life` on a dictionary.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from db.certificates import Certificates
from db.engine import Database, open_database, sqlite_url
from db.log import Log
from db.schema import upgrade
from db.tables import certificates, metadata
from pki.errors import BlockedKeyError, IssuanceError, KeyTakenError, NotRecordedError
from pki.issuing.certificate_life import COMPROMISE, REVOKED_OR_HELD, issue, release, revoke, suspend
from pki.ports import CertificateEntry, CertificateState

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
KEYS = {name: hashlib.sha256(name.encode()).digest() for name in ("first", "second", "foreign")}
HOLDERS = ("teacher-1", "teacher-2")
ISSUERS = ("root", "issuing")
SERIALS = st.sampled_from([(issuer, serial) for issuer in ISSUERS for serial in (1, 2, 3)])
REASONS = st.sampled_from(["superseded", "affiliationChanged", "keyCompromise", "cACompromise"])
STEPS = 40


class Life(RuleBasedStateMachine):
    """`database` is set by a subclass for each test."""

    database: Database

    @initialize()
    def begin(self) -> None:
        with self.database.writing() as connection:
            connection.execute(sa.delete(metadata.tables["expiry_notices"]))
            connection.execute(sa.delete(certificates))
            connection.execute(sa.delete(metadata.tables["blocked_keys"]))
        self.books = Certificates(self.database)
        self.model: dict[tuple[str, int], CertificateEntry] = {}
        self.blocked: set[bytes] = set()
        self.logged = Log(self.database).size()
        self.told: list[tuple[str, str]] = []
        self.now = START

    def at(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    @rule(name=SERIALS, key=st.sampled_from(sorted(KEYS)), holder=st.sampled_from(HOLDERS))
    def record(self, name: tuple[str, int], key: str, holder: str) -> None:
        entry = CertificateEntry(
            *(*name, "teacher", holder, CertificateState.RECORDED, bytes(32), KEYS[key], START, START + timedelta(days=3), self.at())
        )
        taken = any(each.public_key_sha256 == KEYS[key] and each.holder != holder for each in self.model.values())
        wrong: type[IssuanceError] | None = None
        if name in self.model:
            wrong = IssuanceError
        elif KEYS[key] in self.blocked:
            wrong = BlockedKeyError
        elif taken:
            wrong = KeyTakenError
        if wrong is not None:
            with pytest.raises(wrong):
                self.books.record(entry)
            return
        self.books.record(entry)
        self.model[name] = entry
        self.tell("recorded", name)

    @rule(name=SERIALS)
    def issue(self, name: tuple[str, int]) -> None:
        at = self.at()
        self.both(
            name,
            "issued",
            lambda e: issue(e, certificate_der=b"der", at=at),
            lambda: self.books.mark_issued(*name, certificate_der=b"der", at=at),
        )

    @rule(name=SERIALS)
    def suspend(self, name: tuple[str, int]) -> None:
        at = self.at()
        self.both(name, "suspended", lambda e: suspend(e, at=at), lambda: self.books.mark_suspended(*name, at=at))

    @rule(name=SERIALS)
    def release(self, name: tuple[str, int]) -> None:
        at = self.at()
        self.both(name, "released", release, lambda: self.books.mark_released(*name, at=at))

    @rule(name=SERIALS, reason=REASONS)
    def revoke(self, name: tuple[str, int], reason: str) -> None:
        at = self.at()
        if reason not in COMPROMISE:
            self.both(
                name, "revoked", lambda e: revoke(e, reason=reason, at=at), lambda: self.books.mark_revoked(*name, reason=reason, at=at)
            )
        elif name not in self.model or self.model[name].state is CertificateState.REVOKED:
            with pytest.raises(IssuanceError):
                self.books.mark_revoked(*name, reason=reason, at=at)
        else:
            self.books.mark_revoked(*name, reason=reason, at=at)
            self.compromised(self.model[name].public_key_sha256, reason, at)

    @rule(key=st.sampled_from(sorted(KEYS)), reason=st.sampled_from(sorted(COMPROMISE)))
    def report(self, key: str, reason: str) -> None:
        at = self.at()
        found = self.books.block_key(KEYS[key], reason=reason, at=at)
        assert [(each.issuer, each.serial) for each in found] == self.compromised(KEYS[key], reason, at)

    @rule(days=st.integers(1, 5))
    def expire(self, days: int) -> None:
        """Time passes; what has expired is revoked, suspended and released all the same, and stays on the list."""
        self.now += timedelta(days=days)

    def both(self, name, kind, move, act) -> None:  # type: ignore[no-untyped-def]
        """The books refuse what the model refuses, with the same error."""
        try:
            if name not in self.model:
                raise NotRecordedError("never recorded")
            moved = move(self.model[name])
        except IssuanceError as exc:
            with pytest.raises(type(exc)):
                act()
            return
        act()
        self.model[name] = moved
        self.tell(kind, name)

    def compromised(self, key: bytes, reason: str, at: datetime) -> list[tuple[str, int]]:
        over = [name for name, each in sorted(self.model.items()) if each.public_key_sha256 == key]
        revoked = [name for name in over if self.model[name].state is not CertificateState.REVOKED]
        for name in revoked:
            self.model[name] = revoke(self.model[name], reason=reason, at=at)
            self.tell("revoked", name)
        if key not in self.blocked:
            self.told.append(("key.blocked", f"key/{key.hex()}"))
        self.blocked.add(key)
        return revoked

    def tell(self, kind: str, name: tuple[str, int]) -> None:
        self.told.append((f"certificate.{kind}", f"certificate/{name[0]}/{name[1]:x}"))

    @invariant()
    def books_are_as_the_model(self) -> None:
        if hasattr(self, "model"):
            kept = {(each.issuer, each.serial): each for issuer in ISSUERS for each in self.books.entries(issuer)}
            assert kept == self.model

    @invariant()
    def lists_name_what_is_revoked_or_held(self) -> None:
        if hasattr(self, "model"):
            for issuer in ISSUERS:
                listed = {
                    each.serial: each.revocation_reason for shard in (0, 1) for each in self.books.revoked(issuer, shard=shard, shards=2)
                }
                wanted = {
                    name[1]: e.revocation_reason for name, e in self.model.items() if name[0] == issuer and e.state in REVOKED_OR_HELD
                }
                assert listed == wanted

    @invariant()
    def every_change_is_logged_once(self) -> None:
        if hasattr(self, "model"):
            assert [(each.kind, each.subject) for each in Log(self.database).entries(start=self.logged)] == self.told

    @invariant()
    def nothing_stands_over_a_blocked_key(self) -> None:
        if hasattr(self, "model"):
            assert {e.state for e in self.model.values() if e.public_key_sha256 in self.blocked} <= {CertificateState.REVOKED}


def run(database: Database, examples: int) -> None:
    machine = type("LifeOn", (Life,), {"database": database})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=STEPS, deadline=None, derandomize=True, suppress_health_check=checks),
    )


def test_any_life_on_sqlite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(sqlite_url(Path(folder) / "life.sqlite"))
        upgrade(database)
        run(database, 12)
        database.close()


def test_any_life_on_postgresql(postgres_url: str) -> None:
    database = open_database(postgres_url)
    upgrade(database)
    run(database, 12)
    database.close()


@pytest.mark.long
def test_any_life_at_length(postgres_url: str) -> None:
    database = open_database(postgres_url)
    upgrade(database)
    run(database, 100)
    database.close()
