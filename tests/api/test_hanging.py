"""Books or a key that neither answer nor fail, as behind a machine that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
from cryptography.x509 import ocsp

from api.authority import AuthorityEndpoints
from api.ocsp_cache import OcspCache
from pki.status.ocsp_answer import OcspAnswer, ResponseStatus, refusal
from pki.status.timestamp import FailureInfo, rejection


class Hanging:
    """A responder and a time-stamp authority that say nothing until told."""

    certificates = (b"certificate",)

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[int] = []

    def respond_all(self, requests: Sequence[bytes]) -> list[OcspAnswer]:
        self.asked.append(len(requests))
        self.gate.wait(30)
        return [refusal(ResponseStatus.UNAUTHORIZED)] * len(requests)

    def respond(self, request: bytes) -> bytes:
        self.gate.wait(30)
        return rejection(FailureInfo.BAD_REQUEST, "at last")


def site(hanging: Hanging, patience: float) -> httpx.AsyncClient:
    app = AuthorityEndpoints(
        None,  # type: ignore[arg-type]  # nothing else is asked for
        responder=hanging,  # type: ignore[arg-type]
        tsa=hanging,  # type: ignore[arg-type]
        clock=lambda: datetime(2026, 6, 1, tzinfo=UTC),
        cache=OcspCache(),
        patience=patience,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://pki.eduseal.example")


def status_of(answer: httpx.Response) -> ocsp.OCSPResponseStatus:
    return ocsp.load_der_ocsp_response(answer.content).response_status


def test_books_that_hang_are_given_up_and_the_line_goes_on_once_they_answer() -> None:
    hanging = Hanging()

    async def run() -> tuple[list[httpx.Response], httpx.Response]:
        async with site(hanging, 0.05) as client:
            headers = {"content-type": "application/ocsp-request"}
            waited = await asyncio.gather(
                client.get("/ocsp/MAA="), *(client.post("/ocsp", content=b"x", headers=headers) for _ in range(20))
            )
        hanging.gate.set()
        async with site(hanging, 10) as client:
            return waited, await client.get("/ocsp/MAA=")

    waited, later = asyncio.run(run())
    assert {status_of(answer) for answer in waited} == {ocsp.OCSPResponseStatus.TRY_LATER}
    assert {answer.headers["cache-control"] for answer in waited} == {"no-store"}
    assert status_of(later) is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_key_that_hangs_rejects_in_the_protocol() -> None:
    hanging = Hanging()

    async def run() -> httpx.Response:
        async with site(hanging, 0.05) as client:
            answer = await client.post("/tsa", content=b"x", headers={"content-type": "application/timestamp-query"})
        hanging.gate.set()
        return answer

    assert b"the time-stamp authority is not available" in asyncio.run(run()).content
