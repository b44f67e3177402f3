"""OCSP (RFC 6960, RFC 5019) and time stamps (RFC 3161) as plain ASGI, ahead of the framework: nothing lies between octets and answer.

A malformed request gets the protocol's own error answer with status 200; a request of the wrong method, type or size gets an HTTP error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

import structlog
from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem_response
from pki.ocsp import OcspAnswer, OcspResponder, ResponseStatus, refusal
from pki.ports import Clock
from pki.timestamp import FailureInfo, TimeStampAuthority, rejection

OCSP_PATH, TSA_PATH = "/ocsp", "/tsa"
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
TSA_REQUEST, TSA_RESPONSE = "application/timestamp-query", "application/timestamp-reply"
MAX_REQUEST = 16 * 1024  # octets; an OCSP request about one certificate has about 100

Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger("eduseal.authority")


class AuthorityEndpoints:
    """Answers `/ocsp`, `/ocsp/BASE64` and `/tsa`; hands everything else to `app`."""

    def __init__(self, app: ASGIApp, *, responder: OcspResponder, tsa: TimeStampAuthority, clock: Clock) -> None:
        self._app = app
        self._responder = responder
        self._tsa = tsa
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == TSA_PATH:
            await self._time_stamp(scope, receive, send)
        elif path == OCSP_PATH or path.startswith(OCSP_PATH + "/"):
            await self._status(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _status(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, encoded = scope["method"], scope["path"].removeprefix(OCSP_PATH).removeprefix("/")
        if method == "POST" and not encoded:
            request = await _body(scope, receive, send, OCSP_REQUEST)
        elif method in ("GET", "HEAD") and encoded:
            request = _decoded(encoded)
        else:
            await _wrong_method(scope, receive, send, allow="GET, HEAD" if encoded else "POST")
            return
        if request is None:
            return
        answer = await to_thread.run_sync(self._answer, request)
        headers = self._cache_headers(answer) if method != "POST" else [(b"cache-control", b"no-store")]
        await _send(send, OCSP_RESPONSE, answer.der, headers, head=method == "HEAD")

    def _answer(self, request: bytes) -> OcspAnswer:
        try:
            return self._responder.respond(request)
        except Exception as exc:
            # store or key failed: say so in the protocol, never "good"
            log.error("ocsp.unavailable", error=type(exc).__name__)
            return refusal(ResponseStatus.TRY_LATER)

    def _cache_headers(self, answer: OcspAnswer) -> Headers:
        """RFC 5019 section 6.2."""
        if not answer.cacheable or answer.this_update is None or answer.next_update is None:
            return [(b"cache-control", b"no-store")]
        left = max(0, int((answer.next_update - self._clock()).total_seconds()))
        return [
            (b"cache-control", f"max-age={left}, public, no-transform, must-revalidate".encode()),
            (b"last-modified", _http_date(answer.this_update)),
            (b"expires", _http_date(answer.next_update)),
            (b"etag", f'"{hashlib.sha256(answer.der).hexdigest()}"'.encode()),
        ]

    async def _time_stamp(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _wrong_method(scope, receive, send, allow="POST")
            return
        request = await _body(scope, receive, send, TSA_REQUEST)
        if request is not None:
            response = await to_thread.run_sync(self._stamp, request)
            await _send(send, TSA_RESPONSE, response, [(b"cache-control", b"no-store")])

    def _stamp(self, request: bytes) -> bytes:
        try:
            return self._tsa.respond(request)
        except Exception as exc:
            log.error("tsa.unavailable", error=type(exc).__name__)
            return rejection(FailureInfo.SYSTEM_FAILURE, "the time-stamp authority is not available; try again later")


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
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


async def _wrong_method(scope: Scope, receive: Receive, send: Send, *, allow: str) -> None:
    detail = f"{scope['method']} is not allowed here; expected {allow}"
    await problem_response(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, headers={"Allow": allow})(scope, receive, send)


async def _send(send: Send, media_type: str, body: bytes, headers: Headers, *, head: bool = False) -> None:
    start = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": b"" if head else body})


def _http_date(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()
