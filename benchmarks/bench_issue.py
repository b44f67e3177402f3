"""Bulk issuance: an approved batch run to its end by a process of its own, on a PostgreSQL server that waits for the disk at every commit.

`issue` is certificates a second with everything that issuing is: keys made and wrapped, certificates prepared and checked structurally, one
in a hundred by pkilint too, recorded, signed, issued, logged, activation codes on sheets; from the opened house to the finished batch, the
start of the work queue and its two processes included. `issue-memory` is the peak of the issuing process and of the largest of those that
make keys, in MiB, for the large batch; `peer` is the same for the small one.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from pki.lint import SAMPLE_RATE
from records.bulk import CHUNK
from tests.postgres import private_server
from tests.support.bulk_home import approve, house_batch, make_bulk_home, open_bulk_home, run, submit

SMALL, LARGE = 2_000, 20_000
WORKERS = 2
RATE = 1_000  # certificates a second, as the issue asks on two processors
FLAT = 1.1  # times the memory of the small batch

Row = dict[str, Any]


def issue() -> Iterator[Row]:
    with private_server(durable=True) as server, tempfile.TemporaryDirectory() as folder:
        small, large = (measured(server, Path(folder) / str(people), people) for people in (SMALL, LARGE))
    rate, growth = LARGE / large["seconds"], large["mib"] / small["mib"]
    yield {"name": "issue", "ours": round(rate, 1), "peer": None, "ratio": None, "unit": "1/s", "target": RATE, "holds": rate >= RATE}
    memory = {"ours": round(large["mib"], 1), "peer": round(small["mib"], 1), "ratio": round(growth, 3), "unit": "MiB"}
    yield {"name": "issue-memory", **memory, "target": FLAT, "holds": growth <= FLAT}


def measured(server: str, folder: Path, people: int) -> dict[str, float]:
    """Seconds and MiB of a batch of `people`, in a database and a process of its own."""
    folder.mkdir()
    name = f"issue{people}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server.rsplit("/", 1)[0] + f"/{name}"
    house = make_bulk_home(folder / "home", url)
    batch = submit(house, people, chunk=CHUNK)
    approve(house, batch)
    house.close()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bench_issue", str(folder), url, batch.id]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the batch ended with {done.returncode}: {done.stderr[-400:]}")
    found: dict[str, float] = json.loads(done.stdout)
    if found["issued"] != people:
        raise RuntimeError(f"{found['issued']} of {people} were issued")
    return found


def alone(folder: Path, url: str, batch_id: str) -> dict[str, float]:
    house = open_bulk_home(folder / "home", url, lint_rate=SAMPLE_RATE)
    began = time.perf_counter()
    run(house, batch_id, folder / "sheets", workers=WORKERS)
    seconds = time.perf_counter() - began
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    issued = sum(len(place.read_text(encoding="utf-8").splitlines()) - 1 for place in (folder / "sheets").iterdir())  # without headings
    assert house_batch(house, batch_id).finished_at is not None
    house.close()
    return {"seconds": seconds, "mib": sum(peaks) / 1024, "issued": issued}


BENCHES: dict[str, Callable[[], Iterator[Row]]] = {"issue": issue}

if __name__ == "__main__":
    print(json.dumps(alone(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
