"""Memory over a long run: a worker that has judged thousands of documents holds no more than one that has judged some."""

from __future__ import annotations

from pathlib import Path

import pytest

from signing.bulk.intake import Item, find_items
from signing.bulk.pool import DOCUMENTS_PER_WORKER, Pool
from signing.bulk.worker import Task
from tests.support.many_signers import signed_records

FEW, MANY = 2_000, 10_000
GROWTH = 8 * 1024 * 1024  # octets: a few caches that were not quite full after FEW


def resident(pid: int) -> int:
    """Octets of memory that process `pid` holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell of memory")
def test_memory_is_flat_over_ten_thousand_files(tmp_path: Path) -> None:
    records = signed_records(1)
    for number, document in enumerate(records.documents):
        (tmp_path / f"{number:05}.pdf").write_bytes(document)
    for number in range(len(records.documents), MANY):
        (tmp_path / f"{number:05}.pdf").hardlink_to(tmp_path / f"{number % len(records.documents):05}.pdf")
    task = Task(policy=records.policy, trust=records.trust, at=records.at)
    held: dict[int, int] = {}
    with Pool(task, workers=1) as pool:
        for count, row in enumerate(pool.run(_items(tmp_path)), start=1):
            assert (row["indication"], row["engine"]) == ("TOTAL-PASSED", "fast")
            if count % 500 == 0 and count % DOCUMENTS_PER_WORKER:
                (worker,) = pool._all
                held[count] = resident(worker.pid or 0)
    early = max(octets for count, octets in held.items() if count <= FEW)
    late = max(octets for count, octets in held.items() if count > FEW)
    assert late - early < GROWTH, held


def _items(folder: Path) -> list[Item]:
    return list(find_items([str(folder)]))
