"""`eduseal serve`: the service of one home, on one port."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli._workers import Application, application, log_to_stderr, serve_with_workers
from config.bootstrap import open_house, utc_now
from config.house_file import read_plan
from config.key_store import find_secret, key_store_place
from config.settings import Settings
from pki.keys.passphrase import VARIABLE

KEEP_ALIVE_SECONDS = 15
LIMIT_CONCURRENCY = 1000  # connections of one process; further ones get 503 at once
BACKLOG = 2048  # connections that wait to be accepted
MAX_WORKERS = 64
SHUTDOWN_SECONDS = 20  # for what has begun when the service is to end


def command(
    home: Annotated[str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="The authority's home.  [default: ./var]")] = None,
    database_url: Annotated[
        str | None, typer.Option(metavar="URL", envvar="EDUSEAL_DATABASE_URL", help="PostgreSQL, if it lies there.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port; one that dies is replaced.", min=1, max=MAX_WORKERS)] = 1,
    passphrase_file: Annotated[
        str | None, typer.Option(metavar="FILE", envvar="EDUSEAL_PASSPHRASE_FILE", help="First line: the key store's passphrase.")
    ] = None,
) -> int:
    """Serve the verification page, the program interface, and the authority's public addresses."""
    environment = {**os.environ, **({"EDUSEAL_PASSPHRASE_FILE": passphrase_file} if passphrase_file else {})}
    settings = Settings.from_environment(environment, home=Path(home) if home else None, database_url=database_url)
    place = key_store_place(settings, read_plan(settings.house_file))
    passphrase = find_secret(settings, place, prompt=getpass.getpass if sys.stdin.isatty() else None)
    os.environ.pop(VARIABLE, None)  # the processes that judge strangers' documents inherit the environment
    house = open_house(settings, clock=utc_now, passphrase=passphrase)
    log_to_stderr()
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG) as listening:
        shown = f"[{host}]" if ":" in host else host
        print(f"EduSeal serves {settings.home} on http://{shown}:{listening.getsockname()[1]}/verify (Ctrl-C ends it)", flush=True)
        if workers > 1:
            house.close()  # it could be opened, and what was due for renewal is renewed: now each worker opens its own
            return serve_with_workers(_config(Application(settings, passphrase), workers=workers, factory=True), [listening])
        del passphrase
        try:
            import uvicorn

            uvicorn.Server(_config(application(house))).run(sockets=[listening])
        finally:
            house.close()
    return 0


def _config(app: Any, **more: Any) -> Any:
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses of those who verify, and GET paths with record ids, are nobody's business
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=LIMIT_CONCURRENCY,
        **more,
    )
