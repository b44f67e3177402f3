"""What holds for every request and every answer: a bound on the body, security headers, HEAD, and what happens when we fail."""

from __future__ import annotations

import traceback
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, fault_response, problem_response

MAX_BODY = 32 * 1024 * 1024  # octets; a record has 0.1 to 1 MB

MAX_FRAMES = 8  # of a fault, in the log
MAX_LENGTH_DIGITS = 18  # of a Content-Length header: Python refuses to read numbers of thousands of digits

log = structlog.get_logger("eduseal.api")

# No script at all; pictures may be the stylesheet's own (data:) icons; forms post to this site; nobody frames it.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class SecurityHeaders:
    """Adds :data:`HEADERS` to every answer, error answers too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message = {**message, "headers": given + [header for header in _RAW_HEADERS if header[0] not in names]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Faults:
    """Answers 500 where the service failed. The log gets the kind of error and the lines it passed; values may be secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as exc:
            if scope["type"] != "http":
                raise
            frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(exc.__traceback__)[-MAX_FRAMES:]]
            log.error("service.fault", path=scope["path"], error=type(exc).__name__, frames=frames)
            if not started:
                await fault_response()(scope, receive, send)


class HeadAsGet:
    """Answers HEAD wherever GET is answered, without the body (RFC 9110 section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class BodyLimit:
    """Refuses a larger body with 413: by its Content-Length before anything is read, else while it is read."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if len(announced) > MAX_LENGTH_DIGITS or (announced.isdigit() and int(announced) > self._limit):
            await problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", self._text(), headers={"Connection": "close"})(
                scope, receive, send
            )
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", self._text())
            return message

        await self._app(scope, counted, send)

    def _text(self) -> str:
        return f"the request is larger than the {self._limit // (1024 * 1024)} MB that are accepted"
