"""`eduseal init`, `serve` and `api-key` as a person meets them: command, stdout, stderr, exit status."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from config.bootstrap import open_stores, utc_now
from config.settings import Settings
from db.roster import Roster
from records.person import School

PASSPHRASE = "correct horse"
START_SECONDS = 40


def eduseal(*arguments: str | Path, passphrase: str | None = PASSPHRASE, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        env=_environment(passphrase, **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _environment(passphrase: str | None, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDUSEAL_")}
    return {**kept, **({"EDUSEAL_PASSPHRASE": passphrase} if passphrase else {}), **more}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "home"
    done = eduseal("init", "--home", folder, "--name", "Sở Giáo dục (mẫu)", "--identifier", "NTRVN-0100000001")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("ca/root.pem", "ca/issuing.pem", "keys", "house.toml", "documents", "eduseal.sqlite"):
        assert str(folder / name) in done.stdout
    assert re.search(r"^SHA-256 fingerprint: ([0-9A-F]{2}:){31}[0-9A-F]{2}$", done.stdout, re.MULTILINE)
    assert f"\nNext: eduseal serve --home {folder}\n" in done.stdout
    assert done.stdout.endswith(f'\n      eduseal officer add RA-1 --name NAME --reason "the first officers" --home {folder}\n')
    return folder


def test_init_twice_changes_nothing(home: Path) -> None:
    done = eduseal("init", "--home", home)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == f"eduseal: {home} holds an authority already (ca/root.pem); nothing was changed\n"


def test_init_without_a_passphrase_makes_nothing(tmp_path: Path) -> None:
    done = eduseal("init", "--home", tmp_path / "home", passphrase=None)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == "eduseal: no passphrase for the key store: name a passphrase file, or set EDUSEAL_PASSPHRASE\n"
    assert list(tmp_path.iterdir()) == []


def test_init_takes_the_home_from_the_environment(tmp_path: Path) -> None:
    done = eduseal("init", EDUSEAL_HOME=str(tmp_path / "h"))
    assert done.returncode == 0
    assert (tmp_path / "h" / "ca" / "root.pem").is_file()


def test_upgrade_says_what_it_did(home: Path) -> None:
    done = eduseal("init", "--upgrade", "--home", home, passphrase=None)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"The database of {home} is up to date.\n", "")


def test_serving_with_a_wrong_passphrase_is_one_line(home: Path) -> None:
    done = eduseal("serve", "--home", home, "--port", "0", passphrase="a wrong passphrase")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (65, "", 1)
    assert "a wrong passphrase" not in done.stderr


def test_serving_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    done = eduseal("serve", "--home", tmp_path / "none")
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.endswith(f"holds no authority; `eduseal init --home {tmp_path / 'none'}` makes one\n")


def test_a_key_is_made_shown_once_listed_and_revoked(home: Path) -> None:
    stores = open_stores(Settings.from_environment({}, home=home))
    school = School("s1", "NTRVN-0100109106", "Trường", "Trường", "Hà Nội")
    Roster(stores.database).save(schools=[school], people=[], blocked=[], wrap=lambda who: None, at=utc_now())
    made = eduseal("api-key", "create", "--school", "s1", "--label", "SIS", "--home", home, passphrase=None)
    assert made.returncode == 0
    token = made.stdout.strip()
    key = stores.api_keys.authenticate(token)
    assert key is not None
    assert made.stderr == f"Key {key.id} acts for school s1. It is not shown again: keep it where passwords are kept.\n"
    listed = eduseal("api-key", "list", "--home", home, passphrase=None).stdout
    assert key.id in listed
    assert "in force" in listed
    assert token not in listed
    assert eduseal("api-key", "revoke", key.id, "--home", home, passphrase=None).returncode == 0
    assert stores.api_keys.authenticate(token) is None
    stores.database.close()


def test_a_key_for_an_unknown_school_is_refused(home: Path) -> None:
    done = eduseal("api-key", "create", "--school", "nowhere", "--home", home, passphrase=None)
    assert (done.returncode, done.stdout, done.stderr) == (65, "", "eduseal: school nowhere is not in the roster\n")


@pytest.fixture
def running(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cli.main", "serve", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, env=_environment(PASSPHRASE), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    base = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{base}/verify")
            break
        except httpx.TransportError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield process, base
    process.kill()
    process.communicate()


def test_serve_answers_judges_and_ends_when_asked(running: tuple[subprocess.Popen[str], str], home: Path) -> None:
    process, base = running
    row = httpx.post(f"{base}/api/v1/verify", files={"file": ("x.pdf", b"no PDF")}, timeout=30).json()
    assert (row["indication"], row["file"]) == ("NO-SIGNATURE", "x.pdf")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert out == f"EduSeal serves {home} on {base}/verify (Ctrl-C ends it)\n"
    assert err in ("", "eduseal: interrupted\n")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks Linux for the environment of a process")
def test_processes_that_judge_strangers_files_do_not_hold_the_passphrase(running: tuple[subprocess.Popen[str], str]) -> None:
    process, base = running
    httpx.post(f"{base}/api/v1/verify", files={"file": ("x.pdf", b"no PDF")}, timeout=30)
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    found = {child: Path(f"/proc/{child}/environ").read_bytes() for child in children}
    assert found
    assert not any(PASSPHRASE.encode() in environment for environment in found.values())
