"""From a revocation to its list: `eduseal serve` on PostgreSQL, 8 shards of 50,000 revoked certificates each.

A certificate is revoked by another process; the clock stops when the service hands out a list of its shard that names it: noticed,
read from the database, made, signed, kept and served. The slowest of several. The peer is `openssl ca -gencrl` over a text index with
as many entries, which is told to begin at once and serves nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import CRL_SHARDS, Organization
from pki.issuing.urls import shard_of
from pki.ports import CertificateEntry, CertificateState
from pki.structures.algorithms import Digest
from tests.postgres import private_server

ENTRIES = 50_000  # in each shard
REVOCATIONS = 5
TARGET = 5.0  # seconds
PATIENCE = 60.0  # seconds
PASSPHRASE = "known to the benchmark"
ORGANIZATION = Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001")

# serial numbers of 158 bits, told apart by a hash; a certificate of 896 octets beside each, as a table has that is in use
FILL = """
INSERT INTO certificates (issuer, serial, profile, holder, state, tbs_sha256, public_key_sha256, not_before, not_after, recorded_at,
                          certificate_der, issued_at, revoked_at, revocation_reason)
SELECT 'issuing', '0' || substr(md5(n::text) || md5('x' || n), 1, 38) || to_hex(n %% 16), 'teacher', 'teacher/' || n, 'revoked',
       decode(md5(n::text) || md5(n::text), 'hex'), decode(md5(n::text) || md5('k' || n), 'hex'), now(), now() + interval '3 years', now(),
       decode(repeat(md5(n::text), 56), 'hex'), now(), now() - n * interval '1 second', 'cessationOfOperation'
FROM generate_series(1, {count}) AS n
"""

Row = dict[str, Any]


def crl_shard() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place, private_server(durable=True) as url:
        settings = Settings.from_environment({}, home=Path(place) / "home", database_url=url)
        plan = HousePlan(ORGANIZATION, "http://pki.eduseal.example")
        house = create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
        with house.stores.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(FILL.format(count=ENTRIES * CRL_SHARDS))
            connection.exec_driver_sql("VACUUM ANALYZE certificates")
        try:
            with _served(settings) as base, httpx.Client(base_url=base, timeout=PATIENCE) as client:
                ours = max(_renewed(house, client, number) for number in range(REVOCATIONS))
        finally:
            house.close()
        peer = _openssl(Path(place))
    compared = {"peer": round(peer, 2), "ratio": round(peer / ours, 2)}
    yield {"name": "crl-shard", "ours": round(ours, 2), **compared, "unit": "s", "target": TARGET, "holds": ours <= TARGET}


def _renewed(house: House, client: httpx.Client, number: int) -> float:
    """Seconds until a certificate that is revoked now stands on the list that is served."""
    serial, books = (1 << 150) + number, house.stores.certificates
    books.record(_entry(serial))
    books.mark_issued("issuing", serial, certificate_der=b"of no matter here", at=utc_now())
    path = f"/crl/issuing/{shard_of(serial, CRL_SHARDS)}.crl"
    before = client.get(path)
    if len(x509.load_der_x509_crl(before.raise_for_status().content)) < ENTRIES:
        raise RuntimeError("the list that is served is not full")
    began = time.perf_counter()
    house.authority.issuing.revoke(serial, "superseded")
    while True:
        answer = client.get(path, headers={"If-None-Match": before.headers["etag"]})
        took = time.perf_counter() - began
        if answer.status_code == 200 and x509.load_der_x509_crl(answer.content).get_revoked_certificate_by_serial_number(serial):
            return took
        if took > PATIENCE:
            raise RuntimeError(f"the list was not renewed within {PATIENCE:g} s")
        time.sleep(0.02)


def _entry(serial: int) -> CertificateEntry:
    now = utc_now()
    return CertificateEntry(
        issuer="issuing",
        serial=serial,
        profile="teacher",
        holder=f"fresh/{serial}",
        state=CertificateState.RECORDED,
        tbs_sha256=bytes(32),
        public_key_sha256=serial.to_bytes(32, "big"),
        not_before=now,
        not_after=now + timedelta(days=365),
        recorded_at=now,
    )


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    """The service in a process of its own, once all its lists are published."""
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "serve", "--port", "0"]
    named = {"EDUSEAL_HOME": str(settings.home), "EDUSEAL_DATABASE_URL": settings.database_url, "EDUSEAL_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(command, env={**os.environ, **named}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"(http://\S+)/verify", process.stdout.readline())
        if found is None:
            raise RuntimeError("eduseal serve did not start")
        deadline = time.monotonic() + PATIENCE
        while not _published(found[1]):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the lists were not published within {PATIENCE:g} s")
            time.sleep(0.2)
        yield found[1]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _published(base: str) -> bool:
    try:
        return bool(httpx.get(f"{base}/healthz").json() == {"status": "ok"})
    except httpx.TransportError:
        return False


def _openssl(folder: Path) -> float:
    """Seconds that `openssl ca -gencrl` takes for as many entries."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")]), utc_now()
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now.replace(year=now.year + 1))
    (folder / "ca.pem").write_bytes(builder.sign(key, Digest.SHA256.hazmat).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    lines = (f"R\t350101000000Z\t260101000000Z,superseded\t{(1 << 158) + n:X}\tunknown\t/CN={n}\n" for n in range(ENTRIES))
    (folder / "index.txt").write_text("".join(lines))
    (folder / "crlnumber").write_text("01\n")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=peer\n[peer]\ndatabase=index.txt\ncrlnumber=crlnumber\ncertificate=ca.pem\nprivate_key=key.pem\n"
        "default_md=sha256\ndefault_crl_days=7\n"
    )
    began = time.perf_counter()
    command = ["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    took = time.perf_counter() - began
    if len(x509.load_pem_x509_crl((folder / "list.pem").read_bytes())) != ENTRIES:
        raise RuntimeError("openssl's list is not full")
    return took


BENCHES = {"crl-shard": crl_shard}
