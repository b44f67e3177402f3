"""A thousand pupils imported, by a process that may die at one of them: `python -m tests.support.dying_import URL N`: at the Nth."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, date, datetime

from db.engine import open_database
from db.roster import Roster
from db.roster_saving import PIECE
from records.person import Person, School, Sex, Student
from records.roster_ports import Saved

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SCHOOL = School("s1", "NTRVN-0100109106", "Trường THCS Nguyễn Trãi", "THCS Nguyễn Trãi", "Hà Nội")
PEOPLE = 2 * PIECE + 100


def save(roster: Roster, *, killed_at: int = 0, interrupted_at: int = 0, code: bytes | None = b"wrapped") -> Saved:
    people = [Student(f"p{n:05}", "s1", "9A", "Nguyễn", "An", Sex.MALE, date(2011, 9, 2)) for n in range(PEOPLE)]
    seen = 0

    def wrap(who: Person) -> bytes | None:
        nonlocal seen
        seen += 1
        if seen == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if seen == interrupted_at:
            raise KeyboardInterrupt
        return code

    return roster.save(schools=[SCHOOL], people=people, blocked=[], wrap=wrap, at=NOW)


if __name__ == "__main__":
    save(Roster(open_database(sys.argv[1])), killed_at=int(sys.argv[2]))
