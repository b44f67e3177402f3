"""kill -9 in the middle of an import: the books are as they were, and the same import then goes through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.log import Log
from db.roster import Roster
from db.roster_saving import PIECE
from db.tables import people, personal_codes, schools
from records.roster_ports import Saved
from tests.support.dying_import import PEOPLE, save

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("at", [1, PIECE + 1, PEOPLE - 1])
def test_a_killed_import_leaves_nothing_and_can_be_repeated(database: Database, database_url: str, at: int) -> None:
    command = [sys.executable, "-m", "tests.support.dying_import", database_url, str(at)]
    assert subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False).returncode == -signal.SIGKILL
    with database.reading() as connection:
        counts = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in (schools, people, personal_codes)]
    assert (counts, Log(database).size()) == ([0, 0, 0], 0)
    assert save(Roster(database)) == Saved(PEOPLE, 0, 0)
    assert save(Roster(database), code=None) == Saved(0, 0, PEOPLE)


def test_an_import_that_is_interrupted_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt):
        save(Roster(database), interrupted_at=PIECE + 7)
    assert (Roster(database).students(), Log(database).size()) == ((), 0)
