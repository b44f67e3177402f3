"""A home with an authority, two officers and an approved bulk batch: what is left to do is `eduseal bulk run`."""

from __future__ import annotations

import sys
from pathlib import Path

from config.bootstrap import create_house, open_house, utc_now
from config.bulk import bulk_desk, bulk_work
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import Organization
from records.bulk import Batch
from records.bulk_desk import bulk_order
from records.roster import RosterFile
from tests.support.bulk_cases import bulk_files
from tests.support.registration import OFFICER, PINS, SECOND, house_registration

PASSPHRASE = "a passphrase for tests"
PLAN = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)


def make_bulk_home(home: Path, database_url: str | None = None, *, lint_rate: float = 0) -> House:
    """A new house with two officers. Close it when done."""
    settings = Settings.from_environment({}, home=home, database_url=database_url)
    house = create_house(settings, PLAN, clock=utc_now, passphrase=PASSPHRASE, lint_rate=lint_rate)
    house_registration(house)
    return house


def open_bulk_home(home: Path, database_url: str | None = None, *, lint_rate: float = 0) -> House:
    settings = Settings.from_environment({}, home=home, database_url=database_url)
    return open_house(settings, clock=utc_now, passphrase=PASSPHRASE, lint_rate=lint_rate)


def submit(house: House, people: int, *, chunk: int, files: tuple[RosterFile, RosterFile] | None = None) -> Batch:
    """A batch that waits for its approval, asked for by RA-1."""
    schools, teachers = files or bulk_files(people)
    desk = bulk_desk(house)
    submitted = desk.submit(by=OFFICER, schools=schools, teachers=teachers, chunk=chunk)
    assert submitted.batch is not None
    request = house_registration(house).open(bulk_order(submitted.batch), by=OFFICER, secret=PINS[OFFICER])
    return desk.requested(submitted.batch.id, request.id)


def approve(house: House, batch: Batch) -> None:
    assert batch.request_id is not None
    house_registration(house).approve(batch.request_id, by=SECOND, secret=PINS[SECOND])


def run(house: House, batch_id: str, sheets: Path, *, workers: int = 1) -> None:
    """Starts the batch or carries it on, and stays until it is done."""
    with bulk_work(house, workers=workers) as (work, queue):
        if house_batch(house, batch_id).workflow_id is None:
            sheets.mkdir(mode=0o700, exist_ok=True)
            batch = work.start(batch_id, sheets=sheets)
        else:
            batch = work.resume(batch_id)
        assert batch.workflow_id is not None
        queue.wait(batch.workflow_id)


def house_batch(house: House, batch_id: str) -> Batch:
    return bulk_desk(house).store.get(batch_id)


if __name__ == "__main__":  # python -m tests.support.bulk_home HOME URL BATCH SHEETS: what a test kills
    _house = open_bulk_home(Path(sys.argv[1]), sys.argv[2] or None)
    run(_house, sys.argv[3], Path(sys.argv[4]))
    _house.close()
