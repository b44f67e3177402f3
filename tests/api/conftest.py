"""A house in a temporary folder, its service without a network, and the same service on a loopback port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from config.bootstrap import create_house
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import Organization
from signing.trust.store import Supplied

PASSPHRASE = "a passphrase for tests"
START_SECONDS = 20


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.moment


class FakeJudge:
    """Answers with the row that a test puts in; remembers what it was asked."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}
        self.asked: list[tuple[str, bytes, datetime, Supplied]] = []
        self.gate: threading.Event | None = None

    def __call__(self, name: str, data: bytes, *, at: datetime, supplied: Supplied) -> dict[str, Any]:
        self.asked.append((name, data, at, supplied))
        if self.gate is not None:
            self.gate.wait(10)
        return {**self.row, "file": name}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared_judge() -> FakeJudge:
    return FakeJudge()


@pytest.fixture
def judge(shared_judge: FakeJudge) -> FakeJudge:
    shared_judge.row, shared_judge.asked, shared_judge.gate = {}, [], None
    return shared_judge


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"), clock)
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(house: House, shared_judge: FakeJudge) -> Iterator[str]:
    """The base URL of the service on a loopback port."""
    with serving(create_app(house, shared_judge)) as base:
        yield base


@pytest.fixture(scope="module")
def client(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=30) as opened:
        yield opened


@pytest.fixture
def doomed_house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    """For a test that breaks something."""
    made = make_house(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def doomed_client(doomed_house: House, judge: FakeJudge) -> Iterator[httpx.Client]:
    with serving(create_app(doomed_house, judge)) as base, httpx.Client(base_url=base, timeout=30) as opened:
        yield opened


def make_house(folder: Path, clock: Clock) -> House:
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
    settings = Settings.from_environment({}, home=folder / "home")
    return create_house(settings, plan, clock=clock, passphrase=PASSPHRASE, lint_rate=0)


class serving:  # noqa: N801 (reads as a statement)
    """`with serving(app) as base_url:` runs uvicorn in a thread."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(app, log_level="warning", lifespan="on")
        self._server = uvicorn.Server(config)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended while starting"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        httpx.get(f"{base}/ca/root.cer").raise_for_status()
        return base

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()
