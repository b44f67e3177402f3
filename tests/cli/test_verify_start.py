"""What `eduseal verify` loads before the first document: neither the verifiers, which workers load, nor a house with its database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = {"pyhanko", "aiohttp", "sqlalchemy", "db", "signing.verifying.verify", "signing.verifying.engines"}
LEAN = """
from signing.bulk.fork_server import warm
warm()
from signing.bulk.pool import Item, Pool
from signing.verifying.grant import Grant
from signing.bulk.task import Task
from signing.verifying.engine import Engine
from tests.support.verify_cases import RECORD, good_record, standing_house
document, house = good_record(), standing_house()
grant = Grant(memory=8 * 1024 * 1024, memory_per_octet=0)
with Pool(Task(policy=RECORD, trust=house.trust, at=house.now, engine=Engine.REFERENCE, grant=grant), workers=1) as pool:
    print(*(pool.judge(Item(name="a.pdf", path=""), document)["indication"] for _ in range(2)))
"""


def test_starting_loads_neither_verifiers_nor_a_database() -> None:
    code = f"import sys, cli.verify; print(*{HEAVY} & {{part for name in sys.modules for part in (name, name.partition('.')[0])}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []


def test_second_verifier_is_loaded_when_it_is_needed_and_not_on_the_documents_account() -> None:
    """It takes three times the memory that these documents are granted."""
    done = subprocess.run([sys.executable, "-c", LEAN], capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2])
    assert (done.stdout.split(), done.stderr) == (["TOTAL-PASSED"] * 2, "")
