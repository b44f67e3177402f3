"""A department's roster: 100,000 pupils imported into SQLite and PostgreSQL, and the same file again. Nothing comparable to stand beside.

The key store is a folder of files, as `eduseal init` makes one; both databases wait for their disk. Each code is encrypted (AES-256-GCM)
when it is new, and opened once at every later import, to find codes that two people give; `roster-codes` says what that alone costs.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from config.bootstrap import utc_now
from db.engine import open_database, sqlite_url
from db.roster import Roster
from db.schema import upgrade
from pki.keys.keystore import FileKeyStore
from pki.ports import KeyStore
from records.codes import unwrap_code, wrap_code
from records.person import PersonalCode, Sex
from records.roster import RosterFile
from records.roster_csv import SCHOOL_COLUMNS, STUDENT_COLUMNS
from records.roster_service import RosterService
from records.sample_names import given_names, place, surnames
from tests.postgres import private_server

PUPILS, OF_A_SCHOOL = 100_000, 1_000
SEED = 20260905

Row = dict[str, Any]


def roster_import() -> Iterator[Row]:
    schools, students = made_up(PUPILS)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        keys = FileKeyStore.create(Path(folder) / "keys", passphrase="known to the benchmark")
        yield _row("codes", _codes(keys), "rows/s")
        for name in ("sqlite", "postgres"):
            server = closing.enter_context(private_server(durable=True)) if name == "postgres" else None
            database = open_database(server or sqlite_url(Path(folder) / "roster.sqlite"))
            upgrade(database)
            service = RosterService(Roster(database), keys, utc_now)
            for again in ("", "-again"):
                seconds, mebibytes = _measured(service, schools, students)
                yield _row(f"{name}{again}", PUPILS / seconds, "rows/s")
                yield _row(f"{name}{again}-memory", mebibytes, "MiB")
            database.close()


def made_up(count: int) -> tuple[RosterFile, RosterFile]:
    """schools.csv and students.csv, every row sound."""
    draw = random.Random(SEED)
    schools = [",".join(SCHOOL_COLUMNS)]
    schools += [f"S{n:05},NTRVN-01{n:08},Trường THCS số {n},THCS số {n},Hà Nội,VN" for n in range(-(-count // OF_A_SCHOOL))]
    students = [",".join(STUDENT_COLUMNS)]
    for n in range(count):
        sex, born = draw.choice((Sex.MALE, Sex.FEMALE)), date(2008, 1, 1) + timedelta(days=draw.randrange(1400))
        province, birth_place = place(draw)
        code = f"{province}{2 + (sex is Sex.FEMALE)}{born.year % 100:02}{n % 1_000_000:06}"
        name = f"{surnames(draw)},{given_names(draw, sex)}"
        school, class_name = n // OF_A_SCHOOL, f"{6 + n % 4}A{n % 8}"
        students.append(f"P{n:07},S{school:05},{class_name},{name},{sex.value},{born},{birth_place},vn-pid,{code}")
    return RosterFile("schools.csv", "\n".join(schools).encode()), RosterFile("students.csv", "\n".join(students).encode())


def _measured(service: RosterService, schools: RosterFile, students: RosterFile) -> tuple[float, float]:
    """Seconds, and MiB that the process grew by at its largest, the files themselves not counted."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): the peak starts anew
    before, start = _memory("VmRSS"), time.perf_counter()
    result = service.import_files(schools=schools, students=students)
    seconds = time.perf_counter() - start
    if len(result.students) != PUPILS:
        raise RuntimeError(f"{len(result.students)} pupils accepted, expected {PUPILS}")
    return seconds, (_memory("VmHWM") - before) / 1024


def _memory(name: str) -> int:
    """KiB."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _codes(keys: KeyStore) -> float:
    """Codes a second that are encrypted and opened again."""
    start = time.perf_counter()
    for n in range(PUPILS):
        unwrap_code(wrap_code(PersonalCode("vn-pid", f"{n:012}"), person_id=f"P{n:07}", keys=keys), person_id=f"P{n:07}", keys=keys)
    return PUPILS / (time.perf_counter() - start)


def _row(name: str, ours: float, unit: str) -> Row:
    return {"name": f"roster-{name}", "ours": ours, "peer": None, "ratio": None, "unit": unit, "target": None, "holds": None}


BENCHES = {"roster-import": roster_import}
