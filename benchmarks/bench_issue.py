"""Bulk issuance: an approved batch run to its end by a process of its own, on a PostgreSQL server that waits for the disk at every commit.

`issue` is certificates a second with everything that issuing is: keys made and wrapped, certificates prepared and checked structurally, one
in a hundred by pkilint too, recorded, signed, issued, logged, activation codes on sheets; from the opened house to the finished batch, the
start of the work queue and its two processes included. `issue-memory` is the most that the issuing process and those that make keys for it
held together, in MiB, for the large batch; `peer` is the same for the small one. What they share is counted for each of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from pki.issuing.lint import SAMPLE_RATE
from records.bulk import CHUNK
from tests.postgres import private_server
from tests.support.bulk_home import approve, house_batch, make_bulk_home, open_bulk_home, run, submit

SMALL, LARGE = 2_000, 20_000
WORKERS = 2
RATE = 1_000  # certificates a second, as the issue asks on two processors
FLAT = 1.1  # times the memory of the small batch
LOOK_SECONDS = 0.2

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
    watch = Watch()
    watch.start()
    run(house, batch_id, folder / "sheets", workers=WORKERS)
    seconds = time.perf_counter() - began
    watch.stop()
    issued = sum(len(place.read_text(encoding="utf-8").splitlines()) - 1 for place in (folder / "sheets").iterdir())  # without headings
    assert house_batch(house, batch_id).finished_at is not None
    house.close()
    return {"seconds": seconds, "mib": watch.peak / 2**20, "issued": issued}


class Watch(threading.Thread):
    """Adds up, some times a second, the memory of this process and of all that descend from it; keeps the most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.peak = max(self.peak, sum(map(resident, family(os.getpid()))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def family(root: int) -> set[int]:
    """`root` and its descendants."""
    parents = {int(place.name): parent(place) for place in Path("/proc").iterdir() if place.name.isdigit()}
    found = {root}
    while more := {pid for pid, of in parents.items() if of in found} - found:
        found |= more
    return found


def parent(place: Path) -> int | None:
    try:
        return int((place / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return None


def resident(pid: int) -> int:
    """Octets."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


BENCHES: dict[str, Callable[[], Iterator[Row]]] = {"issue": issue}

if __name__ == "__main__":
    print(json.dumps(alone(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
