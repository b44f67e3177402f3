"""A time-stamp authority on a loopback port: honest, or answering whatever a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pki.remote.tsa import REPLY
from pki.status.timestamp import TimeStampAuthority

Answer = tuple[int, str, bytes]
Respond = Callable[[bytes], Answer]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(request)
        status, kind, body = self.server.respond(request)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.respond = respond
        self.requests: list[bytes] = []

    def handle_error(self, *_: object) -> None:
        pass  # a client that hangs up early is what some tests are about

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/tsa"


@contextmanager
def serving(respond: Respond) -> Iterator[Server]:
    server = Server(respond)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def honest(tsa: TimeStampAuthority) -> Respond:
    return lambda request: (200, REPLY, tsa.respond(request))
