"""OCSP (RFC 6960, RFC 5019) and time stamps (RFC 3161) as plain ASGI, ahead of the framework: nothing lies between octets and answer.

A malformed request gets the protocol's own error answer with status 200; a request of the wrong method, type or size gets an HTTP error.
A GET that was answered before is answered from memory, at once; everything else stands in line for a thread that takes all who wait, and
where that takes too long hears that it is to try later.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from api.batches import Batches
from api.errors import problem_response
from api.ocsp_cache import NOT_KEPT, Headers, OcspCache, ReadyAnswer, ready
from pki.ports import Clock
from pki.status.ocsp import OcspResponder
from pki.status.ocsp_answer import OcspAnswer, ResponseStatus, refusal
from pki.status.ocsp_group import OcspResponders
from pki.status.timestamp import FailureInfo, TimeStampAuthority, rejection

OCSP_PATH, TSA_PATH = "/ocsp", "/tsa"
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
TSA_REQUEST, TSA_RESPONSE = "application/timestamp-query", "application/timestamp-reply"
PATIENCE = 10.0  # seconds that books or key may take over an answer; clients give up after 5 to 15
MAX_REQUEST = 16 * 1024  # octets; an OCSP request about one certificate has about 100

UNAVAILABLE = "the time-stamp authority is not available; try again later"
NO_BODY = {"type": "http.response.body", "body": b""}

log = structlog.get_logger("eduseal.authority")


class AuthorityEndpoints:
    """Answers `/ocsp`, `/ocsp/BASE64` and `/tsa`; hands everything else to `app`. `cache` is kept honest by its :mod:`api.status_watch`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        responder: OcspResponder | OcspResponders,
        tsa: TimeStampAuthority,
        clock: Clock,
        cache: OcspCache,
        patience: float = PATIENCE,
    ) -> None:
        self._app = app
        self._responder = responder
        self._tsa = tsa
        self._clock = clock
        self._cache = cache
        self._certificates = responder.certificates
        self._patience = patience
        self._statuses = Batches(self._answer_all, name="ocsp")
        self._stamps = Batches(self._stamp_all, name="tsa")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(OCSP_PATH + "/"):
            await self._status_by_path(scope, receive, send)
        elif path == OCSP_PATH:
            await self._status_by_body(scope, receive, send)
        elif path == TSA_PATH:
            await self._time_stamp(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _status_by_path(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        encoded = path[len(OCSP_PATH) + 1 :]
        if method not in ("GET", "HEAD") or not encoded:
            await _wrong_method(scope, receive, send, allow="GET, HEAD" if encoded else "POST")
            return
        if self._responder.certificates != self._certificates:  # nothing is given out under the old one
            self._certificates = self._responder.certificates
            self._cache.clear()
        found = self._cache.get(path, now=self._clock())
        if found is None:
            generation = self._cache.generation
            answer = await self._status(_decoded(encoded))
            found, may_be_kept = ready(answer, media_type=OCSP_RESPONSE.encode(), now=self._clock())
            if may_be_kept:
                self._cache.put(path, found, generation=generation)
        await _send_ready(scope, send, found)

    async def _status_by_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _wrong_method(scope, receive, send, allow="POST")
            return
        request = await _body(scope, receive, send, OCSP_REQUEST)
        if request is not None:
            answer = await self._status(request)
            await _send(send, OCSP_RESPONSE, answer.der, NOT_KEPT)

    async def _time_stamp(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _wrong_method(scope, receive, send, allow="POST")
            return
        request = await _body(scope, receive, send, TSA_REQUEST)
        if request is not None:
            await _send(send, TSA_RESPONSE, await self._stamped(request), NOT_KEPT)

    async def _status(self, request: bytes) -> OcspAnswer:
        try:
            async with asyncio.timeout(self._patience):
                return await self._statuses.ask(request)
        except TimeoutError:
            log.error("ocsp.unavailable", error="TimeoutError")
            return refusal(ResponseStatus.TRY_LATER)

    async def _stamped(self, request: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                return await self._stamps.ask(request)
        except TimeoutError:
            log.error("tsa.unavailable", error="TimeoutError")
            return rejection(FailureInfo.SYSTEM_FAILURE, UNAVAILABLE)

    def _answer_all(self, requests: Sequence[bytes]) -> Sequence[OcspAnswer]:
        try:
            return self._responder.respond_all(requests)
        except Exception as exc:
            # store or key failed: say so in the protocol, never "good"
            log.error("ocsp.unavailable", error=type(exc).__name__)
            return [refusal(ResponseStatus.TRY_LATER)] * len(requests)

    def _stamp_all(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        return [self._stamp(request) for request in requests]

    def _stamp(self, request: bytes) -> bytes:
        try:
            return self._tsa.respond(request)
        except Exception as exc:
            log.error("tsa.unavailable", error=type(exc).__name__)
            return rejection(FailureInfo.SYSTEM_FAILURE, UNAVAILABLE)


async def _body(scope: Scope, receive: Receive, send: Send, media_type: str) -> bytes | None:
    """The request's body; None where an error has been sent already."""
    given = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if given != media_type:
        detail = f"content type is {given[:80] or 'missing'}, expected {media_type}"
        await problem_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)(scope, receive, send)
        return None
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_REQUEST:
            detail = f"the request is larger than the {MAX_REQUEST} octets that are accepted"
            response = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail, headers={"Connection": "close"})
            await response(scope, receive, send)
            return None
    return body


def _decoded(encoded: str) -> bytes:
    """The request of a GET (RFC 6960 appendix A.1); what is not base64 becomes an empty, hence malformed, request."""
    if len(encoded) > MAX_REQUEST:
        return b""
    # clients that write a slash behind an address that ends with one; no request begins so, which as base64 would be the octet 0xFC or more
    encoded = encoded.removeprefix("/")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


async def _wrong_method(scope: Scope, receive: Receive, send: Send, *, allow: str) -> None:
    detail = f"{scope['method']} is not allowed here; expected {allow}"
    await problem_response(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, headers={"Allow": allow})(scope, receive, send)


async def _send(send: Send, media_type: str, body: bytes, headers: Headers) -> None:
    start = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def _send_ready(scope: Scope, send: Send, found: ReadyAnswer) -> None:
    """In full; or, to whoever has it already (RFC 9110 section 13.1.2), that it is unchanged."""
    known = found.etag and any(name == b"if-none-match" and found.etag in value for name, value in scope["headers"])
    await send(found.unchanged if known else found.start)
    await send(NO_BODY if known or scope["method"] == "HEAD" else found.body)
