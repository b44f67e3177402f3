"""A bulk batch killed twice half way: everybody ends with one certificate and one line on a sheet; no secret is in the queue's tables."""

from __future__ import annotations

import csv
import io
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.house import House
from db.bulk import BulkBatches
from db.tables import certificates, holder_keys
from db.tables_log import log_entries
from pki.keys.pin import ActivationCode, Pin
from pki.ports import CertificateState
from records.bulk import Batch, BatchState
from tests.postgres import postgres_server, postgres_url
from tests.support.bulk_cases import bulk_files, codes_of
from tests.support.bulk_home import PASSPHRASE, approve, make_bulk_home, submit
from tests.support.registration import PINS

__all__ = ["postgres_server", "postgres_url"]

ROOT = Path(__file__).parents[2]
DEADLINE = 300  # seconds; a process that makes no progress in that time fails the test
CHOSEN_PIN = "con mèo béo bảy"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    found = request.getfixturevalue("postgres_url")
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(("people", "chunk"), [(200, 25), pytest.param(2000, 250, marks=pytest.mark.long)])
def test_a_batch_killed_twice_ends_with_one_certificate_each(tmp_path: Path, url: str | None, people: int, chunk: int) -> None:
    home, sheets = tmp_path / "home", tmp_path / "sheets"
    files = bulk_files(people)
    house = make_bulk_home(home, url)
    batch = submit(house, people, chunk=chunk, files=files)
    approve(house, batch)
    draw = random.Random(people)

    for share in (0.25, 0.6):
        run_and_kill(house, home, url, batch, sheets, issued=int(share * people), draw=draw)
    run_to_the_end(home, url, batch, sheets)

    codes = require_one_each(house, sheets, people)
    store = BulkBatches(house.stores.database)
    assert store.get(batch.id).state is BatchState.DONE
    assert store.progress(batch.id).issued == people
    holder, code = next(iter(codes.items()))
    house.services.holders.activate(holder, ActivationCode(code), Pin(CHOSEN_PIN))
    require_no_secret(house, [*codes_of(files[1]), *codes.values(), *PINS.values(), CHOSEN_PIN, PASSPHRASE])
    house.close()


def run_and_kill(house: House, home: Path, url: str | None, batch: Batch, sheets: Path, *, issued: int, draw: random.Random) -> None:
    """Killed at a random moment after `issued` people have their certificates."""
    store = BulkBatches(house.stores.database)
    process = started(home, url, batch, sheets)
    try:
        deadline = time.monotonic() + DEADLINE
        while store.progress(batch.id).issued < issued:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.1))
    finally:
        process.kill()
        process.communicate()
    assert store.get(batch.id).state is BatchState.RUNNING


def run_to_the_end(home: Path, url: str | None, batch: Batch, sheets: Path) -> None:
    process = started(home, url, batch, sheets)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err


def started(home: Path, url: str | None, batch: Batch, sheets: Path) -> subprocess.Popen[str]:
    arguments = [str(home), url or "", batch.id, str(sheets)]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.support.bulk_home", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def require_one_each(house: House, sheets: Path, people: int) -> dict[str, str]:
    """One certificate and one key for each person, in the books and on a sheet; returns their activation codes."""
    with house.stores.database.reading() as connection:
        rows = connection.execute(sa.select(certificates).where(certificates.c.holder.like("GV%"))).all()
        keys = connection.execute(sa.select(holder_keys.c.holder, holder_keys.c.serial)).all()
        logged = connection.execute(sa.select(log_entries.c.subject).where(log_entries.c.kind == "certificate.issued")).scalars().all()
    issued = {row.holder: row.serial for row in rows if row.state == CertificateState.ISSUED.value}
    assert Counter(row.holder for row in rows if row.state == CertificateState.ISSUED.value).most_common(1)[0][1] == 1
    assert len(issued) == people
    assert {row.state for row in rows} <= {"issued", "revoked"}
    assert all(row.certificate_der is None for row in rows if row.state == "revoked")
    assert {key.holder: key.serial for key in keys} == issued
    assert len(keys) == people
    assert {f"certificate/issuing/{serial:x}" for serial in issued.values()} <= set(logged)
    lines = [line for path in sheets.iterdir() for line in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]
    assert [path.name for path in sheets.iterdir() if path.name.startswith(".")] == []
    assert {line["holder"]: int(line["certificate"], 16) for line in lines} == issued
    assert len(lines) == people
    return {line["holder"]: line["activation_code"] for line in lines}


def require_no_secret(house: House, secrets: list[str]) -> None:
    """Every value of every table of the work queue, and of the batches, is looked through for every secret."""
    with house.stores.database.reading() as connection:
        inspector = sa.inspect(connection)
        sqlite = connection.dialect.name == "sqlite"
        schema = None if sqlite else "dbos"
        ours = {"bulk_batches", "bulk_chunks", "bulk_people", "bulk_certificates", "work_executors"}
        queue = [name for name in inspector.get_table_names(schema=schema) if not sqlite or name not in _OUR_TABLES]
        assert "workflow_status" in queue
        tables = [(schema, name) for name in queue] + [(None, name) for name in sorted(ours)]
        text = "\n".join(
            repr(tuple(row))
            for place, name in tables
            for row in connection.execute(sa.select(sa.text("*")).select_from(sa.table(name, schema=place)))
        )
    assert batch_is_told_of(text)
    assert [secret for secret in secrets if secret in text] == []


def batch_is_told_of(text: str) -> bool:
    """The search looked where the work is: without this a search of nothing would find nothing."""
    return "bulk-issuance" in text


_OUR_TABLES = frozenset(certificates.metadata.tables)
