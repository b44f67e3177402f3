"""Certificates that an authority elsewhere issued enter the books whole, once, and stand in the log."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.certificates import Certificates
from db.engine import Database
from db.log import Log
from pki.errors import DuplicateSerialError, IssuanceError, KeyTakenError
from pki.ports import CertificateEntry, CertificateState

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
ROOT = CertificateEntry(
    issuer="root",
    serial=7,
    profile="root",
    holder="authority/root",
    state=CertificateState.ISSUED,
    tbs_sha256=hashlib.sha256(b"tbs").digest(),
    public_key_sha256=hashlib.sha256(b"key").digest(),
    not_before=NOW,
    not_after=NOW + timedelta(days=365),
    recorded_at=NOW,
    certificate_der=b"\x30\x00",
    issued_at=NOW,
)


def test_it_comes_back_whole_and_is_logged(database: Database) -> None:
    books = Certificates(database)
    books.take_in(ROOT)
    assert books.get("root", 7) == ROOT
    assert [entry.kind for entry in Log(database).entries()] == ["certificate.recorded", "certificate.issued"]


def test_twice_is_refused(database: Database) -> None:
    books = Certificates(database)
    books.take_in(ROOT)
    with pytest.raises(DuplicateSerialError, match="root: serial 7 is taken"):
        books.take_in(ROOT)


def test_one_that_is_not_issued_is_refused(database: Database) -> None:
    with pytest.raises(IssuanceError, match="only a certificate that is issued can be taken in"):
        Certificates(database).take_in(replace(ROOT, state=CertificateState.RECORDED, certificate_der=None, issued_at=None))


def test_key_of_another_holder_is_refused_and_nothing_stays(database: Database) -> None:
    books = Certificates(database)
    books.take_in(ROOT)
    with pytest.raises(KeyTakenError):
        books.take_in(replace(ROOT, serial=8, holder="authority/issuing"))
    assert books.get("root", 8) is None
