"""A load generator that costs little: raw sockets kept alive, requests built beforehand, one at a time on each of several connections.

It runs in a process of its own, so that what it spends is not taken from what it measures, as far as there are processors for both.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import uvloop

SIGNED_OCTETS = 300  # an OCSP answer that is shorter with its headers is an error
KEPT = 20  # bodies handed back, for the caller to judge


@dataclass(frozen=True)
class Load:
    """`p50` and `p99` in milliseconds; `failed` counts answers other than 200; `bodies` are the first few, with the request's number."""

    rate: float
    p50: float
    p99: float
    failed: int
    bodies: tuple[tuple[int, bytes], ...]


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, kind: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def load(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """Asks for so long, over and over from the beginning."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (port, list(requests), connections, seconds))


def load_one_by_one(port: int, requests: Sequence[bytes], *, seconds: float) -> Load:
    """A connection for each request, one after the other: for a server that closes after each answer."""
    took: list[float] = []
    began = now = time.perf_counter()
    for number, request in cycle(enumerate(requests)):
        if now - began >= seconds:
            break
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))  # read at once
        if b" 200" not in answer[:13] or len(answer) < SIGNED_OCTETS:
            raise RuntimeError(f"request {number}: {answer[:80]!r}")
        took.append(time.perf_counter() - now)
        now = time.perf_counter()
    return _load(took, time.perf_counter() - began, 0, ())


def _load(took: list[float], seconds: float, failed: int, bodies: tuple[tuple[int, bytes], ...]) -> Load:
    if not took:
        raise RuntimeError("no answer at all")
    ordered = sorted(took)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.99)]
    return Load(len(ordered) / seconds, at[0], at[1], failed, bodies)


def _measure(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    return uvloop.run(_run(port, requests, connections, seconds))


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    tally = _Tally(cycle(enumerate(requests)), time.perf_counter() + seconds)
    began = time.perf_counter()
    clients = [_Client(tally, loop.create_future()) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]  # bound at once
    await asyncio.gather(*(client.done for client in clients))
    return _load(tally.took, time.perf_counter() - began, tally.failed, tuple(tally.bodies))


class _Tally:
    def __init__(self, requests: Iterator[tuple[int, bytes]], until: float) -> None:
        self.requests, self.until = requests, until
        self.took: list[float] = []
        self.failed = 0
        self.bodies: list[tuple[int, bytes]] = []


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, tally: _Tally, done: asyncio.Future[None]) -> None:
        self._tally = tally
        self._answer = b""
        self._began = 0.0
        self._number = 0
        self.done = done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._tally.until:
            self.done.set_result(None)
            self._transport.close()
            return
        self._number, request = next(self._tally.requests)
        self._answer = b""
        self._transport.write(request)  # type: ignore[attr-defined]  # a TCP transport

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        place = lower.find(b"content-length: ")
        if place < 0 or len(body) < int(lower[place + 16 :].split(b"\r\n", 1)[0]):
            return
        self._count(head, body)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or RuntimeError("the server closed the connection"))

    def _count(self, head: bytes, body: bytes) -> None:
        tally = self._tally
        tally.took.append(time.perf_counter() - self._began)
        tally.failed += b" 200" not in head[:13]
        if len(tally.bodies) < KEPT:
            tally.bodies.append((self._number, body))
