"""HTTP errors as RFC 9457 problem documents, and the one table that maps the house's errors to HTTP.

A problem's `type` is stable; `detail` says what was got and expected. A fault of ours says nothing but that it is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from config.errors import ConfigError
from db.errors import DatabaseError
from db.prepared import TooManyPreparationsError
from pki.errors import (
    AlreadyIssuedError,
    AlreadyRevokedError,
    DuplicateSerialError,
    KeyNotFoundError,
    KeyStoreError,
    NotRecordedError,
    PkiError,
    WrongSecretError,
)
from pki.registration.approval import RegistrationError, UnknownRequestError
from records.errors import (
    AlreadySignedError,
    AlreadySpentError,
    LifeCycleError,
    NotEntitledError,
    NotFoundError,
    PinLockedError,
    RecordsError,
    StaleRecordError,
    StillIssuingError,
)
from signing.applying.two_step import PreparationExpiredError, PreparationUsedError, UnknownPreparationError
from signing.errors import SigningError, WorkflowError

TYPES = "https://eduseal.example/problems/"
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "30"
MAX_ERRORS = 20  # of a validation, shown to the caller

log = structlog.get_logger("eduseal.api")

# The most specific class of an error's ancestry decides.
STATUS: dict[type[Exception], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    KeyNotFoundError: HTTPStatus.NOT_FOUND,
    NotRecordedError: HTTPStatus.NOT_FOUND,
    WrongSecretError: HTTPStatus.FORBIDDEN,
    NotEntitledError: HTTPStatus.FORBIDDEN,
    PinLockedError: HTTPStatus.LOCKED,
    StaleRecordError: HTTPStatus.CONFLICT,
    AlreadySpentError: HTTPStatus.CONFLICT,
    AlreadySignedError: HTTPStatus.CONFLICT,
    AlreadyIssuedError: HTTPStatus.CONFLICT,
    AlreadyRevokedError: HTTPStatus.CONFLICT,
    DuplicateSerialError: HTTPStatus.CONFLICT,
    LifeCycleError: HTTPStatus.CONFLICT,
    WorkflowError: HTTPStatus.CONFLICT,
    UnknownPreparationError: HTTPStatus.NOT_FOUND,
    PreparationExpiredError: HTTPStatus.GONE,
    PreparationUsedError: HTTPStatus.CONFLICT,
    TooManyPreparationsError: HTTPStatus.TOO_MANY_REQUESTS,
    UnknownRequestError: HTTPStatus.NOT_FOUND,
    RegistrationError: HTTPStatus.CONFLICT,
    StillIssuingError: HTTPStatus.CONFLICT,
    SigningError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RecordsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PkiError: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyStoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseError: HTTPStatus.SERVICE_UNAVAILABLE,
    ConfigError: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass
class Problem(Exception):
    """An error that a caller can act on; `slug` ends the problem's type."""

    status: HTTPStatus
    slug: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


def problem_response(status: HTTPStatus, slug: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    body = {"type": TYPES + slug, "title": status.phrase, "status": status.value, "detail": detail, **members}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status.value, {"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE)


def status_of(error: Exception) -> HTTPStatus | None:
    """None where the error is none of the house's own."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def slug_of(error: Exception) -> str:
    """`NotFoundError` is `not-found`: the class names are the vocabulary."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def install(app: FastAPI) -> None:
    """Every error leaves `app` as a problem document; :class:`api.middleware.Faults` notes those that are our fault."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in STATUS:
        app.add_exception_handler(kind, _ours)
    app.add_exception_handler(Exception, _fault)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 (the registration above says so)
    return problem_response(error.status, error.slug, error.detail, headers=error.headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    detail, headers = error.detail, dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(set(_methods(request.app.routes, request.url.path))))
        detail = f"{request.method} is not allowed here; expected {headers['Allow']}"
    elif status is HTTPStatus.NOT_FOUND:
        detail = "there is nothing at this address"
    return problem_response(status, status.phrase.lower().replace(" ", "-"), detail, headers=headers)


def _methods(routes: Iterable[Any], path: str) -> Iterator[str]:
    """Every method that some route takes at `path` (RFC 9110 section 10.2.1); the framework names those of the first route alone."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _methods(included.routes, path)
        elif getattr(route, "methods", None) and route.path_regex.match(path):
            yield from route.methods
            if "GET" in route.methods:
                yield "HEAD"  # api.middleware.HeadAsGet


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # what was sent is not repeated: it may hold a PIN or a code
    errors = [{"where": "/".join(str(part) for part in found["loc"]), "detail": found["msg"]} for found in error.errors()[:MAX_ERRORS]]
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "the request is not of the form expected", errors=errors)


async def _ours(request: Request, error: Exception) -> Response:
    status = status_of(error) or HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("service.unavailable", path=request.url.path, error=type(error).__name__, text=str(error))
        detail = "a part of the service is not available; try again later"
        return problem_response(status, "unavailable", detail, headers={"Retry-After": RETRY_SECONDS})
    return problem_response(status, slug_of(error), str(error))


def fault_response() -> Response:
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", "the service failed; it has been noted")


async def _fault(_: Request, __: Exception) -> Response:
    return fault_response()
