"""`eduseal serve`: the service of one home, on one port."""

from __future__ import annotations

import getpass
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import structlog
import typer

from config.bootstrap import open_house, utc_now
from config.house_file import read_plan
from config.key_store import find_secret, key_store_place
from config.settings import Settings
from pki.passphrase import VARIABLE

KEEP_ALIVE_SECONDS = 15
LIMIT_CONCURRENCY = 1000  # connections; further ones get 503 at once


def command(
    home: Annotated[str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="The authority's home.  [default: ./var]")] = None,
    database_url: Annotated[
        str | None, typer.Option(metavar="URL", envvar="EDUSEAL_DATABASE_URL", help="PostgreSQL, if it lies there.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
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
    del passphrase
    _log_to_stderr()
    try:
        # api stands beside cli, not below it: loaded here, and only for this command
        app = import_module("api.app").create_app(house, import_module("api.judge").ProcessJudge(house))
        print(f"EduSeal serves {settings.home} on http://{host}:{port}/verify (Ctrl-C ends it)", flush=True)
        import uvicorn

        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,  # addresses of those who verify, and GET paths with record ids, are nobody's business
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            limit_concurrency=LIMIT_CONCURRENCY,
        )
    finally:
        house.close()
    return 0


def _log_to_stderr() -> None:
    """One JSON object a line: what happened, with ids; never values (the events say which)."""
    steps = structlog.processors
    structlog.configure(
        processors=[steps.add_log_level, steps.TimeStamper(fmt="iso", utc=True), steps.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
