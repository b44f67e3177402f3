"""`eduseal crl` and `eduseal certificates reconcile`."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from cryptography import x509

from db.tables import certificates
from db.tables_publication import published_crls

SHARDS = 2  # of the school's home
PATIENCE = 60  # seconds; a busy machine is not a wrong answer
ROOT = Path(__file__).parents[2]


def shards(desk) -> list[list[str]]:
    return [line.split() for line in desk("crl", "list")[1].splitlines()[1:]]


def crl_of(folder: Path, serial: int) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((folder / "crl" / "issuing" / f"{serial % SHARDS}.crl").read_bytes())


@pytest.fixture
def serial(desk) -> int:
    with desk.books() as books:
        return books.certificates.of_holder("SM-GV05")[0].serial


def test_what_is_due_is_published_once(desk):
    status, out, err = desk("crl", "publish")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["ISSUER", "SHARD", "NUMBER", "THIS", "UPDATE", "NEXT", "UPDATE", "STATE"]
    before = shards(desk)
    assert [line[0] for line in before] == ["issuing"] * SHARDS + ["root"]
    assert {line[-1] for line in before} == {"current"}
    desk("crl", "publish")
    assert shards(desk) == before


def test_after_a_revocation_its_shard_alone_is_published_anew(desk, serial):
    desk("crl", "publish")
    before = shards(desk)
    desk("revoke", f"{serial:x}", "--reason", "superseded", "--yes")
    desk("crl", "publish", "--out", "web")
    changed = [line[:2] for line, old in zip(shards(desk), before, strict=True) if line[2] != old[2]]
    assert changed == [["issuing", str(serial % SHARDS)]]
    assert crl_of(Path("web"), serial).get_revoked_certificate_by_serial_number(serial) is not None


def test_all_makes_every_list_anew(desk):
    desk("crl", "publish")
    before = shards(desk)
    desk("crl", "publish", "--all")
    assert all(int(line[2]) > int(old[2]) for line, old in zip(shards(desk), before, strict=True))


def test_a_folder_for_a_web_server_has_lists_and_certificates_where_certificates_point(desk):
    desk("crl", "publish", "--out", "web")
    found = sorted(str(path.relative_to("web")) for path in Path("web").rglob("*.*"))
    lists = [f"crl/issuing/{shard}.crl" for shard in range(SHARDS)] + ["crl/root/0.crl"]
    assert found == ["ca/issuing.cer", "ca/issuing.pem", "ca/root.cer", "ca/root.pem", *lists]
    assert {path.stat().st_mode & 0o777 for path in Path("web").rglob("*.*")} == {0o644}


def test_lists_that_were_not_renewed_are_called_overdue_or_expired(desk):
    desk("crl", "publish")
    with desk.books() as books, books.database.writing() as connection:
        for shard, days in ((0, 4), (1, 8)):
            row = sa.update(published_crls).where(published_crls.c.issuer == "issuing", published_crls.c.shard == shard)
            state = books.publications.state("issuing", shard)
            ago = timedelta(days=days)
            connection.execute(row.values(this_update=state.this_update - ago, next_update=state.next_update - ago))
    assert [line[-1] for line in shards(desk)][:3] == ["overdue", "expired", "current"]


@pytest.fixture
def service(desk) -> Iterator[str]:
    """`eduseal serve` with two processes on this home."""
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "serve", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = re.search(r"(http://\S+)/verify", process.stdout.readline())
        wait_until(lambda: answers(f"{url[1]}/healthz"))
        yield url[1]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).json() == {"status": "ok"}
    except httpx.TransportError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_what_a_command_revokes_the_running_service_publishes(desk, service, serial):
    path = f"{service}/crl/issuing/{serial % SHARDS}.crl"

    def listed() -> bool:
        crl = x509.load_der_x509_crl(httpx.get(path).raise_for_status().content)
        return crl.get_revoked_certificate_by_serial_number(serial) is not None

    assert not listed()
    assert desk("revoke", f"{serial:x}", "--reason", "superseded", "--yes")[0] == 0
    wait_until(listed)
    assert {line[-1] for line in shards(desk)} == {"current"}


def test_what_was_never_issued_is_revoked_after_five_minutes(desk, serial):
    assert desk("certificates", "reconcile") == (0, "0 revoked.\n", "")
    with desk.books() as books, books.database.writing() as connection:
        one = sa.update(certificates).where(certificates.c.serial == serial)
        entry = books.certificates.get("issuing", serial)
        connection.execute(one.values(state="recorded", certificate_der=None, recorded_at=entry.recorded_at - timedelta(minutes=6)))
    expected = f"Certificate {serial:x} of issuing was never issued and is revoked.\n1 revoked.\n"
    assert desk("certificates", "reconcile") == (0, expected, "")
    assert re.search(rf"^{serial:x} .* revoked: cessationOfOperation ", desk("certificates")[1], re.MULTILINE)
