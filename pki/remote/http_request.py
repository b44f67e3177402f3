"""One HTTP request in bounded time and memory: what a remote authority is asked by. No redirect, no cookie, no proxy.

The address comes from whoever runs the program; from a certificate only where they ask for that (:mod:`pki.remote.online`).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pki.errors import PkiError

_BLOCK = 16 * 1024


class RemoteError(PkiError):
    """A remote authority does not answer, or not as its protocol says."""


class RemoteUnavailableError(RemoteError):
    """It may answer when asked again: no connection, too slow, or a 5xx or 429 status."""


@dataclass(frozen=True)
class HttpAnswer:
    content_type: str
    """Without parameters, in lower case."""
    body: bytes


def post(url: str, body: bytes, *, headers: Mapping[str, str], seconds: float, limit: int) -> HttpAnswer:
    """The body of a 200 answer of at most `limit` octets, whole within `seconds` of being connected.

    Looking the host up takes what the machine's resolver takes, and each of its addresses is tried for `seconds`. Raises
    :class:`RemoteUnavailableError` where trying again may help, else :class:`RemoteError`.
    """
    return _exchange("POST", url, body, headers, seconds, limit)


def get(url: str, *, seconds: float, limit: int) -> HttpAnswer:
    """As :func:`post`, with GET."""
    return _exchange("GET", url, None, {}, seconds, limit)


def _exchange(method: str, url: str, body: bytes | None, headers: Mapping[str, str], seconds: float, limit: int) -> HttpAnswer:
    parts = urlsplit(check_url(url))
    host = parts.hostname or ""
    encrypted = parts.scheme == "https"
    with ExitStack() as stack:
        try:
            plain = stack.enter_context(socket.create_connection((host, parts.port or (443 if encrypted else 80)), timeout=seconds))
            # a socket's time-out counts from octet to octet; the alarm ends a server that sends one octet a second
            alarm = threading.Timer(seconds, _cut, (stack.enter_context(plain.dup()),))
            alarm.daemon = True
            stack.callback(alarm.cancel)
            alarm.start()
            connection = stack.enter_context(closing(http.client.HTTPConnection(host, parts.port)))
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if encrypted else plain
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers={"User-Agent": "eduseal", "Connection": "close", **headers})
            return _answer(stack.enter_context(closing(connection.getresponse())), parts.netloc, limit)
        except (OSError, http.client.HTTPException) as exc:
            raise RemoteUnavailableError(f"{parts.netloc} does not answer within {seconds:g} s ({type(exc).__name__})") from exc


def check_url(url: str) -> str:
    """`url`, where it is an http or https address with a host and no password in it; raises :class:`RemoteError`."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.password is None and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise RemoteError("address of a remote authority: expected http://HOST/PATH or https://HOST/PATH, without a password")
    return url


def _answer(response: http.client.HTTPResponse, host: str, limit: int) -> HttpAnswer:
    if response.status >= 500 or response.status == 429:
        raise RemoteUnavailableError(f"{host} answers with status {response.status}")
    if response.status != 200:
        raise RemoteError(f"{host} answers with status {response.status}, expected 200")
    body = bytearray()
    while block := response.read1(_BLOCK):
        body += block
        if len(body) > limit:
            raise RemoteError(f"{host} answers with more than the {limit} octets that are read")
    if response.length:  # what Content-Length promised and did not come
        raise RemoteUnavailableError(f"{host} broke off its answer")
    kind = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return HttpAnswer(kind, bytes(body))


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
