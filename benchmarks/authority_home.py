"""A home on PostgreSQL with 100,000 certificates in its books, served by `eduseal serve` in a process of its own."""

from __future__ import annotations

import os
import random
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa
from cryptography import x509

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from db.tables import certificates
from pki.authority.establish import Organization
from tests.postgres import private_server

PASSPHRASE = "known to the benchmark"
CERTIFICATES, ONE_IN = 100_000, 100
DER_OCTETS = 900  # what a teacher's certificate has
START_SECONDS = 60
SEED = 20260905


@dataclass(frozen=True)
class Served:
    """`revoked` are among `serials`; `port` is the service's."""

    home: Path
    port: int
    issuing: x509.Certificate
    serials: tuple[int, ...]
    revoked: frozenset[int]
    now: datetime


@contextmanager
def served_home(folder: Path, *, count: int = CERTIFICATES, workers: int = 1) -> Iterator[Served]:
    with private_server(durable=True) as url:
        plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example")
        settings = Settings.from_environment({}, home=folder / "home", database_url=url)
        house = create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
        try:
            serials, revoked = _fill(house, count)
            issuing = x509.load_der_x509_certificate(house.authority.issuing_der)
        finally:
            house.close()
        with _serving(settings, workers) as port:
            yield Served(settings.home, port, issuing, serials, revoked, utc_now())


def _fill(house: House, count: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """Rows straight into the books: no key is made and nothing is signed, which an answer about their status does not need."""
    chance, now = random.Random(SEED), utc_now()
    serials = tuple(chance.getrandbits(158) | 1 for _ in range(count))
    revoked = frozenset(serials[::ONE_IN])
    filler = secrets.token_bytes(DER_OCTETS)
    row = {
        "issuer": house.authority.issuing.name, "profile": "teacher", "tbs_sha256": bytes(32), "not_before": now, "recorded_at": now,
        "not_after": now + timedelta(days=1096), "certificate_der": filler, "issued_at": now,
    }  # fmt: skip
    issued = {"state": "issued", "revoked_at": None, "revocation_reason": None}
    withdrawn = {"state": "revoked", "revoked_at": now, "revocation_reason": "cessationOfOperation"}
    rows = [
        {**row, "serial": serial, "holder": f"teacher/{number}", "public_key_sha256": number.to_bytes(32, "big")}
        | (withdrawn if serial in revoked else issued)
        for number, serial in enumerate(serials)
    ]
    with house.stores.database.writing() as connection:
        connection.execute(sa.insert(certificates), rows)
    with house.stores.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE certificates")
    return serials, revoked


@contextmanager
def _serving(settings: Settings, workers: int) -> Iterator[int]:
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "serve", "--port", "0", "--workers", str(workers)]
    named = {"EDUSEAL_HOME": str(settings.home), "EDUSEAL_DATABASE_URL": settings.database_url, "EDUSEAL_PASSPHRASE": PASSPHRASE}
    with (settings.home / "serve.log").open("wb") as notes:
        process = subprocess.Popen(command, env={**os.environ, **named}, stdout=subprocess.PIPE, stderr=notes, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)/verify", process.stdout.readline())
        if found is None:
            raise RuntimeError(f"eduseal serve did not start: {(settings.home / 'serve.log').read_text()[-400:]}")
        port = int(found.group(1))
        _wait(port, settings.home / "serve.log")
        yield port
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(port: int, notes: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/ca/root.cer").raise_for_status()
            return
        except httpx.HTTPError as exc:
            if time.monotonic() > deadline:
                raise RuntimeError(f"eduseal serve does not answer: {notes.read_text()[-800:]}") from exc
            time.sleep(0.1)
