"""What `eduseal verify` loads before the first document: neither pyHanko, which workers load, nor a house with its database."""

from __future__ import annotations

import subprocess
import sys


def test_starting_loads_neither_the_second_verifier_nor_a_database() -> None:
    code = "import sys, cli.verify; print(*{name.partition('.')[0] for name in sys.modules} & {'pyhanko', 'aiohttp', 'sqlalchemy', 'db'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []
