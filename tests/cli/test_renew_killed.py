"""`eduseal renew` over a whole store, killed with SIGKILL twice: every document has exactly one new archive time stamp."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from config.bootstrap import open_stores, utc_now
from config.settings import Settings
from records.ports import DocumentKind
from signing.applying.archive import archive_stamps
from signing.applying.renewal import Renewal
from signing.pdf.document import Document
from tests.support.renewal_home import PASSPHRASE, TSA_YEARS, long_ago, make_old_house

LEFT = timedelta(days=20)  # until the first time-stamp certificate expires
AFTER = LEFT + timedelta(days=40)  # when only a renewed record still passes


def renewing(home: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "EDUSEAL_PASSPHRASE": PASSPHRASE}
    command = [sys.executable, "-m", "cli.main", "renew", "--home", str(home)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def killed_after(home: Path, documents: int) -> int:
    """Kills a run with SIGKILL once it has told of so many documents; how many it had told of when it was dead."""
    run = renewing(home)
    assert run.stdout is not None
    told = 0
    for line in run.stdout:
        told += line.startswith("renewed")
        if told == documents:
            run.send_signal(signal.SIGKILL)
            break
    told += sum(line.startswith("renewed") for line in run.stdout)
    run.stdout.close()
    assert run.wait() == -signal.SIGKILL
    return told


def time_stamps(home: Path) -> list[list[str]]:
    """The names of every signed document's archive time stamps."""
    stores = open_stores(Settings.from_environment({}, home=home))
    try:
        return [
            [field.name for field in archive_stamps(Document.parse(stores.documents.get(each, 1, DocumentKind.SIGNED).pdf))]
            for each in stores.records.ids()
        ]
    finally:
        stores.database.close()


def judged(home: Path, folder: Path, eduseal) -> set[tuple[str, str]]:
    """What `eduseal verify` says of every document after the first time stamp's expiry: (indication, entitlement)."""
    folder.mkdir()
    stores = open_stores(Settings.from_environment({}, home=home))
    for each in stores.records.ids():
        (folder / f"{each}.pdf").write_bytes(stores.documents.get(each, 1, DocumentKind.SIGNED).pdf)
    stores.database.close()
    at = (utc_now() + AFTER).strftime("%Y-%m-%dT%H:%M:%SZ")
    status, out, err = eduseal("verify", folder, "--trust", home / "ca" / "root.pem", "--at", at, "--format", "jsonl", "--engine", "fast")
    assert status == 0, err
    return {(row["indication"], row["entitlement"]) for row in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_killed_twice_every_document_has_exactly_one_new_time_stamp(tmp_path, eduseal, count):
    home = tmp_path / "home"
    house, _ = make_old_house(home, count, at=long_ago(LEFT))
    house.close()
    chance = random.Random(count)
    first = killed_after(home, chance.randrange(1, count // 3))
    second = killed_after(home, chance.randrange(1, count // 3))
    last = renewing(home)
    out, _ = last.communicate(timeout=300)
    assert last.returncode == 0, out
    done = re.search(r"^(\d+) renewed, 0 not\.$", out, re.MULTILINE)
    assert done
    # what a dying run had finished and not yet told of belongs to it
    assert count - 4 <= first + second + int(done[1]) <= count
    assert time_stamps(home) == [["Archive-1", "Archive-2"]] * count
    assert judged(home, tmp_path / "out", eduseal) == {("TOTAL-PASSED", "complete")}


def test_second_run_has_nothing_to_do(tmp_path, eduseal, monkeypatch):
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    home = tmp_path / "home"
    make_old_house(home, 2, at=long_ago(LEFT))[0].close()
    assert eduseal("renew", "--home", home, "--look")[:2] == (0, _looked(2))
    status, out, _ = eduseal("renew", "--home", home)
    assert (status, len(out.splitlines())) == (0, 3)
    assert out.endswith("2 renewed, 0 not.\n")
    assert eduseal("renew", "--home", home) == (0, "0 renewed, 0 not.\n", "")


def test_what_ended_is_told_and_not_stamped(tmp_path, eduseal):
    home = tmp_path / "home"
    house, clock = make_old_house(home, 1, at=long_ago(LEFT))
    clock.moment += TSA_YEARS + timedelta(days=2)
    (result,) = house.services.renewals.run()
    house.close()
    assert (result.record_id, result.renewal, result.renewed) == ("R-0000", Renewal.TOO_LATE, False)
    assert time_stamps(home) == [["Archive-1"]]


def test_what_holds_long_enough_is_left_alone(tmp_path, eduseal, monkeypatch):
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    home = tmp_path / "home"
    make_old_house(home, 1, at=long_ago(timedelta(days=200)))[0].close()
    assert eduseal("renew", "--home", home) == (0, "0 renewed, 0 not.\n", "")
    status, out, _ = eduseal("renew", "--home", home, "--horizon", "365")
    assert status == 1
    assert "a new time stamp would hold no longer: renew the authority's certificates first" in out


def test_renewal_stands_in_the_records_log(tmp_path, eduseal, monkeypatch):
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    home = tmp_path / "home"
    make_old_house(home, 1, at=long_ago(LEFT))[0].close()
    eduseal("renew", "--home", home)
    stores = open_stores(Settings.from_environment({}, home=home))
    entry = stores.records.log("R-0000")[-1]
    document = stores.documents.get("R-0000", 1, DocumentKind.SIGNED)
    stores.database.close()
    assert (entry.event, entry.actor, dict(entry.details)["document_sha256"]) == ("record.renewed", "renewal", document.sha256)


def _looked(count: int) -> str:
    day = (long_ago(LEFT) + timedelta(days=2192)).strftime("%Y-%m-%d")
    return "".join(f"due      R-{number:04}  version 1  holds until {day}\n" for number in range(count)) + f"{count} due, 0 not.\n"
