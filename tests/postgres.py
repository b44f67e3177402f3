"""A private PostgreSQL server for tests, started from the system's binaries and thrown away at the end.

Give a conftest its fixtures with `from tests.postgres import postgres_server, postgres_url`. Where PostgreSQL is not installed the
fixture fails and says so: the same tests must pass on both databases, and a skip would hide that they did not run.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

INSTALL = "PostgreSQL's server is not installed: `make test` installs it when root; otherwise install the package `postgresql`"
START_SECONDS = 60
ACCOUNT = "postgres"  # initdb refuses to run as root


def binaries() -> Path:
    """The newest installed version's bin folder; fails the test where there is none."""
    homes = [Path(found).parent for found in (shutil.which("initdb"), shutil.which("postgres")) if found]
    homes += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for home in homes:
        if (home / "initdb").exists() and (home / "pg_ctl").exists():
            return home
    pytest.fail(INSTALL)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server's maintenance database, `postgresql://postgres@127.0.0.1:PORT/postgres`."""
    with private_server() as url:
        yield url


@contextmanager
def private_server(*, durable: bool = False) -> Iterator[str]:
    """As the fixture gives it; `durable` waits for the disk at every commit, as a server does whose figures count."""
    home = binaries()
    with tempfile.TemporaryDirectory(prefix="eduseal-pg-") as folder:
        base = Path(folder)
        _give(base)
        _run([home / "initdb", "--pgdata", base / "data", "--username", ACCOUNT, "--auth", "trust", "--encoding", "UTF8", "--no-sync",
              "--locale", "C.UTF-8"])  # fmt: skip
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={base}"
        options += "" if durable else " -c fsync=off -c full_page_writes=off"
        options += " -c max_connections=100 -c shared_buffers=32MB"
        _run([home / "pg_ctl", "-D", base / "data", "-o", options, "-l", base / "server.log", "-w", "-t", str(START_SECONDS), "start"])
        try:
            yield f"postgresql://{ACCOUNT}@127.0.0.1:{port}/postgres"
        finally:
            _run([home / "pg_ctl", "-D", base / "data", "-m", "immediate", "-w", "stop"])


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of its own, dropped afterwards."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield postgres_server.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            pytest.fail(INSTALL)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _run(command: list[Path | str]) -> None:
    user = ACCOUNT if os.geteuid() == 0 else None
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never close
        stderr=subprocess.PIPE if command[-1] != "start" else subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{Path(str(command[0])).name} failed with status {done.returncode}: {(done.stderr or '').strip()[-400:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
